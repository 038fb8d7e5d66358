package main

import (
	"errors"
	"io/fs"

	"bartizan/store"
	"bartizan/triage"
)

// distrusts are the marks on compromised hosts, by the host's name.
type distrusts map[string]triage.Distrust

func (d distrusts) of(host string) *triage.Distrust {
	if m, ok := d[host]; ok {
		return &m
	}
	return nil
}

// distrusted reads which hosts are marked compromised on the person's board; where
// there is no board nobody has marked any.
func (a *app) distrusted() (distrusts, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	dir, err := stateDir(a.state, c.Board.State, nil)
	if err != nil {
		return nil, err
	}
	db, err := store.OpenReadOnly(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }() // it was only read
	board, _, err := db.Load()
	if err != nil {
		return nil, err
	}
	out := distrusts{}
	for _, m := range board.Distrusted() {
		out[m.Host] = m
	}
	return out, nil
}
