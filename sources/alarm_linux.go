package sources

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm is a timer that is finer than Go's own, which are only as fine as the
// milliseconds of epoll(7) while nothing else happens: timerfd_create(2). It belongs
// to one goroutine and must be closed. Where there is none the clock's own is used.
type alarm struct {
	c    chan time.Time
	fd   int
	file *os.File // nil: there is none
}

func newAlarm() *alarm {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return &alarm{}
	}
	a := &alarm{c: make(chan time.Time, 1), fd: fd, file: os.NewFile(uintptr(fd), "timerfd")}
	go a.run()
	return a
}

func (a *alarm) run() {
	var rung [8]byte
	for {
		if _, err := a.file.Read(rung[:]); err != nil {
			return // closed
		}
		select {
		case a.c <- time.Time{}:
		default:
		}
	}
}

// after receives once d has passed; the call before counts no more.
func (a *alarm) after(d time.Duration) <-chan time.Time {
	if a.file == nil || unix.TimerfdSettime(a.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil) != nil {
		return time.After(d)
	}
	return a.c
}

func (a *alarm) close() {
	if a.file != nil {
		_ = a.file.Close() // only a timer
	}
}
