package http

import (
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// TestRefusalsAreTold: a sender with a wrong token is seen at the source.
func TestRefusalsAreTold(t *testing.T) {
	told := make(chan sources.Condition, 16)
	r := begin(t, Config{Token: "s3cret"}, func(l *listener) {
		l.Report(func(c sources.Condition) { told <- c })
	})
	for range 3 {
		if a := r.post(alert, "Authorization", "Bearer wrong"); a.code != 401 {
			t.Fatalf("answered %d", a.code)
		}
	}
	for end := time.After(patience); ; {
		select {
		case c := <-told:
			if c.State != event.SourceLive {
				t.Fatalf("%+v", c)
			}
			if strings.HasPrefix(c.Reason, "3 requests were refused") && strings.Contains(c.Reason, "401 Unauthorized to 127.0.0.1") {
				return
			}
		case <-end:
			t.Fatal("nobody was told")
		}
	}
}
