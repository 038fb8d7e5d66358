package main

import (
	"bufio"
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"bartizan/engine"
	"bartizan/event"
	"bartizan/sources/parse"
)

func newParse(a *app) *cobra.Command {
	var raw bool
	c := &cobra.Command{
		Use:   "parse PATH…",
		Short: "print events as NDJSON: format, time, level, native fields, ECS names",
		Example: `  bartizan parse /var/log/nginx/access.log | jq -r '.ecs["source.ip"]' | sort | uniq -c | sort -n
  bartizan parse --format cloudtrail --raw trail.json.gz`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, paths []string) error { return a.parse(c.Context(), paths, raw) },
	}
	c.Flags().BoolVar(&raw, "raw", false, "add the exact record")
	a.formatFlag(c)
	a.timeFlags(c)
	return c
}

func (a *app) parse(ctx context.Context, paths []string, raw bool) error {
	from, to, err := a.window(time.Now())
	if err != nil {
		return err
	}
	reg := parse.NewRegistry(parse.Options{})
	open, failed, err := a.openStatic(ctx, reg, paths)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(a.out, 64<<10)
	var buf []byte
	err = engine.Scan(ctx, open, engine.ScanOptions{
		Registry: reg, From: from, To: to, Now: time.Now, Failed: failed.add,
		Event: func(e *event.Event) error {
			buf = append(parse.AppendJSON(buf[:0], e, parse.JSONOptions{Raw: raw}), '\n')
			_, err := out.Write(buf)
			return err
		},
	})
	return errors.Join(err, out.Flush(), failed.err())
}
