package parquet

import (
	"sync"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

// dictCounts are the dictionary sizes of one row group, a column each; -1 where the chunk
// has no dictionary or not only codes.
type dictCounts struct {
	once   sync.Once
	counts []int64
	widths []float64 // average bytes of a dictionary's strings
}

// distinctInGroup reads the dictionary page headers of a file's largest row group, once:
// a small read a column, no page bodies.
func (f *File) distinctInGroup() ([]int64, int64) {
	group := 0
	for g := range f.meta.groups {
		if f.meta.groups[g].rows > f.meta.groups[group].rows {
			group = g
		}
	}
	f.dicts.once.Do(func() { f.dicts.counts, f.dicts.widths = f.countDictionaries(group) })
	if len(f.meta.groups) == 0 {
		return f.dicts.counts, 0
	}
	return f.dicts.counts, f.meta.groups[group].rows
}

func (f *File) countDictionaries(group int) (out []int64, widths []float64) {
	out, widths = make([]int64, len(f.leaves)), make([]float64, len(f.leaves))
	for i := range out {
		out[i] = -1
	}
	if len(f.meta.groups) == 0 {
		return out, widths
	}
	file := f.open()
	defer file.Close()
	for i := range f.leaves {
		l := &f.leaves[i]
		if !l.flat() || !f.meta.groups[group].chunks[l.index].onlyDictionary() {
			continue
		}
		c, err := newColumn(f, file, l, group, &memory{}, nil)
		if err != nil {
			continue
		}
		if h, _, err := c.win.header(c.start, headerAhead); err == nil && h.typ == pageDict {
			out[i] = int64(h.values)
			widths[i] = max(1, float64(h.uncompressed)/float64(max(h.values, 1))-4)
		}
		c.close()
	}
	return out, widths
}

// estimateDistinct estimates the distinct values of a table's column: from the dictionary
// of the first file's largest row group, and from the width of an integer range.
func (s *Source) estimateDistinct(column int, st *storage.ColumnStats, rows int64) int64 {
	best := int64(-1)
	if t := s.columns[column].Type; st.Min != nil && st.Max != nil && (t.IsInteger() || t.Kind == sqltype.Date || t.Kind == sqltype.Boolean) {
		if d, ok := st.Max.I.SubOK(st.Min.I); ok && d.Less(int128.FromInt64(rows)) {
			best = int64(d.Lo) + 1
		} else {
			best = rows
		}
	}
	if len(s.files) == 0 || s.mapping[0][column].leaf < 0 {
		return best
	}
	counts, groupRows := s.files[0].distinctInGroup()
	n := counts[s.mapping[0][column].leaf]
	if n <= 0 || groupRows == 0 {
		return best
	}
	if n > groupRows/10 { // values hardly repeat within the group: new ones come with rows
		n = int64(float64(n) / float64(groupRows) * float64(rows))
	}
	if best < 0 || n < best {
		best = n
	}
	return best
}
