package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"bartizan/event"
	"bartizan/triage"
)

func newHosts(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "hosts", Short: "mark hosts as compromised from a script, or as trusted again",
		Long: `Everything that comes from a host marked compromised carries the mark: its
alerts, records, answers and sources. A host is named as its sources name it:
web-1 of agent:web-1/auth and of ssh:root@web-1.`,
		Example: `  bartizan hosts mark web-1 --note "its sshd was replaced"
  bartizan hosts list -o json | jq -r .host`,
	}
	c.AddCommand(hostsMark(a), hostsTrust(a), hostsList(a))
	for _, sub := range c.Commands() {
		a.stateFlags(sub)
		a.outputFlag(sub)
	}
	return c
}

func hostsMark(a *app) *cobra.Command {
	return a.hostMove("mark", "call a host compromised: everything that comes from it carries the mark", `"its sshd was replaced"`)
}

func hostsTrust(a *app) *cobra.Command {
	return a.hostMove("trust", "take a host's mark away", `"installed anew"`)
}

func (a *app) hostMove(verb, short, why string) *cobra.Command {
	q := ask{Verb: verb}
	c := &cobra.Command{
		Use: verb + " HOST", Short: short, Args: cobra.ExactArgs(1),
		Example: "  bartizan hosts " + verb + " web-1 --note " + why,
		RunE: func(c *cobra.Command, args []string) error {
			q.Host = args[0]
			return a.each(c, q, a.hostLine)
		},
	}
	c.Flags().StringVar(&q.Note, "note", "", "why, in your words; needed")
	return c
}

func hostsList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "the hosts that are marked compromised", Args: cobra.NoArgs,
		Example: "  bartizan hosts list -o json",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.each(c, ask{Verb: "hosts"}, func(raw json.RawMessage) error {
				var m triage.Distrust
				if err := json.Unmarshal(raw, &m); err != nil {
					return err
				}
				_, err := fmt.Fprintln(a.out, printable(markLine(m)))
				return err
			})
		},
	}
}

// markLine is a mark for people.
func markLine(m triage.Distrust) string {
	return fmt.Sprintf("%s: marked compromised since %s by %s: %s", m.Host, m.Since.UTC().Format(time.RFC3339), m.By, m.Reason)
}

// hostMade is the answer to a move about a host.
type hostMade struct {
	Move        triage.MoveID    `json:"move"`
	Host        string           `json:"host"`
	Compromised *triage.Distrust `json:"compromised"` // null: it is trusted again
}

func (a *app) hostLine(raw json.RawMessage) error {
	var m hostMade
	if err := json.Unmarshal(raw, &m); err != nil {
		return err
	}
	words := m.Host + ": trusted again"
	if m.Compromised != nil {
		words = markLine(*m.Compromised)
	}
	_, err := fmt.Fprintf(a.out, "move %d: %s\n", m.Move, printable(words))
	return err
}

func answerHosts(d desk, reply func(any) error) error {
	for _, m := range d.Distrusted() {
		if err := reply(m); err != nil {
			return err
		}
	}
	return nil
}

// answerHost makes a move about a host. A source stands for its host: a mark under
// the source's name would be on nothing.
func answerHost(d desk, by triage.Actor, q ask, reply func(any) error) error {
	do := triage.DoDistrust
	if q.Verb == "trust" {
		do = triage.DoTrust
	}
	host := cmp.Or(triage.HostOf(event.SourceID(q.Host)), q.Host)
	id, err := d.Apply(triage.Move{Do: do, By: by, At: nowUTC(), Host: host, Note: q.Note})
	if err != nil {
		return err
	}
	out := hostMade{Move: id, Host: host}
	for _, m := range d.Distrusted() {
		if m.Host == host {
			out.Compromised = &m
		}
	}
	return reply(out)
}
