package parquet

import (
	"slices"
	"sort"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/widen"
)

// maxPrunedDictionary is the largest dictionary that is searched before a scan.
const maxPrunedDictionary = 4096

// pageBounds is what is known of a column page by page, in the table's type.
type pageBounds struct {
	pages  []pageLocation
	ranges *pageRanges
	at     int // page of the interval being looked at
}

// prune narrows the rows of a split by the dictionaries, bloom filters and page indexes of the columns
// that the predicates use, as far as the reader reads these columns anyway.
func (r *reader) prune(s *Source, sp *split, prune []storage.Predicate, columns map[int]*readColumn) ([]rowRange, error) {
	if len(prune) == 0 {
		return []rowRange{{sp.lo, sp.hi}}, nil
	}
	ranges := r.prunePages(s, sp, prune, columns)
	if len(ranges) == 0 {
		return nil, nil
	}
	for i := range prune {
		matches, err := r.dictionaryMayMatch(&prune[i], columns)
		if err != nil || !matches {
			return nil, err
		}
	}
	filters := blooms{columns: columns, open: map[int]*bloomReader{}}
	for i := range prune {
		if !filters.mayMatch(&prune[i]) {
			return nil, nil
		}
	}
	return ranges, nil
}

// prunePages are the rows of the pages that may hold any.
func (r *reader) prunePages(s *Source, sp *split, prune []storage.Predicate, columns map[int]*readColumn) []rowRange {
	bounds := map[int]*pageBounds{}
	for _, o := range predicateColumns(nil, prune) {
		c := columns[o]
		if c == nil || c.column == nil {
			continue
		}
		ranges := c.column.pageRanges()
		if len(ranges.pages) < 2 {
			continue
		}
		if c.cast != nil {
			cast := &pageRanges{pages: slices.Clone(ranges.pages)}
			for i := range cast.pages {
				p := &cast.pages[i]
				p.Min, p.Max = widen.Bound(p.Min, c.cast.From, c.cast.To), widen.Bound(p.Max, c.cast.From, c.cast.To)
				if !lossless(c.cast.From, c.cast.To) {
					p.Nulls = -1
				}
			}
			ranges = cast
		}
		bounds[o] = &pageBounds{ranges: ranges, pages: c.column.pages}
	}
	rows := rowRange{sp.lo, sp.hi}
	if len(bounds) == 0 {
		return []rowRange{rows}
	}
	for i := range prune {
		rows = narrow(rows, &prune[i], bounds)
	}
	return matchingRows(rows, prune, bounds, s.lookup(sp.fileIndex, sp.group))
}

// narrow is what the order of pages leaves of rows for p.
func narrow(rows rowRange, p *storage.Predicate, bounds map[int]*pageBounds) rowRange {
	if p.Op == storage.OpAnd {
		for i := range p.Children {
			rows = narrow(rows, &p.Children[i], bounds)
		}
	}
	b := bounds[p.Column]
	if b == nil || p.Op == storage.OpAnd || p.Op == storage.OpOr {
		return rows
	}
	lo, hi := b.ranges.span(p)
	if lo == hi {
		return rowRange{rows.lo, rows.lo}
	}
	rows.lo = max(rows.lo, b.pages[lo].row)
	rows.hi = min(rows.hi, b.pages[hi-1].row+b.pages[hi-1].rows)
	return rows
}

// matchingRows walks the intervals of rows between page borders of any of the columns and keeps those that may hold rows.
func matchingRows(rows rowRange, prune []storage.Predicate, bounds map[int]*pageBounds, chunk func(int) storage.Range) []rowRange {
	if rows.lo >= rows.hi {
		return nil
	}
	borders := []int64{rows.lo}
	for _, b := range bounds {
		b.at = sort.Search(len(b.pages), func(i int) bool { return b.pages[i].row > rows.lo }) - 1
		for i := b.at + 1; i < len(b.pages) && b.pages[i].row < rows.hi; i++ {
			borders = append(borders, b.pages[i].row)
		}
	}
	if len(bounds) > 1 {
		slices.Sort(borders)
		borders = slices.Compact(borders)
	}
	var out []rowRange
	lookup := func(column int) storage.Range {
		if b := bounds[column]; b != nil {
			return b.ranges.pages[b.at]
		}
		return chunk(column)
	}
	for i, lo := range borders {
		hi := rows.hi
		if i+1 < len(borders) {
			hi = borders[i+1]
		}
		for _, b := range bounds {
			for b.at+1 < len(b.pages) && b.pages[b.at+1].row <= lo {
				b.at++
			}
		}
		keep := true
		for k := range prune {
			if !prune[k].MayMatch(lookup) {
				keep = false
				break
			}
		}
		switch n := len(out); {
		case !keep:
		case n > 0 && out[n-1].hi == lo:
			out[n-1].hi = hi
		default:
			out = append(out, rowRange{lo, hi})
		}
	}
	return out
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

// pointed reports whether p compares one column with points or prefixes, which a
// dictionary can refute where bounds cannot.
func pointed(p *storage.Predicate) bool {
	switch p.Op {
	case storage.OpEq, storage.OpIn, storage.OpPrefix:
		return true
	case storage.OpOr:
		for i := range p.Children {
			if !pointed(&p.Children[i]) {
				return false
			}
		}
		return len(predicateColumns(nil, p.Children)) == 1
	}
	return false
}

// dictionaryMayMatch reports whether any value of the dictionary satisfies p; true when
// that says nothing of the chunk.
func (r *reader) dictionaryMayMatch(p *storage.Predicate, columns map[int]*readColumn) (bool, error) {
	if !pointed(p) {
		return true, nil
	}
	c := columns[predicateColumns(nil, []storage.Predicate{*p})[0]]
	if c == nil || c.column == nil || !c.column.meta.onlyDictionary() || c.cast != nil && !lossless(c.cast.From, c.cast.To) {
		return true, nil
	}
	if err := c.column.ensureDict(); err != nil {
		return false, c.column.fail(err)
	}
	d := c.column.dict
	if d.Len == 0 || d.Len > maxPrunedDictionary {
		return true, nil
	}
	if c.cast != nil {
		codes := []int32{0}
		v, err := c.cast.Apply(&vector.Vector{Type: d.Type, Form: vector.Dictionary, Len: 1, Codes: codes, Dict: d})
		if err != nil {
			return true, nil // the scan will say it, if the value is in a row
		}
		d = v.Dict
	}
	if d.Type.Physical() == sqltype.PhysNone {
		return true, nil
	}
	for i := range d.Len {
		v := d.Value(i)
		if p.MayMatch(func(int) storage.Range { return storage.Range{Min: &v, Max: &v, Rows: 1} }) {
			return true, nil
		}
	}
	return false, nil
}

// onlyDictionary reports whether every data page of the chunk surely holds codes. The list
// of encodings cannot tell, only the counts by page type can.
func (c *chunkMeta) onlyDictionary() bool {
	pages := false
	for _, e := range c.encStats {
		if e.page != pageData && e.page != pageDataV2 || e.count <= 0 {
			continue
		}
		if e.encoding != encPlainDictionary && e.encoding != encRLEDictionary {
			return false
		}
		pages = true
	}
	return pages
}
