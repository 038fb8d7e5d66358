package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"bartizan/detect"
	"bartizan/detect/rules"
)

// maxRuleText bounds what is shown of one rule, in bytes, and maxRuleFile what is
// read for it.
const (
	maxRuleText = 64 << 10
	maxRuleFile = 4 << 20
)

// RuleText is a loaded rule as its file has it now, from its first line to the next
// rule. It reads the file.
func (e *Engine) RuleText(id string) (string, error) {
	s := e.rules.Load()
	r := s.set.Rule(id)
	if r == nil {
		if made := e.feeds.foreign(id); made != nil {
			r = s.explain(made.Title)
		}
	}
	if r == nil {
		return "", errors.New("no file that is loaded has this rule")
	}
	return ruleText(r)
}

func ruleText(r *detect.Rule) (string, error) {
	text, ok := rules.Source(r.File)
	if !ok {
		var err error
		if text, err = readSome(r.File); err != nil {
			return "", err
		}
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	at := min(max(r.Line-1, 0), len(lines)-1)
	from, to := at, at+1
	switch r.Kind {
	case detect.KindFalco:
		for to < len(lines) && !bytes.HasPrefix(lines[to], []byte("- ")) && !bytes.HasPrefix(lines[to], []byte("-\n")) {
			to++
		}
	case detect.KindQuick:
		for to < len(lines) && !bytes.HasPrefix(bytes.TrimSpace(lines[to]), []byte("[")) {
			to++
		}
	default:
		for from > 0 && !isDocumentEnd(lines[from-1]) {
			from--
		}
		for to < len(lines) && !isDocumentEnd(lines[to]) {
			to++
		}
	}
	out := bytes.Join(lines[from:to], nil)
	return strings.TrimRight(string(out[:min(len(out), maxRuleText)]), "\n"), nil
}

func isDocumentEnd(line []byte) bool { return bytes.HasPrefix(line, []byte("---")) }

// readSome reads a rule file, which is hostile: a pipe or a device is not opened.
func readSome(file string) ([]byte, error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("the rule's file cannot be read: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: the rule's file is no regular file", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("the rule's file cannot be read: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxRuleFile))
	return text, errors.Join(err, f.Close())
}
