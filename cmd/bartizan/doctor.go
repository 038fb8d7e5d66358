package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"bartizan/agent/certs"
	"bartizan/attach"
	"bartizan/sources"
)

func newDoctor(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "doctor [PATH…]", Short: "what this host offers, which logs are missing, and what would mend it",
		Long: `Doctor says line by line what is fine and what is missing, with the mend. It looks
at a bounded sample of the logs (those of PATH, else of the config, else what this
host has) and names those that do not arrive though rules need them, by account,
bucket, mesh, cluster and host: docs/coverage.md lists what is looked for.`,
		Example: "  bartizan doctor\n  bartizan doctor -o json /srv/cloudtrail/ /var/log/auth.log",
		RunE:    func(c *cobra.Command, paths []string) error { return a.doctor(c.Context(), paths) },
	}
	a.stateFlags(c)
	c.Flags().StringArrayVar(&a.rules, "rules", nil, "rules that need logs: a `DIR`, FILE, builtin or none; repeatable (default: builtin)")
	a.formatFlag(c)
	a.outputFlag(c)
	return c
}

// finding is one line of doctor.
type finding struct {
	OK   bool   `json:"ok"`
	What string `json:"what"`
	Text string `json:"text"`
	*lacking
}

func (a *app) doctor(ctx context.Context, paths []string) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	var all []finding
	add := func(ok bool, what, text string) { all = append(all, finding{OK: ok, What: what, Text: text}) }
	a.examineBoard(add)
	if len(paths) == 0 {
		examineLogs(add)
	}
	examineHost(add)
	gaps, err := a.examineCoverage(ctx, paths, add)
	if err != nil {
		return err
	}
	for _, f := range append(all, gaps...) {
		if asJSON {
			err = a.printJSON(f)
		} else {
			mark := "ok     "
			if !f.OK {
				mark = "missing"
			}
			_, err = fmt.Fprintln(a.out, printable(mark+" "+f.What+": "+f.Text))
			if err == nil && f.lacking != nil {
				err = f.print(a.out)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *app) examineBoard(add func(bool, string, string)) {
	conf, err := a.config()
	if err != nil {
		add(false, "config", err.Error())
		return
	}
	add(true, "config", map[bool]string{true: "none, the defaults hold; see config.example.toml", false: conf.File}[conf.File == ""])
	dir, err := stateDir(a.state, conf.Board.State, nil)
	if err == nil {
		err = makeState(dir)
	}
	if err != nil {
		add(false, "board", err.Error())
		return
	}
	add(true, "board", dir+", its log in "+dir+"/bartizan.log")
	socket, err := socketPath(dir)
	if err == nil {
		err = attach.Ping(socket)
	}
	add(true, "engine", map[bool]string{true: "runs", false: "does not run; bartizan starts one"}[err == nil])
	for _, ag := range conf.Agent {
		_, err := certs.ClientTLS(ag.Certs, time.Now)
		add(err == nil, "agent "+ag.Address, orText(err, "certificates are fine"))
	}
}

func orText(err error, fine string) string {
	if err != nil {
		return err.Error()
	}
	return fine
}

func examineLogs(add func(bool, string, string)) {
	found := sources.Local("/")
	for _, f := range found {
		name := f.Path
		if name == "" {
			name = f.Kind
		}
		if f.Readable {
			add(true, name, "can be read")
		} else {
			add(false, name, f.Reason)
		}
	}
	if len(found) == 0 {
		add(false, "logs", "this host has none in the usual places: name paths, or [[source]] tables in the config")
	}
}

func examineHost(add func(bool, string, string)) {
	for _, p := range []struct{ name, why string }{
		{"journalctl", "the systemd journal cannot be read without it"},
	} {
		path, err := exec.LookPath(p.name)
		add(err == nil, p.name, map[bool]string{true: path, false: p.why}[err == nil])
	}
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim); err == nil {
		add(lim.Max >= 4096, "open files", fmt.Sprintf("limit %d; each followed file is one, raise it with ulimit -n when there are thousands", lim.Max))
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err == nil {
		_ = tty.Close()
		add(true, "terminal", "there is one for the console")
	} else {
		add(false, "terminal", "none here, so no console ("+err.Error()+"); log in with a terminal (ssh -t), or use watch, scan and grep")
	}
	term := os.Getenv("TERM")
	add(term != "" && term != "dumb", "TERM", fmt.Sprintf("%q; the console needs a terminal that understands cursor movement", term))
}
