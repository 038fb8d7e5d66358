package sources

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCommandGroupIsEnded starts a child that ignores its parent's end.
func TestCommandGroupIsEnded(t *testing.T) {
	s := begin(t, Command("x", []string{"sh", "-c", "sh -c 'trap \"\" TERM HUP; echo $$; while :; do sleep 0.05; done' & wait"}).Source, "")
	s.until("the child's number", func() bool { return len(s.lines) == 1 })
	var pid int
	if _, err := fmt.Sscan(s.lines[0], &pid); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	s.stop()
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(deadline.Milliseconds())); n != 1 {
		t.Fatalf("process %d is still there (%v)", pid, err)
	}
}
