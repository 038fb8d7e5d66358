package parse

import "bartizan/event"

// Graylog's Extended Log Format ("GELF Payload Specification" 1.1): JSON with
// host, short_message and members of the sender's own that begin with "_".

var (
	geVersion = known("version")
	geShort   = known("short_message")
	geLevel   = known("level")
	geWhen    = known("timestamp")
)

var gelfAliases = []pair{
	{ecsHost, fHost},
	{ecsContainer, known("_container_id")},
	{ecsContName, known("_container_name")},
	{ecsImage, known("_image_name")},
	{ecsFile, known("_file")},
}

func isGELF(p *pass) bool {
	return p.has(geShort) != nil && p.has(fHost) != nil && p.has(geVersion) != nil
}

// readGELF reads a message; the sender's own members get their names without the
// underscore, and then what those names usually mean.
func readGELF(p *pass) {
	p.endNative()
	level := event.LevelUnknown
	if n := smallInt(p.value(geLevel)); n >= 0 && n < len(syslogLevels) {
		level = syslogLevels[n]
	}
	if f := p.has(geWhen); f != nil {
		p.timeValue(f.Value)
	}
	p.bareNames("_")
	native := p.native
	p.aliases(gelfAliases)
	p.addrAlias(ecsSrcIP, sourceKeys)
	p.addrAlias(ecsDstIP, destinationKeys)
	p.aliases(genericAliases)
	p.native = native
	p.e.Level, p.e.Message = level, p.value(geShort)
}
