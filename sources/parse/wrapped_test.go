package parse

import (
	"encoding/json"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// TestWrappersCarryEveryFormat puts every format's example into each wrapper of a
// container runtime: its format is found as without one, with the same level and log
// source.
func TestWrappersCarryEveryFormat(t *testing.T) {
	skip := map[string]bool{
		"docker": true, "cri": true, "kubectl": true, "cloudwatch": true, // wrappers themselves
		"zeek": true, "w3c": true, "csv": true, // the line of the columns
	}
	one := func(line string) (out *event.Event) {
		parseLines(t, sources.Info{}, [][]byte{[]byte(line)}, func(_ int, e *event.Event) { out = e.Clone() })
		return out
	}
	for _, f := range testRegistry().Formats() {
		if skip[f.Name] {
			continue
		}
		bare := one(f.Example)
		log, err := json.Marshal(f.Example + "\n")
		if err != nil {
			t.Fatal(err)
		}
		for wrapper, line := range map[string]string{
			"docker":  `{"log":` + string(log) + `,"stream":"stdout","time":"2026-11-03T09:14:02.5Z"}`,
			"cri":     "2026-11-03T09:14:02.500000000Z stdout F " + f.Example,
			"kubectl": "[pod/web-0/main] 2026-11-03T09:14:02.500000000Z " + f.Example,
		} {
			e := one(line)
			name := e.FormatName
			if f.Name == "raw" && name == wrapper || f.Name == "text" && name == wrapper {
				continue // words without a format are the wrapper's
			}
			if name != bare.FormatName || e.LogSource != bare.LogSource || e.Level != bare.Level {
				t.Errorf("%s in %s is %s %+v %v, without it %s %+v %v", f.Name, wrapper, name, e.LogSource, e.Level, bare.FormatName, bare.LogSource, bare.Level)
			}
		}
	}
}
