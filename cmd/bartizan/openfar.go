package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"bartizan/agent/certs"
	"bartizan/config"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
	"bartizan/sources/remote"
	"bartizan/sources/ssh"
)

// openAll opens what the paths name here and what hosts named by --ssh and --agent
// have, to be read to where it ends now. Call stop when all was read.
func (a *app) openAll(ctx context.Context, reg *parse.Registry, paths []string) (open []sources.Opened, failed *failures, stop func(), err error) {
	failed, stop = &failures{a: a}, func() {}
	if len(paths) > 0 || len(a.ssh)+len(a.agents) == 0 {
		if open, failed, err = a.openStatic(ctx, reg, paths); err != nil {
			return nil, nil, stop, err
		}
	}
	if len(a.ssh)+len(a.agents) == 0 {
		return open, failed, stop, nil
	}
	far, stop, err := a.openFar(ctx, false, failed)
	return append(open, far...), failed, stop, err
}

// openFollowingAll opens what the paths name here and what hosts named by --ssh have,
// to be followed from its beginning.
func (a *app) openFollowingAll(ctx context.Context, paths []string, failed *failures) (open []sources.Opened, stop func(), err error) {
	stop = func() {}
	if len(paths) > 0 {
		if open, err = a.openFollowing(ctx, paths); err != nil {
			return nil, stop, err
		}
	}
	if len(a.ssh) == 0 {
		return open, stop, nil
	}
	far, stop, err := a.openFar(ctx, true, failed)
	return append(open, far...), stop, err
}

// farHost is a host that is connected while its files are read.
type farHost interface {
	open(ctx context.Context, follow bool) (ssh.Reading, error)
}

// openFar connects to all hosts at once. One that cannot be reached is a failure
// like a file that cannot be read; when none can, that is the error.
func (a *app) openFar(ctx context.Context, follow bool, failed *failures) ([]sources.Opened, func(), error) {
	hosts, names, err := a.farHosts()
	if err != nil {
		return nil, func() {}, err
	}
	readings, errs := make([]ssh.Reading, len(hosts)), make([]error, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		all.Go(func() { readings[i], errs[i] = h.open(ctx, follow) })
	}
	all.Wait()
	stop := func() {
		for _, r := range readings {
			if r.Stop != nil {
				r.Stop()
			}
		}
	}
	var open []sources.Opened
	lost := 0
	for i, r := range readings {
		if errs[i] != nil {
			lost++
			failed.add(sources.Info{Name: names[i]}, errs[i])
			continue
		}
		if r.Note != "" {
			_, _ = fmt.Fprintln(a.err, "bartizan: "+printable(r.Note))
		}
		for _, s := range r.Refused {
			failed.add(sources.Info{Name: s.Name}, errors.New(s.Reason))
		}
		open = append(open, r.Open...)
	}
	if lost == len(hosts) {
		stop()
		return nil, func() {}, errors.New("none of the hosts could be reached")
	}
	return open, stop, nil
}

func (a *app) farHosts() (hosts []farHost, names []string, err error) {
	confs, err := config.Default().SSH(a.ssh, a.format)
	if err != nil {
		return nil, nil, exitError{exitUsage, err}
	}
	for _, conf := range confs {
		conf.Version, conf.Tail = version, -1
		h, err := ssh.Open(conf)
		if err != nil {
			return nil, nil, exitError{exitUsage, err}
		}
		hosts, names = append(hosts, sshHost{h}), append(names, conf.Target.Host)
	}
	if len(a.agents) > 0 && a.certs == "" {
		return nil, nil, usage("--agent %s needs --certs DIR; make one with bartizan certs init", a.agents[0])
	}
	for _, address := range a.agents {
		tls, err := certs.ClientTLS(a.certs, time.Now)
		if err != nil {
			return nil, nil, fmt.Errorf("the agent at %s: %w", address, err)
		}
		p, err := remote.Dial(remote.Config{Address: address, TLS: tls, Version: version, Now: time.Now, Tail: -1})
		if err != nil {
			return nil, nil, exitError{exitUsage, err}
		}
		hosts, names = append(hosts, agentHost{p, a.format}), append(names, address)
	}
	return hosts, names, nil
}

type sshHost struct{ *ssh.Host }

func (h sshHost) open(ctx context.Context, follow bool) (ssh.Reading, error) {
	return h.Once(ctx, follow)
}

type agentHost struct {
	peer   *remote.Peer
	format string
}

func (h agentHost) open(ctx context.Context, follow bool) (r ssh.Reading, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	r.Stop = func() { cancel(); all.Wait() }
	var mu sync.Mutex
	var open []sources.Opened
	all.Go(func() {
		_ = h.peer.Run(ctx, func(op sources.Opened) { // its only error is none
			mu.Lock()
			defer mu.Unlock()
			if h.format != "" {
				op.Info.Format = h.format
			}
			if !follow {
				op = remote.ToEnd(op)
			}
			open = append(open, op)
		})
	})
	if err := h.peer.Reach(ctx); err != nil {
		r.Stop()
		return ssh.Reading{}, err
	}
	mu.Lock()
	defer mu.Unlock()
	r.Open = open
	for _, s := range h.peer.Status()[1:] {
		if s.State == event.SourceSkipped {
			r.Refused = append(r.Refused, s)
		}
	}
	return r, nil
}
