package falco

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bartizan/detect"
	"bartizan/event"
)

func alert(format, message string, pairs ...string) *event.Event {
	e := &event.Event{FormatName: format, Message: message, Raw: []byte(message)}
	for i := 0; i < len(pairs); i += 2 {
		e.Fields = append(e.Fields, event.Field{Name: pairs[i], Value: event.Value{Str: pairs[i+1], Pos: int32(i), End: int32(i + 1)}})
	}
	e.Native = len(e.Fields)
	return e
}

func TestIntake(t *testing.T) {
	e := alert("falco", "", "rule", "Shell in pod", "priority", "Critical", "output", "12:00:00.000000000: Critical x",
		"tags", "mitre_lateral_movement", "tags", "T1021.004", "tags", "k8s")
	r, why, ok := Intake(e)
	if !ok || r.ID != "falco:Shell in pod" || r.Kind != detect.KindFalco || r.Severity != detect.Critical || r.Cond != nil {
		t.Fatalf("taken in as %+v, %v", r, ok)
	}
	if !slices.Equal(r.Tags, []string{"attack.lateral-movement", "attack.t1021.004", "k8s"}) {
		t.Errorf("tags %v", r.Tags)
	}
	if len(why) != 2 || why[0].Field != "rule" || why[0].Value != "Shell in pod" || why[0].Pos != 0 || why[1].Field != "priority" {
		t.Errorf("why %+v", why)
	}
	again, _, _ := Intake(e)
	if again != r {
		t.Error("the same alert makes another rule")
	}
	e.Fields[1].Value.Str = "Notice"
	if other, _, _ := Intake(e); other == r || other.Severity != detect.Low || other.ID != r.ID {
		t.Error("another priority does not make a rule of its own severity")
	}
}

func TestIntakeText(t *testing.T) {
	for message, want := range map[string]string{
		"A shell was spawned (user=root shell=bash)":         "falco:A shell was spawned",
		"Sensitive file opened user=root file=/etc/shadow":   "falco:Sensitive file opened",
		"09:15:40.698757000: Warning Odd operation (user=x)": "falco:Odd operation",
		"": "falco:unnamed", "(x)": "falco:(x)", "=x": "falco:=x",
		"No fields at all":       "falco:No fields at all",
		strings.Repeat("é", 200): "falco:" + strings.Repeat("é", 100),
		"Packet sniffing: tool started in container a (proc=tcpdump -i)": "falco:Packet sniffing: tool started in container a",
	} {
		r, why, ok := Intake(alert("falco-text", message, "priority", "Error"))
		if !ok || r.ID != want || r.Severity != detect.High || len(why) != 2 {
			t.Errorf("%q is %+v (%v), want %s", message, r, ok, want)
		}
	}
}

func TestNotFalco(t *testing.T) {
	for _, e := range []*event.Event{
		alert("json", "m", "rule", "x", "priority", "Critical"),
		alert("", "12:00:00.000000000: Critical x"),
	} {
		if r, _, ok := Intake(e); ok {
			t.Errorf("%+v became %+v", e, r)
		}
	}
}

func TestSeverity(t *testing.T) {
	for p, want := range map[string]detect.Severity{
		"Emergency": detect.Critical, "ALERT": detect.Critical, "critical": detect.Critical, "Error": detect.High, "Warning": detect.Medium,
		"Notice": detect.Low, "Informational": detect.Informational, "INFO": detect.Informational, "Debug": detect.Informational, "": detect.Medium, "?": detect.Medium,
	} {
		if got := Severity(p); got != want {
			t.Errorf("%q is %v, want %v", p, got, want)
		}
	}
}

// TestMemoryIsBounded: names from hostile alerts are forgotten, not collected.
func TestMemoryIsBounded(t *testing.T) {
	for i := range MaxRules + 100 {
		if _, _, ok := Intake(alert("falco", "", "rule", fmt.Sprint("n", i), "tags", strings.Repeat("x", 1000))); !ok {
			t.Fatal("refused")
		}
	}
	if n := len(known.rules); n > MaxRules {
		t.Errorf("%d rules remembered", n)
	}
}

func TestCorpusAlerts(t *testing.T) {
	dir := os.Getenv("BARTIZAN_CORPUS")
	if dir == "" {
		t.Skip("BARTIZAN_CORPUS is not set: there are no alerts of others to try")
	}
	b, err := os.ReadFile(filepath.Join(dir, "falco-alerts", "falco_json_output.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var a struct{ Rule, Priority, Output string }
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		r, _, ok := Intake(alert("falco", "", "rule", a.Rule, "priority", a.Priority, "output", a.Output))
		if !ok || a.Rule != "" && r.Title != a.Rule {
			t.Errorf("%q was not taken in: %+v", a.Rule, r)
		}
	}
}
