package ui

import (
	"bartizan/triage"
)

// entry is one line of the key table: a command, its keys and its help, the same
// on every screen, and what to answer where a screen does not offer it.
type entry struct {
	name   string
	keys   []string
	help   string
	absent string
	acts   bool
	group  string
}

// table is the one key table of the program.
func table() []entry {
	var out []entry
	add := func(group string, entries ...entry) {
		for _, e := range entries {
			e.group = group
			out = append(out, e)
		}
	}
	add("Move", moveTable()...)
	add("Look", lookTable()...)
	add("Pivot", pivotTable()...)
	add("Screens", screenTable()...)
	add("Decide", decideTable()...)
	add("Copy", copyTable()...)
	add("Console", consoleTable()...)
	return out
}

// Commands are the names of all commands, as the config gives them keys.
func Commands() []string {
	var out []string
	for _, e := range table() {
		out = append(out, e.name)
	}
	return out
}

func k(keys ...string) []string { return keys }

func moveTable() []entry {
	const no = "there is nothing to move through here"
	return []entry{
		{name: "down", keys: k("j", "down"), help: "one down", absent: no},
		{name: "up", keys: k("k", "up"), help: "one up", absent: no},
		{name: "half-down", keys: k("ctrl+d"), help: "half a page down", absent: no},
		{name: "half-up", keys: k("ctrl+u"), help: "half a page up", absent: no},
		{name: "page-down", keys: k("pgdown", "ctrl+f"), help: "a page down", absent: no},
		{name: "page-up", keys: k("pgup", "ctrl+b"), help: "a page up", absent: no},
		{name: "top", keys: k("g g", "home"), help: "to the beginning", absent: no},
		{name: "bottom", keys: k("G", "end"), help: "to the end; a stream follows again", absent: no},
		{name: "left", keys: k("h", "left"), help: "sideways to the left", absent: "nothing reaches beyond the side here"},
		{name: "right", keys: k("l", "right"), help: "sideways to the right", absent: "nothing reaches beyond the side here"},
		{name: "follow", keys: k("F"), help: "follow the newest row, on and off", absent: "this screen has no stream to follow"},
		{name: "new", keys: k("g n"), help: "take in the new arrivals counted in the header", absent: "only the alerts screen (1) counts arrivals"},
		{name: "next-hit", keys: k("e"), help: "next row a rule hit", absent: "there is no stream with hits here"},
		{name: "previous-hit", keys: k("E"), help: "previous row a rule hit", absent: "there is no stream with hits here"},
		{name: "goto-time", keys: k("g t"), help: "go to a time", absent: "there is no stream to move in time here"},
		{name: "narrow", keys: k("-"), help: "narrow the time window", absent: "only an entity's page has a time window"},
		{name: "widen", keys: k("+", "="), help: "widen the time window; then look further back, in the files", absent: "only an entity's page has a time window"},
	}
}

func lookTable() []entry {
	return []entry{
		{name: "search", keys: k("/"), help: "search", absent: "there is nothing to search here"},
		{name: "next", keys: k("n"), help: "next match of the search", absent: "there is nothing to search here"},
		{name: "previous", keys: k("N"), help: "previous match of the search", absent: "there is nothing to search here"},
		{name: "filter", keys: k("f"), help: "filter, with a count before Enter", absent: "there is no stream to filter here"},
		{name: "exclude", keys: k("!"), help: "exclude the value under the cursor from the stream", absent: "there is no value under the cursor"},
		{name: "undo-step", keys: k("esc", "ctrl+c"), help: "undo one step: marks, search, filter, then the screen", absent: "there is nothing to undo"},
		{name: "open", keys: k("enter"), help: "open what is under the cursor", absent: "there is nothing to open here"},
		{name: "fields", keys: k("i"), help: "all fields of the row", absent: "there is no record under the cursor"},
		{name: "wrap", keys: k("w"), help: "wrap long rows, on and off", absent: "there are no rows to wrap here"},
		{name: "time", keys: k("T"), help: "times as UTC, local, relative", absent: ""},
		{name: "histogram", keys: k("H"), help: "histogram", absent: "this version has no histogram; the counts by source are on an entity's page"},
		{name: "reload-rules", keys: k("R"), help: "read the rule files again and say what changed", absent: "", acts: true},
		{name: "switch-on", keys: k("S"), help: "let a rule run again that was switched off for its time", absent: "only the rules screen (7) switches rules on again", acts: true},
		{name: "reveal", keys: k("M"), help: "show what is masked on this page, after the journal has it; again: hide", absent: "only a record's or an alert's page shows secrets; Enter opens it", acts: true},
		{name: "sort", keys: k("s"), help: "sort: by risk, by time, by severity", absent: "the order here is fixed"},
		{name: "answers", keys: k("A"), help: "what each agent answered to the search", absent: "only an entity's page asks agents (p and a letter, then +)"},
		{name: "show-closed", keys: k("C"), help: "show closed alerts, on and off", absent: "only the alerts screen (1) hides closed alerts"},
	}
}

