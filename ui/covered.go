package ui

import (
	"context"
	"slices"
	"strings"
)

// covered is an exception with its secrets masked, for looking at; secret says
// that there are some among what is ticked.
func (f *exceptionForm) covered(x Exception) (out Exception, secret bool) {
	m := f.c.opt.Mask
	x.Where = slices.Clone(x.Where)
	for i := range x.Where {
		w := &x.Where[i]
		whole := w.Value == strings.Join(w.Values, ", ")
		w.Values = slices.Clone(w.Values)
		for k, v := range w.Values {
			w.Values[k] = m.MaskField(w.Field, v)
		}
		shown := m.MaskField(w.Field, w.Value)
		secret = secret || w.Picked && shown != w.Value
		if w.Value = shown; whole && len(w.Values) > 0 {
			w.Value = strings.Join(w.Values, ", ")
		}
	}
	return x, secret
}

// coveredText is the file that would be written, its secrets masked.
func coveredText(ctx context.Context, from Excepter, covered Exception) string {
	p, err := from.Preview(ctx, covered)
	if err != nil {
		return "(it holds a secret, and cannot be shown without)"
	}
	return p.Text
}
