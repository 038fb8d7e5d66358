package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"bartizan/agent/agentpb"
	"bartizan/attach"
	"bartizan/store"
)

// about is what version prints.
type about struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Schema   int    `json:"schema"`
	Agent    int    `json:"agent_protocol"`
	Console  int    `json:"console_protocol"`
}

func newVersion(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "version", Short: "version, commit, Go, schema and protocol versions", Args: cobra.NoArgs, Example: "  bartizan version -o json",
		RunE: func(*cobra.Command, []string) error {
			asJSON, err := a.json()
			if err != nil {
				return err
			}
			v := aboutThis()
			if asJSON {
				return a.printJSON(v)
			}
			_, err = fmt.Fprintf(a.out, "bartizan %s (%s) %s %s, schema %d, agent protocol %d, console protocol %d\n",
				v.Version, v.Commit, v.Go, v.Platform, v.Schema, v.Agent, v.Console)
			return err
		},
	}
	a.outputFlag(c)
	return c
}

func aboutThis() about {
	v := about{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Schema: store.SchemaVersion, Agent: agentpb.Protocol, Console: attach.Version}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				v.Commit = s.Value
			}
		}
	}
	return v
}
