package parse

import (
	"bytes"

	"bartizan/event"
)

// The native names we give to what sudo says, and sudo's own beside them.
var (
	fPWD     = known("pwd")
	fRunas   = known("runas")
	fCommand = known("command")
	fRunGrp  = known("runas_group")
	fEnv     = known("env")
	fTries   = known("attempts")
)

var sudoKeys = [...]struct {
	key string
	n   name
}{
	{"TTY=", fTTY},
	{"PWD=", fPWD},
	{"USER=", fRunas},
	{"GROUP=", fRunGrp},
	{"ENV=", fEnv},
	{"HOST=", known("sudo_host")},
	{"TSID=", known("tsid")},
	{"CHROOT=", known("chroot")},
	{"CWD=", fPWD},
}

var sudoAliases = []pair{
	{ecsUser, fUser},
	{ecsTarget, fRunas},
	{ecsCommand, fCommand},
	{ecsCwd, fPWD},
	{ecsAction, fEvent},
	{known("USER"), fRunas},
	{known("COMMAND"), fCommand},
	{known("PWD"), fPWD},
	{known("TTY"), fTTY},
}

// sudo reads "amira : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id" and the
// refusals, which put a sentence before TTY=.
func (p *pass) sudo() {
	p.e.FormatName, p.e.LogSource, p.e.Level = "sudo", logSudo, event.LevelInfo
	p.unfoldSudo()
	b := p.text
	i := skipBlanks(b, 0)
	if prefixAt(b, i, "pam_") {
		p.narrow(i, len(b))
		p.pam()
		return
	}
	sep := bytes.Index(b[i:], []byte(" : "))
	if sep < 0 {
		return
	}
	p.add(fUser, i, i+sep)
	i += sep + len(" : ")
	if prefixAt(b, i, "(command continued) ") {
		p.addWord(fEvent, "command_continued")
		p.add(fCommand, i+len("(command continued) "), len(b))
		p.endNative()
		p.aliases(sudoAliases)
		return
	}
	ok := p.sudoEvent(i)
	p.sudoParts(i)
	p.endNative()
	p.aliases(sudoAliases)
	p.outcome(ok)
}

// sudoEvent names what happened, by the sentence before the first "key=".
func (p *pass) sudoEvent(i int) (ok bool) {
	said := p.text[i:]
	if end := bytes.Index(said, []byte(" ; ")); end >= 0 {
		said = said[:end]
	}
	word := "command"
	switch {
	case prefix(said, "TTY=") || prefix(said, "PWD=") || prefix(said, "USER=") || prefix(said, "HOST="):
		ok = true
	case bytes.Contains(said, []byte("NOT in sudoers")) || bytes.Contains(said, []byte("not in sudoers")):
		word = "not_in_sudoers"
	case bytes.Contains(said, []byte("incorrect password attempt")):
		word = "auth_failure"
		p.addNum(fTries, i, digits(p.text, i))
	case prefix(said, "a password is required") || prefix(said, "no tty present") || prefix(said, "a terminal is required"):
		word = "auth_failure"
	case bytes.Contains(said, []byte("NOT authorized")) || prefix(said, "command not allowed"):
		word = "command_not_allowed"
	default:
		word = "error"
	}
	p.addWord(fEvent, word)
	if !ok {
		p.e.Level = event.LevelWarning
		p.add(fReason, i, i+len(said))
	}
	return ok
}

// sudoParts reads "KEY=value ; KEY=value ; COMMAND=…"; the command is the last
// and may hold anything, " ; " included.
func (p *pass) sudoParts(i int) {
	b := p.text
	for i < len(b) {
		if prefixAt(b, i, "COMMAND=") {
			p.add(fCommand, i+len("COMMAND="), len(b))
			return
		}
		end := bytes.Index(b[i:], []byte(" ; "))
		if end < 0 {
			end = len(b) - i
		}
		for _, k := range sudoKeys {
			if prefixAt(b, i, k.key) {
				p.add(k.n, i+len(k.key), i+end)
				break
			}
		}
		i += end + len(" ; ")
	}
}
