package main

import (
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"bartizan/detect"
	"bartizan/event"
)

// watched is a record as watch --records prints it; the shape is a promise.
type watched struct {
	ID     string         `json:"id"` // the same whenever the same bytes are read again
	Source event.SourceID `json:"source"`
	Time   time.Time      `json:"time"`
	Line   int64          `json:"line"` // 0 where it is not known
	Lost   uint64         `json:"lost,omitempty"`
	Raw    string         `json:"raw"`
	RawB64 []byte         `json:"raw_b64,omitempty"`
}

// recordID names a record by where its bytes lie and what they are.
func recordID(r event.Ref, raw []byte) string {
	return detect.NewHitID("record", []event.Ref{r.Sealed(raw)}).String()
}

// recordPrinter writes records as NDJSON, a batch in one write.
func recordPrinter(out io.Writer) func([]event.Event) error {
	var buf []byte
	return func(list []event.Event) error {
		buf = buf[:0]
		for i := range list {
			e := &list[i]
			w := watched{ID: recordID(e.Ref, e.Raw), Source: e.Ref.Source, Time: e.Time.UTC(), Line: e.Line, Lost: e.Lost, Raw: string(e.Raw)}
			if !utf8.Valid(e.Raw) {
				w.RawB64 = e.Raw
			}
			b, err := json.Marshal(&w)
			if err != nil {
				return err
			}
			buf = append(append(buf, event.SafeJSON(b)...), '\n')
		}
		_, err := out.Write(buf)
		return err
	}
}
