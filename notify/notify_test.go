package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/triage"
)

func alert(id string, s detect.Severity) *triage.Alert {
	return &triage.Alert{
		ID: triage.AlertID(id), Title: "Brute force", Severity: s, RuleID: "r1",
		Group: []event.Entity{{Kind: event.EntityIP, Value: "203.0.113.9"}},
	}
}

func same(s string) string { return s }

// TestWebhookRetriesAndSigns fails the first two posts and expects the third to
// carry the signed message with the command that opens the alert.
func TestWebhookRetriesAndSigns(t *testing.T) {
	got := make(chan []byte, 1)
	tries := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tries++
		body, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte("s3"))
		mac.Write(body)
		if r.Header.Get("X-Bartizan-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			t.Error("the signature does not fit the body")
		}
		if tries < 3 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		got <- body
	}))
	defer srv.Close()
	w, err := NewWebhook(srv.URL, "s3", detect.High, func(err error) { t.Log(err) })
	if err != nil {
		t.Fatal(err)
	}
	w.pause = func(context.Context, time.Duration) error { return nil }
	w.Tell(alert("low-1", detect.Low), same)
	w.Tell(alert("abc-1", detect.Critical), same)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.Run(ctx); close(done) }()
	var m Message
	if err := json.Unmarshal(<-got, &m); err != nil {
		t.Fatal(err)
	}
	w.Tell(alert("end-1", detect.Critical), same) // taken only after the first was delivered
	<-got
	cancel()
	<-done
	if m.ID != "abc-1" || !strings.Contains(m.Text, "bartizan open abc-1") || m.Entities[0] != "ip 203.0.113.9" {
		t.Errorf("message = %+v", m)
	}
}

// TestWebhookGivesUpVisibly expects a refused message to be logged and mentioned
// in the next one.
func TestWebhookGivesUpVisibly(t *testing.T) {
	fail := true
	var last Message
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fail {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_ = json.NewDecoder(r.Body).Decode(&last)
	}))
	defer srv.Close()
	var logged []error
	w, _ := NewWebhook(srv.URL, "", detect.Low, func(err error) { logged = append(logged, err) })
	w.pause = func(context.Context, time.Duration) error { return nil }
	w.deliver(t.Context(), NewMessage(alert("a-1", detect.High), same))
	if len(logged) != 1 || w.Dropped() != 1 {
		t.Fatalf("logged %v, dropped %d", logged, w.Dropped())
	}
	fail = false
	w.deliver(t.Context(), NewMessage(alert("b-1", detect.High), same))
	if last.ID != "b-1" || last.More != 1 || w.Dropped() != 0 {
		t.Errorf("message = %+v, dropped %d", last, w.Dropped())
	}
}

// TestWebhookQueueIsBounded tells more alerts than the queue holds.
func TestWebhookQueueIsBounded(t *testing.T) {
	w, _ := NewWebhook("http://127.0.0.1:1/", "", detect.Low, func(error) {})
	for range queue + 7 {
		w.Tell(alert("a-1", detect.High), same)
	}
	if w.Dropped() != 7 {
		t.Errorf("dropped = %d, want 7", w.Dropped())
	}
}

func TestWebhookAddress(t *testing.T) {
	for _, bad := range []string{"", "ftp://x/", "nonsense", "http://"} {
		if _, err := NewWebhook(bad, "", detect.Low, nil); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestBell(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	b := NewBell(&out, detect.High, func() time.Time { return now })
	for _, step := range []struct {
		after time.Duration
		sev   detect.Severity
		rings int
	}{{0, detect.Low, 0}, {0, detect.High, 1}, {5 * time.Second, detect.Critical, 1}, {6 * time.Second, detect.Critical, 2}} {
		now = now.Add(step.after)
		b.Tell(alert("a-1", step.sev))
		if out.Len() != step.rings {
			t.Errorf("after %v %v: %d rings, want %d", step.after, step.sev, out.Len(), step.rings)
		}
	}
}
