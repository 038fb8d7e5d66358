package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"bartizan/config"
	"bartizan/event"
)

func newConfig(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "config", Short: "check the config file, or show it as understood",
		Example: "  bartizan config check -c bartizan.toml\n  bartizan config check --agent agent.toml",
	}
	var agentFile string
	check := &cobra.Command{
		Use: "check", Short: "complain with line numbers; exit 2 when something is wrong", Args: cobra.NoArgs,
		Example: "  bartizan config check -c bartizan.toml",
		RunE: func(*cobra.Command, []string) error {
			if agentFile != "" {
				if _, err := config.LoadAgent(agentFile); err != nil {
					return exitError{exitUsage, err}
				}
				_, err := fmt.Fprintf(a.out, "%s is fine\n", agentFile)
				return err
			}
			conf, err := a.config()
			if err == nil {
				err = checkNames(conf)
			}
			if err != nil {
				return err
			}
			name := conf.File
			if name == "" {
				name = "the built-in config (no file was found)"
			}
			_, err = fmt.Fprintf(a.out, "%s is fine: %d sources, %d agents, %d quick rules\n", name, len(conf.Source), len(conf.Agent), len(conf.Quick))
			return err
		},
	}
	check.Flags().StringVar(&agentFile, "agent", "", "check this agent.toml `FILE` instead")
	show := &cobra.Command{
		Use: "show", Short: "the file as understood, defaults filled in, as JSON", Args: cobra.NoArgs, Example: "  bartizan config show",
		RunE: func(*cobra.Command, []string) error {
			conf, err := a.config()
			if err != nil {
				return err
			}
			hide(&conf.Notify.Secret)
			for i := range conf.Source {
				hide(&conf.Source[i].Token)
				hide(&conf.Source[i].Secret)
			}
			conf.Notify.Webhook = config.PublicAddress(conf.Notify.Webhook)
			shown, err := conf.Tree()
			if err != nil {
				return err
			}
			return a.printJSON(hideSecrets(newMasker(), "", shown))
		},
	}
	c.AddCommand(check, show)
	for _, sub := range c.Commands() {
		sub.Flags().StringVarP(&a.configFile, "config", "c", "", "config `FILE`")
	}
	return c
}

// hideSecrets masks what looks like a secret anywhere in a config as it is shown:
// a command may have one among its arguments.
func hideSecrets(m *event.Masker, name string, v any) any {
	switch v := v.(type) {
	case string:
		return m.MaskField(name, v)
	case map[string]any:
		for k := range v {
			v[k] = hideSecrets(m, k, v[k])
		}
	case []map[string]any:
		for i := range v {
			hideSecrets(m, name, v[i])
		}
	case []any:
		of := name
		for i := range v {
			v[i] = hideSecrets(m, of, v[i])
			of = name
			if flag, ok := v[i].(string); ok && strings.HasPrefix(flag, "-") {
				of = strings.TrimLeft(flag, "-") // the argument behind it is its value
			}
		}
	}
	return v
}

// hide replaces a secret that is there.
func hide(secret *string) {
	if *secret != "" {
		*secret = "(hidden)"
	}
}
