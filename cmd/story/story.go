// Package story tells an attack in growing log files: quiet traffic of a small
// shop, and in it a guessed SSH password, a root shell, a forged request to the
// metadata address, the stolen role used from elsewhere, logging stopped and a
// bucket copied. The demo plays it in live time; tests play it at once.
//
// What is told depends on the seed alone; only the stamps follow the clock. Play
// blocks on the wait function it is given and on the files it appends to; the
// first write that fails ends it.
package story

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The files of the story, below the folder given to Play.
const (
	Envoy      = "local/envoy_access.log"
	CloudTrail = "local/cloudtrail.ndjson"
	S3         = "local/s3_access.log"
	Nginx      = "local/nginx_access.log"
	Auth       = "remote/auth.log"
	VPCFlow    = "remote/vpcflow.log"
)

// How long the story is: what lies in the files before it begins, and what is
// played.
const (
	History = 10 * time.Minute
	Length  = 75 * time.Second
)

// line is one record: when it is written after the beginning, where, and how it
// looks at that time.
type line struct {
	at   time.Duration
	file string
	text func(t time.Time) string
}

// Story is one telling. It is immutable: it can be played several times.
type Story struct{ lines []line }

// New returns the story of that seed.
func New(seed int64) *Story {
	w := &writer{Rand: rand.New(rand.NewPCG(uint64(seed), 0xba27))}
	w.quiet(-History, Length)
	w.attack()
	slices.SortStableFunc(w.lines, func(a, b line) int { return int(a.at - b.at) })
	return &Story{w.lines}
}

// Files returns the names of the files that are read here and of those that an
// agent reads, relative to the folder given to Play.
func (s *Story) Files() (local, remote []string) {
	return []string{Envoy, CloudTrail, S3, Nginx}, []string{Auth, VPCFlow}
}

// Expected returns the ids of the built-in rules that rise, in the order in which
// they do; no other rule may.
func (s *Story) Expected() []string {
	return []string{
		"4bd28e2b-e1a2-4bdc-a08f-20eba00f7201", // SSH password guessing against one account
		"bc5c0336-3a68-4bb2-9ebf-9a5fff7b9e8b", // a remote login port answers the internet
		"361f34f1-cb04-4aaa-a4ba-550bd24bc1ed", // the SSH password was guessed: failures, then a login
		"4dbd9169-25a1-4665-8fe5-7e4d052ae030", // the guessed account became root
		"d9b3361b-b479-4517-88bc-a0b25fd9ec0d", // a root shell was opened with sudo
		"bbfd44d4-5799-413c-97f3-e493597821a1", // a request names the metadata address
		"b5d010c6-9328-4261-ba21-98e636aebc9f", // credentials read from the metadata address
		"18605876-3a06-4e3a-8285-7161d234aefb", // an instance's role used elsewhere
		"f301bd87-9381-4907-8f77-5a935f709175", // one identity refused again and again
		"0956ab6e-d699-4bd9-9af4-8b7a5ad170ba", // the account's own record switched off
		"013de021-2b8e-45de-80a2-579dcc4235cb", // refused again and again, then let through
		"40c72572-05cc-44f4-a75a-09e704b34e78", // many objects read, by CloudTrail
		"3e273469-27d4-45fe-9ec7-ff7b3a6e3c43", // logging stopped, then objects read in bulk
		"4e112cfe-50a8-47e4-b1b1-5e4a08c37441", // many objects read, by the bucket's log
	}
}

// Play writes the story below dir. The files are made with the lines of the time
// before start at once; then each line is appended when wait returns for its
// time, which is start plus its place in the story divided by speed. The stamps
// in the lines are those times. It ends after the last line, with ctx, or with
// the first error of wait or of a file.
func (s *Story) Play(ctx context.Context, dir string, start time.Time, speed float64, wait func(ctx context.Context, until time.Time) error) (err error) {
	if speed <= 0 {
		return fmt.Errorf("the story cannot be played at speed %g; give a number above 0", speed)
	}
	files, err := s.open(dir)
	if err != nil {
		return err
	}
	defer func() {
		for _, f := range files {
			if e := f.Close(); err == nil {
				err = e
			}
		}
	}()
	for _, l := range s.lines {
		t := start.Add(time.Duration(float64(l.at) / speed))
		if l.at >= 0 {
			if err := wait(ctx, t); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := files[l.file].WriteString(l.text(t.UTC()) + "\n"); err != nil {
			return fmt.Errorf("the story cannot go on: %w", err)
		}
	}
	return nil
}

// open makes all files, empty.
func (s *Story) open(dir string) (map[string]*os.File, error) {
	local, remote := s.Files()
	files := map[string]*os.File{}
	for _, name := range append(local, remote...) {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			files[name], err = os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
		}
		if err != nil {
			for _, f := range files {
				if f != nil {
					_ = f.Close() // the error that matters is the one returned
				}
			}
			return nil, fmt.Errorf("the story cannot begin: %w", err)
		}
	}
	return files, nil
}
