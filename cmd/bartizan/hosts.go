package main

import (
	"fmt"
	"time"

	"bartizan/agent/certs"
	"bartizan/config"
	"bartizan/engine"
	"bartizan/sources/remote"
	"bartizan/sources/ssh"
)

// reachHosts adds what is read without dialling an agent: hosts through ssh, and
// agents that call here.
func (a *app) reachHosts(c *config.Config, opt *engine.Options) error {
	hosts, err := c.SSH(a.ssh, a.format)
	if err != nil {
		return exitError{exitUsage, err}
	}
	for _, conf := range hosts {
		conf.Version = version
		h, err := ssh.Open(conf)
		if err != nil {
			return exitError{exitUsage, err}
		}
		opt.Peers = append(opt.Peers, h)
	}
	if c.Listen.Address == "" {
		return nil
	}
	trust, err := certs.Open(certs.ConsoleFiles(c.Listen.Certs), time.Now)
	if err != nil {
		return fmt.Errorf("listening for agents: %w", err)
	}
	l, err := remote.Listen(remote.ListenConfig{
		Address: c.Listen.Address, TLS: trust.Server(), Peers: remote.Config{Version: version, Filter: c.Listen.Filter, Now: time.Now},
		Listening: func(at string) { opt.Log.Info("listening", "source", "agents", "address", at) },
	})
	if err != nil {
		return err
	}
	opt.Peers = append(opt.Peers, l)
	return nil
}
