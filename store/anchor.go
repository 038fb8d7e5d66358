package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bartizan/triage"
)

// loadKey reads the board's signing key or makes one, and lists its public half
// in the database.
func (db *DB) loadKey(ctx context.Context) error {
	path := filepath.Join(db.dir, keyFile)
	key, err := readKey(path)
	if errors.Is(err, os.ErrNotExist) {
		key, err = makeKey(path)
	}
	if err != nil {
		return err
	}
	db.key = key
	_, err = db.w.ExecContext(ctx, "INSERT OR IGNORE INTO keys (public_key, since) VALUES (?, ?)", db.PublicKey(), db.now().Unix())
	return plain(db.path, "keep the journal's key", err)
}

func readKey(path string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read the journal's key: run `chmod 600 %s`", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the journal's key cannot be read: %w", err)
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s is not a journal key: move it away, and a new one is made", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func makeKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("no journal key could be made: %w", err)
	}
	text := base64.StdEncoding.EncodeToString(key.Seed()) + "\n"
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the journal's key cannot be written: %w", err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("the journal's key cannot be written to %s: %w", path, err)
	}
	return key, nil
}

// PublicKey is the board's verifying key in base64; "" on a board opened for
// reading only by somebody who may not read the key.
func (db *DB) PublicKey() string {
	if db.key == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(db.key.Public().(ed25519.PublicKey))
}

// SignHead signs where the journal on disk ends now. A board opened for reading
// only signs too, where the caller may read the key.
func (db *DB) SignHead(at time.Time) (triage.Head, error) {
	key := db.key
	if key == nil {
		var err error
		if key, err = readKey(filepath.Join(db.dir, keyFile)); err != nil {
			return triage.Head{}, fmt.Errorf("the head cannot be signed: %w", err)
		}
	}
	seq, hash, err := db.Head()
	if err != nil {
		return triage.Head{}, err
	}
	return triage.SignHead(seq, hash, at, key), nil
}

// Anchor signs the head and appends it to the file place as one line of JSON,
// synced: it should lie on other media. The newest anchor of each place is
// remembered for Info.
func (db *DB) Anchor(place string, at time.Time) (triage.Head, error) {
	h, err := db.SignHead(at)
	if err != nil {
		return h, err
	}
	line, err := json.Marshal(h)
	if err != nil {
		return h, fmt.Errorf("the anchor cannot be written: %w", err)
	}
	if err := appendLine(place, line); err != nil {
		return h, fmt.Errorf("the anchor cannot be written: %w", err)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.w == nil {
		return h, nil
	}
	_, err = db.w.ExecContext(context.Background(), "INSERT OR REPLACE INTO anchored (place, head) VALUES (?, ?)", place, line)
	return h, plain(db.path, "remember the anchor", err)
}

func appendLine(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR|noFollow, 0o644)
	if err != nil {
		return err
	}
	if !endsWithNewline(f) {
		line = append([]byte("\n"), line...)
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

// endsWithNewline also holds for an empty file and for what cannot seek.
func endsWithNewline(f *os.File) bool {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil || end == 0 {
		return true
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], end-1)
	return err != nil || last[0] == '\n'
}

// ReadAnchors reads a file of anchors, one JSON object per line (at most 4 KiB).
func ReadAnchors(path string) ([]triage.Head, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the anchors cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	var out []triage.Head
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<10)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var h triage.Head
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			return nil, fmt.Errorf("%s:%d: this is no anchor (%w): remove the line if a crash cut it", path, n, err)
		}
		out = append(out, h)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("the anchors in %s cannot be read: %w", path, err)
	}
	return out, nil
}
