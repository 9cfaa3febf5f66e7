package orc

import (
	"slices"

	"github.com/basaltdb/basalt/storage"
)

// groupColumn is what is known of a predicate's column row group by row group.
type groupColumn struct {
	c         *column
	file      *fileColumn
	entries   []indexEntry
	blooms    []bloomFilter
	utf8      bool
	loaded    bool
	exactType bool
}

// pruner decides row groups of one stripe.
type pruner struct {
	s       *Source
	sp      *split
	columns map[int]*groupColumn
}

// prune narrows the rows of a split by the row index and the bloom filters of the columns
// that the predicates use, as far as the reader reads these columns anyway.
func (r *reader) prune(s *Source, sp *split, prune []storage.Predicate, columns map[int]*readColumn) []rowRange {
	all := []rowRange{{sp.lo, sp.hi}}
	stride := sp.file.tail.stride
	if len(prune) == 0 || stride == 0 {
		return all
	}
	p := pruner{s: s, sp: sp, columns: map[int]*groupColumn{}}
	useful := false
	for _, o := range predicateColumns(nil, prune) {
		c := columns[o]
		if c == nil || c.column == nil {
			continue
		}
		at := sp.mapping[o]
		g := &groupColumn{c: c.column, file: &sp.file.columns[at.column], exactType: !at.cast}
		if entries, err := c.column.rowIndex(g.file.id); err == nil {
			g.entries = entries
		}
		useful = useful || g.entries != nil
		p.columns[o] = g
	}
	if !useful {
		return all
	}
	var out []rowRange
	for lo := sp.lo / stride * stride; lo < sp.hi; lo += stride {
		group := int(lo / stride)
		hi := min(lo+stride, sp.hi)
		keep := true
		for i := range prune {
			if keep = p.mayMatch(&prune[i], group); !keep {
				break
			}
		}
		switch n := len(out); {
		case !keep:
			if r.count != nil {
				r.count.PagesSkipped.Add(1)
			}
		case n > 0 && out[n-1].hi == lo:
			out[n-1].hi = hi
		default:
			out = append(out, rowRange{max(lo, sp.lo), hi})
		}
	}
	return out
}

// mayMatch reports whether a row group can hold a row for p.
func (p *pruner) mayMatch(x *storage.Predicate, group int) bool {
	switch x.Op {
	case storage.OpAnd:
		for i := range x.Children {
			if !p.mayMatch(&x.Children[i], group) {
				return false
			}
		}
		return true
	case storage.OpOr:
		for i := range x.Children {
			if p.mayMatch(&x.Children[i], group) {
				return true
			}
		}
		return false
	}
	stripeRows, stride := p.sp.file.stripes[p.sp.stripe].rows, p.sp.file.tail.stride
	rows := min(stride, stripeRows-int64(group)*stride)
	lookup := p.s.lookup(p.sp.fileIndex, rows, func(uint32) []byte {
		g := p.columns[x.Column]
		if g == nil || group >= len(g.entries) {
			return nil
		}
		return g.entries[group].stats
	})
	if !x.MayMatch(lookup) {
		return false
	}
	if x.Op == storage.OpEq || x.Op == storage.OpIn {
		return p.mayContain(x, group)
	}
	return true
}

// mayContain asks the bloom filter of a row group for the values of x.
func (p *pruner) mayContain(x *storage.Predicate, group int) bool {
	g := p.columns[x.Column]
	if g == nil || !g.exactType && !g.file.Type.IsInteger() {
		return true
	}
	p.loadBlooms(g)
	if group >= len(g.blooms) {
		return true
	}
	f := p.sp.file
	encoding := g.c.footer.encodings[g.file.id].bloom
	for _, v := range x.Values {
		hashes := f.hashesOf(g.file, v, g.utf8, encoding)
		if hashes == nil {
			return true
		}
		for _, h := range hashes {
			if g.blooms[group].mayContain(h) {
				return true
			}
		}
	}
	return false
}

// loadBlooms reads a column's filters, once. Filters that cannot be read are not used.
func (p *pruner) loadBlooms(g *groupColumn) {
	if g.loaded {
		return
	}
	g.loaded = true
	if p.sp.file.badBlooms() {
		return
	}
	m := g.c.footer.find(g.file.id, streamBloomUTF8)
	g.utf8 = m != nil
	if m == nil {
		m = g.c.footer.find(g.file.id, streamBloom)
	}
	if m == nil || m.length == 0 {
		return
	}
	s := newStream(g.c.in, m, false)
	defer s.close()
	b, err := s.readAll(mostBloomBytes + indexRatio*m.length)
	if err != nil {
		return
	}
	if blooms, err := decodeBlooms(b); err == nil {
		g.blooms = blooms
	}
}

// predicateColumns appends the columns that predicates use, each once.
func predicateColumns(dst []int, list []storage.Predicate) []int {
	for i := range list {
		p := &list[i]
		if p.Op == storage.OpOr || p.Op == storage.OpAnd {
			dst = predicateColumns(dst, p.Children)
		} else if !slices.Contains(dst, p.Column) {
			dst = append(dst, p.Column)
		}
	}
	return dst
}
