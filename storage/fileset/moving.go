package fileset

import (
	"slices"

	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/storage"
)

// SplitRange implements storage.BoundedSource: of the file's part where its format tells, else of its files.
func (s *Source) SplitRange(split storage.Split, column int) storage.Range {
	switch p := split.(type) {
	case *part:
		if src, ok := p.source.(storage.BoundedSource); ok && p.set.Files[p.file].Schema.constantOf(column) == nil {
			return src.SplitRange(p.Split, column)
		}
		return p.set.rangeOf(p.file, column)
	case *pack:
		out := p.set.rangeOf(p.files[0], column)
		for _, f := range p.files[1:] {
			out = union(out, p.set.rangeOf(f, column))
		}
		return out
	case *cluster:
		if !slices.Contains(p.set.Merge.Keys, column) { // merging may leave the files' bounds
			return storage.Range{Nulls: -1, Rows: p.rows, HasNaN: true}
		}
		out := p.set.rangeOf(p.files[0], column)
		for _, f := range p.files[1:] {
			out = union(out, p.set.rangeOf(f, column))
		}
		return out
	}
	panic(invariant.Failed("split %T of a set of files", split))
}

// union is what is known of the rows of both.
func union(a, b storage.Range) storage.Range {
	out := storage.Range{Nulls: -1, Rows: a.Rows + b.Rows, HasNaN: a.HasNaN || b.HasNaN}
	if a.Rows < 0 || b.Rows < 0 {
		out.Rows = 0 // unknown: nothing is concluded from it
	}
	if a.Nulls >= 0 && b.Nulls >= 0 {
		out.Nulls = a.Nulls + b.Nulls
	}
	a, b = withoutValues(a, b)
	if a.Min == nil || a.Max == nil || b.Min == nil || b.Max == nil {
		return out
	}
	out.Min, out.Max = a.Min, a.Max
	if b.Min.Compare(*out.Min) < 0 {
		out.Min = b.Min
	}
	if b.Max.Compare(*out.Max) > 0 {
		out.Max = b.Max
	}
	return out
}

// withoutValues gives a part with nothing but NULLs the bounds of the other.
func withoutValues(a, b storage.Range) (storage.Range, storage.Range) {
	empty := func(r storage.Range) bool { return r.Nulls >= 0 && r.Nulls == r.Rows }
	switch {
	case empty(a):
		a.Min, a.Max = b.Min, b.Max
	case empty(b):
		b.Min, b.Max = a.Min, a.Max
	}
	return a, b
}

// moving leaves out of a request's Moving what looks at what is not in files of schema.
func (s *set) moving(schema *Schema, of func() []storage.Predicate) func() []storage.Predicate {
	if of == nil {
		return nil
	}
	return func() []storage.Predicate {
		var out []storage.Predicate
		for _, p := range of() {
			if !s.touches(schema, &p) {
				out = append(out, p)
			}
		}
		return out
	}
}
