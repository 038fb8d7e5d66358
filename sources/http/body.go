package http

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	nethttp "net/http"
	"strings"

	"bartizan/sources"
)

// body reads a request's body, unpacked, within the bounds.
func (r *receiver) body(w nethttp.ResponseWriter, req *nethttp.Request, h *hold) ([]byte, error) {
	if req.ContentLength > r.cfg.MaxBody {
		return nil, tooLarge(r.cfg.MaxBody)
	}
	wire, err := h.read(nethttp.MaxBytesReader(w, req.Body, r.cfg.MaxBody), req.ContentLength, r.cfg.MaxBody)
	var over *nethttp.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge(r.cfg.MaxBody)
	case errors.Is(err, errFull):
		return nil, err
	case err != nil:
		return nil, refuse(nethttp.StatusRequestTimeout, "the body did not arrive")
	}
	if err := r.proven(req, wire); err != nil {
		return nil, err
	}
	h.trust()
	switch strings.ToLower(req.Header.Get("Content-Encoding")) {
	case "", "identity":
		return wire, nil
	case "gzip", "x-gzip":
		body, err := unpack(wire, r.cfg.MaxBody, h)
		h.less(int64(cap(wire)))
		return body, err
	}
	return nil, refuse(nethttp.StatusUnsupportedMediaType, "the body may be packed by gzip only")
}

func tooLarge(limit int64) error {
	return refuse(nethttp.StatusRequestEntityTooLarge, "the body is longer than %d bytes; send fewer records at once", limit)
}

// unpack takes gzip off, up to limit bytes and to a ratio that honest text stays
// below.
func unpack(wire []byte, limit int64, h *hold) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(wire))
	if err != nil {
		return nil, refuse(nethttp.StatusBadRequest, "the body is not gzip, though its header says so")
	}
	most := min(limit, int64(len(wire))*gzipRatio+gzipFree)
	size := int64(-1)
	if n := len(wire); n >= 8 { // RFC 1952, ISIZE: where there is one member, and it does not lie
		size = int64(binary.LittleEndian.Uint32(wire[n-4:]))
	}
	body, err := h.read(z, size, most)
	switch {
	case errors.Is(err, errFull):
		return nil, err
	case err != nil:
		return nil, refuse(nethttp.StatusBadRequest, "the body cannot be unpacked")
	case int64(len(body)) > most:
		return nil, refuse(nethttp.StatusRequestEntityTooLarge, "the unpacked body is longer than %d bytes; send fewer records at once", most)
	}
	return body, nil
}

// part is where one record stands in the body.
type part struct{ from, to int }

// split finds the records of a body: JSON objects one after the other, with or
// without line feeds between, or the elements of one array.
func split(body []byte) ([]part, error) {
	trimmed := bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	base := len(body) - len(trimmed)
	d := json.NewDecoder(bytes.NewReader(trimmed))
	array := false
	if t := bytes.TrimLeft(trimmed, " \t\r\n"); len(t) == 0 {
		return nil, refuse(nethttp.StatusBadRequest, "the body is empty; send JSON objects")
	} else if t[0] == '[' {
		array = true
		if _, err := d.Token(); err != nil {
			return nil, notJSON(0)
		}
	}
	var out []part
	for {
		if array && !d.More() {
			return out, closed(d, len(out))
		}
		var raw json.RawMessage
		err := d.Decode(&raw)
		if errors.Is(err, io.EOF) && !array {
			return out, nil
		}
		if err != nil || raw[0] != '{' {
			return nil, notJSON(len(out))
		}
		if len(raw) > sources.MaxRecord {
			return nil, refuse(nethttp.StatusRequestEntityTooLarge, "record %d is longer than %d bytes", len(out)+1, sources.MaxRecord)
		}
		if len(out) == MaxPerPost {
			return nil, refuse(nethttp.StatusRequestEntityTooLarge, "the body has more than %d records; send fewer at once", MaxPerPost)
		}
		end := base + int(d.InputOffset())
		out = append(out, part{end - len(raw), end})
	}
}

// closed checks that the array ends and nothing follows.
func closed(d *json.Decoder, n int) error {
	if _, err := d.Token(); err != nil {
		return notJSON(n)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return refuse(nethttp.StatusBadRequest, "something follows the array; send one array, or objects one after the other")
	}
	if n == 0 {
		return refuse(nethttp.StatusBadRequest, "the array is empty; send JSON objects")
	}
	return nil
}

func notJSON(n int) error {
	return refuse(nethttp.StatusBadRequest, "record %d is no JSON object; nothing of this request was taken", n+1)
}
