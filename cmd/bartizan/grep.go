package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"bartizan/engine"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/remote"
)

func newGrep(a *app) *cobra.Command {
	var follow, raw bool
	limit := 10_000
	c := &cobra.Command{
		Use:   "grep QUERY [PATH…]",
		Short: "the filter language over files, here or at agents: exact raw lines out",
		Long: `Grep prints the records that match a query, as they are, merged by event time.
Into a pipe (or with --raw) the bytes are exact; on a terminal control bytes are
made visible and secrets are masked. With -f it follows the files like tail -F.
"*" is everything. Exit code 0 when something matched, 1 when nothing did.

With --agent (or -c FILE and no PATH: all agents of a config), agents search their
own files, rotated and compressed ones too, and send what matches. Standard error
says how many were searched and how far back each could see; exit code 1 also when
one could not be searched. Hosts named by --ssh that have bartizan search their own
files likewise. Those of others, and of all with -f, --format or -c, come over here
and are searched like PATHs, from their beginning to where they end now, or on with -f.`,
		Example: `  bartizan grep 'user.name: root and not source.ip: 10.0.0.0/8' /var/log/auth.log
  bartizan grep -f 'level >= warning' /var/log/nginx/
  bartizan grep 'eventName: (StopLogging or DeleteTrail)' /srv/cloudtrail/*.json.gz
  bartizan grep 'user.name: root' --ssh ops@web-1:/var/log/auth.log
  bartizan grep 'source.ip: 203.0.113.9' --agent web-1:7070 --agent web-2:7070 --certs ~/ca --from -12h`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 && len(a.agents) == 0 { // a config is then for what it knows
				return a.grep(c.Context(), args[0], args[1:], limit, follow, raw)
			}
			agents, err := a.asked()
			switch {
			case err != nil:
				return err
			case len(agents) > 0 && (len(args) > 1 || follow || len(a.ssh) > 0):
				return usage("agents search their own files to the end: leave out PATH, --ssh and -f, or --agent")
			case len(agents) > 0:
				return a.grepAgents(c.Context(), args[0], agents, raw, limit)
			case len(args) < 2 && len(a.ssh) == 0:
				return usage("grep needs a QUERY and a PATH, or agents to ask; see bartizan grep --help")
			}
			return a.grep(c.Context(), args[0], args[1:], limit, follow, raw)
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is appended, through rotation")
	c.Flags().BoolVar(&raw, "raw", false, "exact bytes, also on a terminal")
	c.Flags().IntVar(&limit, "limit", limit, "at most this many records from each agent")
	c.Flags().StringVarP(&a.configFile, "config", "c", "", "search the agents of this config `FILE`; with PATH, use its formats and assets")
	c.Flags().StringVar(&a.state, "state", "", "`DIR` of the board that knows which hosts are marked compromised (else BARTIZAN_STATE, else the config)")
	a.agentFlags(c, "search the files of the agent at `HOST:PORT`; repeatable")
	a.sshFlag(c)
	a.outputFlag(c)
	a.formatFlag(c)
	a.timeFlags(c)
	return c
}

func (a *app) grep(ctx context.Context, text string, paths []string, limit int, follow, raw bool) error {
	m, err := compileQuery(text)
	if err != nil {
		return err
	}
	from, to, err := a.window(time.Now())
	if err != nil {
		return err
	}
	reg, err := a.registry()
	if err != nil {
		return err
	}
	failed := &failures{a: a}
	var open []sources.Opened
	var stop func()
	if follow {
		open, stop, err = a.openFollowingAll(ctx, paths, failed)
	} else {
		open, failed, stop, err = a.openAll(ctx, reg, paths)
	}
	if err != nil {
		return err
	}
	defer stop()
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	out := newLineWriter(a.out, raw)
	far := &farGrep{}
	if !follow {
		q := remote.Question{From: from, To: to, Matches: limit}
		if far, open, err = a.askFar(ctx, text, open, q, failed); err != nil {
			return err
		}
		far.asJSON = asJSON
	}
	matched, err := far.scan(ctx, out, open, follow, engine.ScanOptions{
		Registry: reg, From: from, To: to, Now: time.Now, Failed: failed.add, AsTheyCome: follow,
		Event: func(e *event.Event) error {
			if failed.missing(e) || !m.Match(e) {
				return errNoMatch
			}
			return out.event(e, asJSON)
		},
	})
	if follow && ctx.Err() != nil {
		err = nil
	}
	err = errors.Join(err, out.Flush(), far.answers(), failed.err())
	if err == nil && !matched {
		return exitError{exitFailed, nil}
	}
	return err
}

// compileQuery reads a query of the command line; `in @file` reads that file.
func compileQuery(text string) (*query.Matcher, error) {
	n, err := query.ParseWith(text, readList)
	if err != nil {
		return nil, exitError{exitUsage, err}
	}
	m, err := query.Compile(n)
	if err != nil {
		return nil, exitError{exitUsage, err}
	}
	return m, nil
}

// lineWriter writes records as lines: exact into a pipe, safe on a terminal.
type lineWriter struct {
	*bufio.Writer
	safe bool
	mask *event.Masker
	buf  []byte
}

func newLineWriter(w io.Writer, raw bool) *lineWriter {
	l := &lineWriter{Writer: bufio.NewWriterSize(w, 64<<10)}
	if f, ok := w.(*os.File); ok && !raw && term.IsTerminal(int(f.Fd())) {
		l.safe, l.mask = true, newMasker()
	}
	return l
}

func (l *lineWriter) event(e *event.Event, asJSON bool) error {
	if asJSON {
		return writeJSON(l.Writer, newGrepped("", e.Ref.Source, e.Time, e.Line, e.Raw))
	}
	return l.line(e.Raw)
}

func (l *lineWriter) line(b []byte) error {
	if l.safe {
		l.buf = l.mask.Mask(l.buf[:0], b)
		b = event.Escape(nil, l.buf)
	}
	if _, err := l.Write(b); err != nil {
		return err
	}
	return l.WriteByte('\n')
}

// readList reads the values of `in @file`: one per line, # begins a comment.
func readList(name string) ([]string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, l := range strings.Split(string(b), "\n") {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			out = append(out, l)
		}
	}
	return out, nil
}
