package triage

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"time"
)

// chained is an Entry as its hash sees it: every field but the hash, in this
// order for ever. A new field goes to the end, with omitempty, so that the
// bytes of older rows stay what they were.
type chained struct {
	ID      MoveID         `json:"seq"`
	At      time.Time      `json:"at"`
	By      Actor          `json:"by"`
	Do      Do             `json:"do"`
	On      []AlertVersion `json:"on"`
	From    []State        `json:"from"`
	To      State          `json:"to"`
	Verdict Verdict        `json:"verdict"`
	Until   time.Time      `json:"until,omitzero"`
	Undoes  MoveID         `json:"undoes,omitempty"`
	Note    string         `json:"note,omitempty"`
	Prev    string         `json:"prev"`
	Host    string         `json:"host,omitempty"`
}

// Canonical returns the row's bytes as they are hashed and stored: JSON with a
// fixed field order, UTC times, no HTML escapes, no line end, without the hash.
// The error says that a time is outside the years 0 to 9999.
func Canonical(e Entry) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(chained{e.ID, e.At.UTC(), e.By, e.Do, e.On, e.From, e.To, e.Verdict, utc(e.Until), e.Undoes, e.Note, e.Prev, e.Host}); err != nil {
		return nil, fmt.Errorf("journal row %d cannot be written: %w", e.ID, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// utc is t in UTC; the zero time stays the zero value, which JSON leaves out.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// Chain sets the entry's Prev and Hash: SHA-256 over the 32 bytes of prev and
// the canonical bytes. prev is "" for the first row.
func Chain(e Entry, prev string) (Entry, error) {
	e.Prev = prev
	h, err := hashOf(e)
	e.Hash = h
	return e, err
}

// hashOf computes what the entry's hash must be, given its Prev.
func hashOf(e Entry) (string, error) {
	row, err := Canonical(e)
	if err != nil {
		return "", err
	}
	var before [sha256.Size]byte
	if e.Prev != "" {
		if n, err := hex.Decode(before[:], []byte(e.Prev[:min(len(e.Prev), 2*sha256.Size)])); err != nil || n != len(before) || len(e.Prev) != 2*n {
			return "", fmt.Errorf("journal row %d: %q is not the hash of a row", e.ID, cut(e.Prev, 80))
		}
	}
	sum := sha256.Sum256(append(before[:], row...))
	return hex.EncodeToString(sum[:]), nil
}

// Head is a signed statement of where the journal stood: kept elsewhere, it is
// an anchor. Sig and PublicKey are standard base64 of ed25519 bytes.
type Head struct {
	Seq       MoveID    `json:"seq"`
	Hash      string    `json:"hash"`
	At        time.Time `json:"at"`
	PublicKey string    `json:"public_key"`
	Sig       string    `json:"sig"`
}

// message is what the signature is over.
func (h Head) message() []byte {
	return fmt.Appendf(nil, "bartizan journal head 1\n%d\n%s\n%s\n", h.Seq, h.Hash, h.At.UTC().Format(time.RFC3339Nano))
}

// SignHead signs that the journal ended with row seq and its hash at time at.
func SignHead(seq MoveID, hash string, at time.Time, key ed25519.PrivateKey) Head {
	h := Head{Seq: seq, Hash: hash, At: at.UTC()}
	h.PublicKey = base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	h.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, h.message()))
	return h
}

// Check says whether the head's signature fits its own public key.
func (h Head) Check() error {
	pub, err := base64.StdEncoding.DecodeString(h.PublicKey)
	if err != nil || len(pub) != ed25519.PublicKeySize {
		return fmt.Errorf("the anchor for row %d has no usable public key", h.Seq)
	}
	sig, err := base64.StdEncoding.DecodeString(h.Sig)
	if err != nil || !ed25519.Verify(pub, h.message(), sig) {
		return fmt.Errorf("the anchor for row %d has a signature that does not fit: the anchor was changed", h.Seq)
	}
	return nil
}

// Proof is what a verification could show.
type Proof struct {
	Rows    MoveID `json:"rows"`    // rows in the journal
	Hash    string `json:"hash"`    // of the last one
	Through MoveID `json:"through"` // last row an anchor vouches for; 0: none
	Anchors int    `json:"anchors"` // anchors that agreed
}

// Words says in one sentence what was proved, and what could not be.
func (p Proof) Words() string {
	switch {
	case p.Anchors == 0:
		return fmt.Sprintf("%d rows hang together, but without an anchor nobody can prove that the end was not cut or everything rewritten", p.Rows)
	case p.Through < p.Rows:
		return fmt.Sprintf("rows 1 to %d are proved by an anchor; the %d after it hang together but have no anchor yet", p.Through, p.Rows-p.Through)
	}
	return fmt.Sprintf("all %d rows are proved by an anchor", p.Rows)
}

// ChainError says which row is the first that cannot be as it was written.
type ChainError struct {
	Row    MoveID
	Reason string
}

func (e *ChainError) Error() string { return fmt.Sprintf("journal row %d: %s", e.Row, e.Reason) }

// VerifyChain walks the journal in order and finds the first row that was
// edited, deleted or moved. Against anchors it also finds a cut end and a
// rewritten chain; without any, Proof says that these cannot be ruled out. The
// error is a *ChainError, or what reading a row or an anchor's signature gave.
func VerifyChain(entries iter.Seq2[Entry, error], anchors ...Head) (Proof, error) {
	at, err := anchorsBySeq(anchors)
	if err != nil {
		return Proof{}, err
	}
	p := Proof{}
	for e, err := range entries {
		if err != nil {
			return p, err
		}
		if err := follows(e, p); err != nil {
			return p, err
		}
		p.Rows, p.Hash = e.ID, e.Hash
		if err := agree(&p, at[e.ID]); err != nil {
			return p, err
		}
	}
	for _, a := range anchors {
		if a.Seq > p.Rows {
			return p, &ChainError{p.Rows + 1, fmt.Sprintf("is missing: the journal was cut at its end; the anchor of %s knows %d rows", stamp(a.At), a.Seq)}
		}
	}
	return p, nil
}

func anchorsBySeq(anchors []Head) (map[MoveID][]Head, error) {
	at := map[MoveID][]Head{}
	for _, a := range anchors {
		if err := a.Check(); err != nil {
			return nil, err
		}
		at[a.Seq] = append(at[a.Seq], a)
	}
	return at, nil
}

// follows checks one row against the proof so far.
func follows(e Entry, p Proof) error {
	want := p.Rows + 1
	switch {
	case e.ID > want:
		return &ChainError{want, fmt.Sprintf("is missing: row %d comes next", e.ID)}
	case e.ID < want:
		return &ChainError{want, fmt.Sprintf("carries the number %d: rows were moved or doubled", e.ID)}
	}
	hash, err := hashOf(e)
	switch {
	case err != nil:
		return &ChainError{want, "was changed: " + err.Error()}
	case hash != e.Hash:
		return &ChainError{want, "was changed: its hash does not fit its content"}
	case e.Prev != p.Hash:
		return &ChainError{want, "does not follow the row before it: rows were moved, removed or rewritten"}
	}
	return nil
}

// agree checks the newest row against the anchors for it.
func agree(p *Proof, anchors []Head) error {
	for _, a := range anchors {
		if a.Hash != p.Hash {
			return &ChainError{p.Rows, fmt.Sprintf("is not the one the anchor of %s saw: the journal was rewritten at or before it", stamp(a.At))}
		}
		p.Through, p.Anchors = p.Rows, p.Anchors+1
	}
	return nil
}

// stamp is a time as sentences write it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
