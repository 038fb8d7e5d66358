package sources

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/nxadm/tail"

	"bartizan/event"
)

// bareTailEnv makes this test binary follow the file it names with nothing but
// nxadm/tail, and print each line with the offset behind it: that package can end
// its process, so it gets one of its own.
const bareTailEnv = "BARTIZAN_BARE_TAIL"

// bareTail is that process.
func bareTail(path string) error {
	c := tail.Config{Follow: true, ReOpen: true, CompleteLines: true, Logger: tail.DiscardingLogger, Location: &tail.SeekInfo{}}
	switch from := os.Getenv(bareTailEnv + "_FROM"); from {
	case "":
	case "end":
		c.Location.Whence = io.SeekEnd
	default:
		off, err := strconv.ParseInt(from, 10, 64)
		if err != nil {
			return err
		}
		c.Location.Offset = off
	}
	t, err := tail.TailFile(path, c)
	if err != nil {
		return err
	}
	for l := range t.Lines {
		if l.Err != nil {
			continue
		}
		if _, err := fmt.Fprintf(os.Stdout, "%d %s\n", l.SeekInfo.Offset, l.Text); err != nil {
			return err
		}
	}
	return t.Wait()
}

// peer is a follower that is not ours: a process that prints the lines of a file.
type peer struct {
	path string
	args func(from Position) (*exec.Cmd, error)
	tell func(line []byte) ([]byte, Position) // takes an output line apart
}

// bareNxadm is nxadm/tail as it comes, beginning again at the offset it reports.
func bareNxadm(path string, start Start) Source {
	return &peer{path, func(from Position) (*exec.Cmd, error) {
		c := exec.Command(os.Args[0])
		if from == "" && start == StartEnd {
			from = "end"
		}
		c.Env = append(os.Environ(), bareTailEnv+"="+path, bareTailEnv+"_FROM="+string(from))
		return c, nil
	}, func(line []byte) ([]byte, Position) {
		for i, b := range line {
			if b == ' ' {
				return line[i+1:], Position(line[:i])
			}
		}
		return line, ""
	}}
}

// tailF is `tail -F`. It has no position: begun again it reads everything again.
func tailF(path string, start Start) Source {
	return &peer{path, func(Position) (*exec.Cmd, error) {
		bin, err := exec.LookPath("tail")
		n := "+1"
		if start == StartEnd {
			n = "0"
		}
		return exec.Command(bin, "-n", n, "-F", path), err
	}, func(line []byte) ([]byte, Position) { return line, "" }}
}

// Run implements Source.
func (p *peer) Run(ctx context.Context, from Position, out chan<- Batch) error {
	c, err := p.args(from)
	if err != nil {
		return err
	}
	r, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return err
	}
	stopped := context.AfterFunc(ctx, func() { _ = c.Process.Kill() })
	defer stopped()
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			break // killed, or it ended by itself
		}
		raw, pos := p.tell(line[:len(line)-1])
		b := Batch{Records: []Record{{Raw: raw, Ref: event.Ref{}, Seen: time.Now()}}, Pos: pos, Done: func(error) {}}
		select {
		case out <- b:
		case <-ctx.Done():
		}
	}
	err = c.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(errors.New("it ended by itself"), err)
}
