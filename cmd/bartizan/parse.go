package main

import (
	"bufio"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bartizan/engine"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
)

func newParse(a *app) *cobra.Command {
	var raw, explain, more bool
	c := &cobra.Command{
		Use:   "parse PATH…",
		Short: "print events as NDJSON: format, time, level, native fields, ECS names",
		Long: `Parse reads files, folders, compressed files and standard input (-) to their end
and prints every record as it was understood; of hosts named by --ssh and --agent the
files as they are now. The format is found from the
records, or forced with --format, which is one of
` + formatNames(),
		Example: `  bartizan parse /var/log/nginx/access.log | jq -r '.ecs["source.ip"]' | sort | uniq -c | sort -n
  bartizan parse --format cloudtrail --raw trail.json.gz
  bartizan parse --enrich -c bartizan.toml trail.json | jq -r '.enriched["source.as.organization.name"]'
  bartizan parse --explain odd.log | head -1`,
		Args: a.somePaths,
		RunE: func(c *cobra.Command, paths []string) error {
			return a.parse(c.Context(), paths, parse.JSONOptions{Raw: raw, More: more}, explain)
		},
	}
	c.Flags().BoolVar(&raw, "raw", false, "add the exact record")
	c.Flags().BoolVar(&explain, "explain", false, "print how well each format fits each record, and why, and which file says what else is known, instead")
	c.Flags().BoolVar(&more, "enrich", false, "add what is known of addresses, users, hosts and agents beyond the record")
	c.Flags().StringVarP(&a.configFile, "config", "c", "", "config `FILE`, for formats, aliases and assets of your own")
	a.farFlags(c)
	a.formatFlag(c)
	a.timeFlags(c)
	return c
}

func (a *app) parse(ctx context.Context, paths []string, o parse.JSONOptions, explain bool) error {
	from, to, err := a.window(time.Now())
	if err != nil {
		return err
	}
	reg, err := a.registry()
	if err != nil {
		return err
	}
	open, failed, stop, err := a.openAll(ctx, reg, paths)
	if err != nil {
		return err
	}
	defer stop()
	out := bufio.NewWriterSize(a.out, 64<<10)
	var buf []byte
	scores := reg.Stream(sources.Info{})
	err = engine.Scan(ctx, open, engine.ScanOptions{
		Registry: reg, From: from, To: to, Now: time.Now, Failed: failed.add,
		Event: func(e *event.Event) error {
			failed.missing(e)
			if explain {
				return writeJSON(out, newExplained(e, scores))
			}
			buf = append(parse.AppendJSON(buf[:0], e, o), '\n')
			_, err := out.Write(buf)
			return err
		},
	})
	return errors.Join(err, out.Flush(), failed.err())
}

// explained is what parse --explain prints for one record, best format first.
type explained struct {
	Line   int64          `json:"line"`
	Source event.SourceID `json:"source"`
	Format string         `json:"format"` // what it was read as
	Why    string         `json:"why"`    // in a sentence or two
	Scores []formatScore  `json:"scores"` // of raw text and text also the near misses, with a score of 0

	Enriched []event.Fact `json:"enriched,omitempty"` // with what says it
}

type formatScore struct {
	Format string `json:"format"`
	Score  int    `json:"score"` // 0 to 100
	Why    string `json:"why"`
}

func newExplained(e *event.Event, s *parse.Stream) explained {
	found := s.Explain(e.Raw)
	x := explained{Line: e.Line, Source: e.Ref.Source, Format: e.FormatName, Why: parse.Summary(e, found), Scores: []formatScore{}}
	doubtful := e.FormatName == "raw" || e.FormatName == "text"
	for _, one := range found {
		if one.Score > 0 || doubtful && one.Near() {
			x.Scores = append(x.Scores, formatScore{one.Name, one.Score, one.Why})
		}
	}
	if e.More != nil {
		x.Enriched = e.More.About(e)
	}
	return x
}

// formatNames lists every format, wrapped for a help page.
func formatNames() string {
	var lines []string
	line := ""
	for _, f := range parse.NewRegistry(parse.Options{}).Formats() {
		if len(line)+len(f.Name) > 70 {
			lines, line = append(lines, line), ""
		}
		line += f.Name + " "
	}
	return strings.Join(append(lines, line), "\n")
}
