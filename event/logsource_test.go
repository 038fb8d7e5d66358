package event

import "testing"

func TestWider(t *testing.T) {
	for _, c := range []struct{ from, to LogSource }{
		{LogSource{Product: "windows", Category: "registry_set", Service: "sysmon"}, LogSource{Product: "windows", Category: "registry_event", Service: "sysmon"}},
		{LogSource{Product: "m365", Service: "exchange"}, LogSource{Product: "m365", Service: "audit"}},
		{LogSource{Product: "m365", Service: "audit"}, LogSource{}},
		{LogSource{Product: "linux", Category: "process_creation", Service: ServiceFalco}, LogSource{Product: "falco"}},
		{LogSource{Product: "linux", Service: "sshd"}, LogSource{}},
	} {
		got, ok := c.from.Wider()
		if ok != (c.to != LogSource{}) || ok && got != c.to {
			t.Errorf("%+v is within %+v, %t", c.from, got, ok)
		}
	}
}
