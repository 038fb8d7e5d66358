package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the expectations of scripts and the generated pages anew")

// TestMain makes the test binary also the program of the scripts. There it leaves
// the terminal of whoever runs the tests: a script has none.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bartizan": func() {
		_, _ = syscall.Setsid() // refused where it leads a session already
		os.Exit(run(os.Args[1:]))
	}})
}

// TestScripts runs testdata/script: one file for each promise of a verb.
func TestScripts(t *testing.T) {
	samples, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/script", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: scriptWords, Condition: scriptCondition,
		Setup: func(e *testscript.Env) error {
			for _, v := range [][2]string{
				{"HOME", "home"}, {"BARTIZAN_STATE", "state"}, {"XDG_STATE_HOME", "xdg"}, {"XDG_CONFIG_HOME", "conf"}, {"XDG_RUNTIME_DIR", "r"},
			} {
				e.Setenv(v[0], filepath.Join(e.WorkDir, v[1]))
			}
			e.Setenv("SAMPLES", samples)
			e.Setenv("TZ", "UTC")
			e.Setenv("TERM", "xterm-256color")
			e.Values[processesKey{}] = &processes{env: slices.Clone(e.Vars), running: map[string]*process{}}
			return nil
		},
	})
}

func scriptCondition(name string) (bool, error) {
	if name == "root" {
		return os.Getuid() == 0, nil
	}
	return false, errors.New("there is no condition " + name)
}

// scriptWords are the words our scripts have beyond testscript's own.
var scriptWords = map[string]func(*testscript.TestScript, bool, []string){
	"code":      wordCode,
	"start":     wordStart,
	"end":       wordEnd,
	"waitfor":   wordWaitFor,
	"logs":      wordLogs,
	"bytes":     wordBytes,
	"compress":  wordCompress,
	"jsonlines": wordJSONLines,
	"harmless":  wordHarmless,
	"settle":    wordSettle,
	"tamper":    wordTamper,
	"rewrite":   wordRewrite,
	"hook":      wordHook,
	"post":      wordPost,
	"setenv":    wordSetenv,
}

func wants(ts *testscript.TestScript, neg bool, ok bool, usage string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

// wordCode runs a program that has to end with this exit code.
func wordCode(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) > 1, "code N PROGRAM [ARG…]")
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	have := 0
	if errors.As(err, &exit) {
		have = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(have) != args[0] {
		ts.Fatalf("%s ended with %d, not %s", strings.Join(args[1:], " "), have, args[0])
	}
}

// wordSetenv puts a file's text, trimmed, or the first match of a pattern in a
// JSON line, into a variable: setenv NAME FILE [KEY].
func wordSetenv(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, neg, len(args) == 2 || len(args) == 3, "setenv NAME FILE [KEY]")
	text := strings.TrimSpace(ts.ReadFile(args[1]))
	if len(args) == 3 {
		_, rest, ok := strings.Cut(text, strconv.Quote(args[2])+":")
		if !ok {
			ts.Fatalf("%s has no key %s", args[1], args[2])
		}
		text = strings.Trim(rest[:strings.IndexAny(rest, ",}\n")], `"`)
	}
	ts.Setenv(args[0], text)
}
