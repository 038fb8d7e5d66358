package attach

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Peer is who is at the other end, told by the kernel. LoginUID and Session are
// -1 where the system does not keep them (no audit, not Linux).
type Peer struct {
	UID, PID, LoginUID, Session int
}

// Self is the Peer of this very process, for work without an engine.
func Self() Peer { return audited(Peer{UID: os.Getuid(), PID: os.Getpid()}) }

func audited(p Peer) Peer {
	p.LoginUID = procNumber(p.PID, "loginuid")
	p.Session = procNumber(p.PID, "sessionid")
	return p
}

// procNumber reads a number of /proc/PID, -1 where it is unset or not to be had.
func procNumber(pid int, name string) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		return -1
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil || n == 1<<32-1 {
		return -1
	}
	return int(n)
}
