package parse

import "bartizan/event"

// osquery's results log ("Logging" in its documentation): what a query's rows
// gained and lost (action added, removed), or all of them (snapshot).

var (
	oqName   = known("name")
	oqHost   = known("hostIdentifier")
	oqUnix   = known("unixTime")
	oqAction = known("action")
	oqColumn = known("columns")
	oqSnap   = known("snapshot")
	oqDiff   = known("diffResults")
	oqPath   = known("columns.path")
	oqDir    = known("columns.directory")
	oqCmd    = known("columns.cmdline")
	oqProc   = known("columns.process")
)

var osqueryAliases = []pair{
	{ecsRule, oqName},
	{ecsAction, oqAction},
	{ecsHost, oqHost},
	{known("host.id"), known("decorations.host_uuid")},
	{ecsUser, known("columns.user")},
	{ecsUser, known("decorations.username")},
	{ecsUser, known("columns.username")},
	{ecsUserID, known("columns.uid")},
	{ecsFile, oqPath},
	{ecsFile, known("columns.target_path")},
	{ecsFile, oqDir},
	{ecsSHA256, known("columns.sha256")},
	{ecsMD5, known("columns.md5")},
	{ecsSHA1, known("columns.sha1")},
	{ecsProcess, oqProc},
	{ecsPID, known("columns.pid")},
	{ecsParentPID, known("columns.parent")},
	{ecsCwd, known("columns.cwd")},
	{ecsCommand, oqCmd},
	{ecsSrcIP, known("columns.local_address")},
	{ecsSrcPort, known("columns.local_port")},
	{ecsDstIP, known("columns.remote_address")},
	{ecsDstPort, known("columns.remote_port")},
	{ecsContainer, known("columns.container_id")},
}

var logOsquery = event.LogSource{Product: "osquery"}

func isOsquery(p *pass) bool {
	return p.has(oqName) != nil && p.has(oqHost) != nil && p.has(oqUnix) != nil &&
		(p.has(oqColumn) != nil || p.has(oqSnap) != nil || p.has(oqDiff) != nil)
}

func readOsquery(p *pass) {
	p.endNative()
	p.timeValue(p.has(oqUnix).Value)
	if t, ok := epochText(p.value(oqUnix)); ok {
		p.at(t)
	}
	p.e.Level = event.LevelInfo
	p.aliases(osqueryAliases)
	if p.has(oqCmd) != nil { // a table of processes: its path is the program
		p.alias(ecsExecutable, oqPath)
		p.baseName(ecsProcess, oqPath)
	}
	about := p.value(oqCmd)
	if about == "" {
		about = p.value(oqPath)
	}
	p.e.Message = p.compose(p.value(oqName), p.value(oqAction), about)
}
