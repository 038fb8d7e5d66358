package store

import (
	"context"
	"database/sql"
	"fmt"
)

// SchemaVersion is the newest board this program can open. Each step of
// migrations leads from one version to the next.
const SchemaVersion = 1

// applicationID marks the file as ours ("Bzn1").
const applicationID = 0x427a6e31

var migrations = [SchemaVersion]string{`
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE keys (public_key TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (seq INTEGER PRIMARY KEY, body BLOB NOT NULL, hash TEXT NOT NULL);
CREATE TABLE journal_on (alert TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (alert, seq)) WITHOUT ROWID;
CREATE TABLE alerts (id TEXT PRIMARY KEY, body BLOB NOT NULL, sample BLOB NOT NULL);
CREATE TABLE hits (id BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX hits_at ON hits (at);
CREATE TABLE evidence (
  alert TEXT NOT NULL, nth INTEGER NOT NULL, place INTEGER NOT NULL,
  ref BLOB NOT NULL, line INTEGER NOT NULL, time TEXT NOT NULL, format TEXT NOT NULL,
  hit INTEGER NOT NULL, why BLOB NOT NULL, raw BLOB NOT NULL,
  PRIMARY KEY (alert, nth, place)
);
CREATE TABLE positions (source TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE anchored (place TEXT PRIMARY KEY, head BLOB NOT NULL) WITHOUT ROWID;
`}

// migrate brings the board to SchemaVersion, one transaction for all steps.
func migrate(ctx context.Context, c *sql.Conn, path string) error {
	have, err := version(ctx, c, path)
	if err != nil || have == SchemaVersion {
		return err
	}
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return plain(path, "prepare the board", err)
	}
	for v := have; v < SchemaVersion; v++ {
		if _, err := c.ExecContext(ctx, migrations[v]); err != nil {
			return plain(path, "prepare the board", rollback(c, err))
		}
	}
	end := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", applicationID, SchemaVersion)
	if _, err := c.ExecContext(ctx, end); err != nil {
		return plain(path, "prepare the board", rollback(c, err))
	}
	return nil
}

// version reads which schema the file has: 0 for an empty file. A file of
// another program and a newer board are refused.
func version(ctx context.Context, c querier, path string) (int, error) {
	var app, user, tables int
	for q, to := range map[string]*int{
		"PRAGMA application_id": &app, "PRAGMA user_version": &user,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		if err := c.QueryRowContext(ctx, q).Scan(to); err != nil {
			return 0, plain(path, "open the board", err)
		}
	}
	switch {
	case app != applicationID && tables > 0:
		return 0, fmt.Errorf("%s is a database of another program: name another state directory", path)
	case user > SchemaVersion:
		return 0, fmt.Errorf("%s was written by a newer bartizan (schema %d, this one knows %d): update this program", path, user, SchemaVersion)
	}
	return user, nil
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}