func pivotTable() []entry {
	const no = "there is no record or alert under the cursor to pivot from"
	out := []entry{}
	for _, p := range pivotKinds() {
		out = append(out, entry{name: "pivot-" + p.name, keys: k("p " + string(p.letter)), help: "everything about its " + p.words, absent: no})
	}
	for _, d := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		out = append(out, entry{name: "pivot-" + d, keys: k("p " + d), help: "everything about entity " + d, absent: no})
	}
	return out
}

func screenTable() []entry {
	later := func(what string) string { return "this version has no " + what + " screen" }
	return []entry{
		{name: "alerts", keys: k("1"), help: "alerts; there: with all of the screen, and split again"},
		{name: "stream", keys: k("2"), help: "stream; there: with all of the screen, and split again"},
		{name: "entities", keys: k("3"), help: "entities of the alerts"},
		{name: "cases", keys: k("4"), help: "cases", absent: later("cases")},
		{name: "timeline", keys: k("5"), help: "timeline", absent: later("timeline") + "; p and a letter show one entity at event time"},
		{name: "sources", keys: k("6"), help: "sources and agents"},
		{name: "rules", keys: k("7"), help: "rules"},
		{name: "mutes", keys: k("8"), help: "mutes", absent: later("mutes")},
		{name: "journal", keys: k("9"), help: "journal of all decisions"},
		{name: "next-pane", keys: k("tab"), help: "next pane", absent: "this screen has one pane"},
		{name: "previous-pane", keys: k("shift+tab"), help: "previous pane", absent: "this screen has one pane"},
		{name: "back", keys: k("["), help: "back to the place before"},
		{name: "forward", keys: k("]"), help: "forward again"},
	}
}

func decideTable() []entry {
	const no = "there is no alert under the cursor; go to the alerts (1)"
	out := []entry{
		{name: "mark", keys: k("space"), help: "mark", absent: no},
		{name: "mark-range", keys: k("v"), help: "mark from here to where v is pressed again", absent: no},
		{name: "mark-all", keys: k("*"), help: "mark all shown; again: none", absent: no},
		{name: "take", keys: k("t"), help: "take: I am looking at it", absent: no, acts: true},
	}
	for _, v := range triage.Verdicts {
		out = append(out, entry{name: "close-" + dashed(v.Name), keys: k("a " + v.Key), help: "close as " + lower(v.Words), absent: no, acts: true})
	}
	for _, s := range snoozes() {
		out = append(out, entry{name: "snooze-" + s.name, keys: k("z " + s.key), help: "snooze for " + s.words, absent: no, acts: true})
	}
	return append(out,
		entry{name: "note", keys: k(";"), help: "write a note", absent: no, acts: true},
		entry{name: "reopen", keys: k("r"), help: "reopen", absent: no, acts: true},
		entry{name: "repeat", keys: k("."), help: "close with the last verdict again", absent: no, acts: true},
		entry{name: "undo", keys: k("u"), help: "undo my latest decision", acts: true},
		entry{name: "distrust", keys: k("D"), help: "mark the host under the cursor as compromised, or as trusted again", absent: "hosts are marked on the sources screen (6)", acts: true},
		entry{name: "runbook", keys: k("o"), help: "what to do first", absent: no},
		entry{name: "mute", keys: k("m"), help: "mute", absent: "this version has no mutes; snooze (z) hides one alert for a while", acts: true},
		entry{name: "case", keys: k("c"), help: "case", absent: "this version has no cases; a note (;) keeps what you found", acts: true},
		entry{name: "exception", keys: k("x"), help: "exception to the rule of the alert; there: save it", absent: no, acts: true},
	)
}

func copyTable() []entry {
	const no = "there is nothing to copy under the cursor"
	return []entry{
		{name: "copy-line", keys: k("y y", "y l"), help: "copy the line as shown", absent: no},
		{name: "copy-raw", keys: k("y r"), help: "copy the exact record", absent: no},
		{name: "copy-json", keys: k("y j"), help: "copy as JSON", absent: no},
		{name: "copy-field", keys: k("y f"), help: "copy the value under the cursor", absent: no},
		{name: "copy-markdown", keys: k("y m"), help: "copy as Markdown, for a report", absent: no},
	}
}

func consoleTable() []entry {
	return []entry{
		{name: "palette", keys: k(":"), help: "every command by name, with completion"},
		{name: "help", keys: k("?", "f1"), help: "the keys that work here"},
		{name: "leave", keys: k("q"), help: "leave this screen; on the first: detach"},
		{name: "redraw", keys: k("ctrl+l"), help: "draw the screen again"},
		{name: "suspend", keys: k("ctrl+z"), help: "suspend the console"},
		{name: "detach", keys: k(), help: "leave the console; the engine goes on"},
		{name: "quit", keys: k(), help: "stop the engine for everybody, after asking"},
		{name: "push-filter", keys: k(), help: "ask agents to send only what the filter matches"},
	}
}
