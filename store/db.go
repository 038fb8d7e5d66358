package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/triage"
)

// The files of a state directory.
const (
	boardFile = "board.db"
	keyFile   = "journal.key" // ed25519 seed in base64, 0600
	lockFile  = "engine.lock" // flocked by the engine; holds its pid
)

// ErrReadOnly says that a board opened with OpenReadOnly was asked to change.
var ErrReadOnly = errors.New("the board was opened for reading only")

// DB is the board's database in one state directory. It is safe for concurrent
// use: one connection writes, one transaction at a time; others read beside it.
type DB struct {
	dir, path string
	now       func() time.Time
	lock      *os.File // nil when read-only
	readers   *sql.DB
	writers   *sql.DB
	key       ed25519.PrivateKey
	known     bloom

	mu   sync.Mutex // one transaction at a time; guards what follows
	w    *sql.Conn
	head headAt
}

// headAt is where the journal on disk ends.
type headAt struct {
	seq  triage.MoveID
	hash string
}

// Batch is what one transaction changes. Positions are sources' own words.
type Batch struct {
	Raised    []*triage.Alert // alerts that are new or changed
	Hits      []triage.HitID  // counted hits
	Evidence  []Pinned
	Positions map[event.SourceID]string
	Entries   []triage.Entry // journal rows in order, unhashed
}

// Open opens or makes the board in dir for the one engine that may own it. It
// refuses a directory another engine holds (naming its pid), one that everybody
// may write to, one on a network file system, and a board of a newer program.
func Open(dir string, now func() time.Time) (*DB, error) {
	dir, err := prepareDir(dir)
	if err != nil {
		return nil, err
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	db := &DB{dir: dir, path: filepath.Join(dir, boardFile), now: now, lock: lock}
	if err := db.open(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// open makes the connections of a board that may be written.
func (db *DB) open() (err error) {
	ctx := context.Background()
	if err := touch(db.dir, db.path); err != nil {
		return err
	}
	if db.writers, err = connect(db.path, "mode=rw"); err != nil {
		return err
	}
	if db.w, err = db.writers.Conn(ctx); err != nil {
		return plain(db.path, "open the board", err)
	}
	if err := migrate(ctx, db.w, db.path); err != nil {
		return err
	}
	if db.readers, err = connect(db.path, "mode=ro"); err != nil {
		return err
	}
	if err := db.loadKey(ctx); err != nil {
		return err
	}
	if db.head, err = readHead(ctx, db.w, db.path); err != nil {
		return err
	}
	return db.loadHits(ctx)
}

// OpenReadOnly opens an existing board for looking at, also while an engine
// owns it. It takes no lock and writes nothing.
func OpenReadOnly(dir string) (*DB, error) {
	path := filepath.Join(dir, boardFile)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("there is no board in %s: %w; name its state directory with --state", dir, err)
	}
	db := &DB{dir: dir, path: path, now: time.Now}
	ctx := context.Background()
	var err error
	if db.readers, err = connect(path, "mode=ro"); err != nil {
		return nil, err
	}
	have, err := version(ctx, db.readers, path)
	if err == nil && have == 0 {
		err = fmt.Errorf("%s is empty: no engine has used it yet", path)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// connect opens a pool on the file with the pragmas every connection needs.
func connect(path, mode string) (*sql.DB, error) {
	q := url.Values{"_pragma": {"busy_timeout(5000)", "cache_size(-4000)", "trusted_schema(0)", "temp_store(2)"}}
	pool := 4
	if mode == "mode=rw" {
		q["_pragma"] = append(q["_pragma"], "journal_mode(WAL)", "synchronous(FULL)")
		pool = 1
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path}
	db, err := sql.Open("sqlite", u.String()+"?"+mode+"&"+q.Encode())
	if err != nil {
		return nil, plain(path, "open the board", err)
	}
	db.SetMaxOpenConns(pool)
	return db, nil
}

// Close closes the board and gives up the lock. It may be called once.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	var errs []error
	if db.readers != nil {
		errs = append(errs, db.readers.Close())
	}
	if db.w != nil {
		errs = append(errs, db.w.Close())
		db.w = nil
	}
	if db.writers != nil {
		errs = append(errs, db.writers.Close())
	}
	if db.lock != nil {
		errs = append(errs, dropLock(db.lock))
		db.lock = nil
	}
	return errors.Join(errs...)
}

// Dir is the state directory.
func (db *DB) Dir() string { return db.dir }

// Head is the number and hash of the newest journal row on disk.
func (db *DB) Head() (seq triage.MoveID, hash string, err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.lock == nil { // another process writes: ask each time
		db.head, err = readHead(context.Background(), db.readers, db.path)
	}
	return db.head.seq, db.head.hash, err
}

func readHead(ctx context.Context, c querier, path string) (h headAt, err error) {
	err = c.QueryRowContext(ctx, "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").Scan(&h.seq, &h.hash)
	if errors.Is(err, sql.ErrNoRows) {
		return headAt{}, nil
	}
	return h, plain(path, "read the journal", err)
}
