package main

import (
	"bytes"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/detect/sigma"
	"bartizan/event"
	"bartizan/query"

	"github.com/spf13/cobra"
)

func rulesConvert(a *app) *cobra.Command {
	var title, level, source, author, description string
	var tags []string
	c := &cobra.Command{
		Use: "convert QUERY", Short: "write a filter as a Sigma rule", Args: cobra.ExactArgs(1),
		Long: `Convert writes a filter, as it stands in the filter bar, as a Sigma rule that matches
the same events, on standard output. What Sigma has no words for is refused by its
name and nothing is written: write the rule to a file only when exit is 0.`,
		Example: `  bartizan rules convert 'event.action: StopLogging and not user.name: ci' \
      --title 'The trail was stopped' --level high --logsource product=aws,service=cloudtrail
  bartizan rules convert 'sc-status >= 500' --title 'Server error' --logsource category=webserver > error.yml`,
		RunE: func(_ *cobra.Command, args []string) error {
			d := sigma.Document{Title: title, Author: author, Description: description, Tags: tags, Date: time.Now().UTC()}
			var ok bool
			if d.Level, ok = detect.ParseSeverity(strings.ToLower(level)); !ok {
				return usage("--level %s: use informational, low, medium, high or critical", level)
			}
			var err error
			if d.LogSource, err = readLogSource(source); err != nil {
				return err
			}
			if d.Cond, err = query.ParseWith(args[0], readList); err != nil {
				return exitError{exitUsage, err}
			}
			var doc bytes.Buffer
			if err := sigma.Write(&doc, d); err != nil {
				return err
			}
			_, err = a.out.Write(doc.Bytes())
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&title, "title", "", "`TEXT` that alerts show (needed)")
	f.StringVar(&level, "level", "medium", "`LEVEL`: informational, low, medium, high or critical")
	f.StringVar(&source, "logsource", "", "`PARTS` such as product=linux,service=sshd or category=webserver (needed)")
	f.StringVar(&author, "author", "", "`NAME` of who wrote it")
	f.StringVar(&description, "description", "", "`TEXT`: what it sees, and why that is not ordinary")
	f.StringSliceVar(&tags, "tag", nil, "`TAG` such as attack.t1110.001; repeatable")
	c.PreRunE = func(*cobra.Command, []string) error {
		if title == "" || source == "" {
			return usage("a rule needs --title and --logsource; see bartizan rules convert --help")
		}
		return nil
	}
	_ = c.RegisterFlagCompletionFunc("level", cobra.FixedCompletions(
		[]string{"informational", "low", "medium", "high", "critical"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("logsource", completeLogSources)
	return c
}

// readLogSource reads "product=aws,service=cloudtrail".
func readLogSource(text string) (s event.LogSource, err error) {
	for _, part := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		to := map[string]*string{"product": &s.Product, "category": &s.Category, "service": &s.Service}[name]
		if !ok || to == nil || value == "" {
			return s, usage("--logsource %q: write its parts as product=…,category=…,service=…", text)
		}
		if *to != "" {
			return s, usage("--logsource %q names %s twice", text, name)
		}
		*to = value
	}
	return s, nil
}

// completeLogSources offers the log sources that formats supply.
func completeLogSources(*cobra.Command, []string, string) (out []string, _ cobra.ShellCompDirective) {
	seen := map[string]bool{}
	for _, s := range supplies() {
		var parts []string
		for _, p := range [][2]string{{"product", s.LogSource.Product}, {"category", s.LogSource.Category}, {"service", s.LogSource.Service}} {
			if p[1] != "" {
				parts = append(parts, p[0]+"="+p[1])
			}
		}
		if text := strings.Join(parts, ","); text != "" && !seen[text] {
			seen[text] = true
			out = append(out, text+"\t"+s.Name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
