package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// ErrDisk is what every failure to write the board answers to.
var ErrDisk = errors.New("the board could not be written")

// trouble is one sentence that still answers errors.Is for ErrDisk and its cause.
type trouble struct {
	text  string
	cause error
}

func (t *trouble) Error() string   { return t.text }
func (t *trouble) Unwrap() []error { return []error{ErrDisk, t.cause} }

// plain turns what SQLite says into one sentence: what, where, what to do.
func plain(path, doing string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return &trouble{fmt.Sprintf("cannot %s in %s: %v", doing, path, err), err}
	}
	say := err.Error()
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL:
		say = "no room is left: free some, then try again; nothing was written"
	case lib.SQLITE_READONLY:
		say = "the file or its disk can only be read: make it writable, then try again; nothing was written"
	case lib.SQLITE_IOERR:
		say = fmt.Sprintf("the disk failed (%v): nothing was written; look at the system's log", err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		say = "another program holds the file: close it, then try again; nothing was written"
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		say = fmt.Sprintf("the file is damaged (%v): restore it from a backup with `bartizan state restore`", err)
	case lib.SQLITE_CANTOPEN, lib.SQLITE_PERM, lib.SQLITE_AUTH:
		say = "the file cannot be opened: look at its permissions and those of its directory"
	}
	return &trouble{fmt.Sprintf("cannot %s in %s: %s", doing, path, say), err}
}

// rollback ends a transaction that failed with err; when even that fails the
// connection gives up the transaction when it is next used.
func rollback(c *sql.Conn, err error) error {
	_, _ = c.ExecContext(context.Background(), "ROLLBACK") // SQLite may have rolled back itself
	return err
}
