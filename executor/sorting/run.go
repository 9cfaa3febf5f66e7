package sorting

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Run is rows of one driver: payload columns, flat and owned, and a binary key a row.
// After Sort, Entries are in order.
type Run struct {
	Cols    []*vector.Vector
	Entries []Entry
	keys    []byte // all keys, one after the other
}

// Entry is one row: the first eight bytes of its key for most comparisons, and where the
// whole key and the row are.
type Entry struct {
	prefix   uint64
	off, end int64 // in keys
	Row      int32
}

// NewRun makes an empty run of columns of these types.
func NewRun(types []sqltype.Type) *Run {
	r := &Run{}
	for _, t := range types {
		r.Cols = append(r.Cols, vector.New(t, 0))
	}
	return r
}

// Len is the number of rows.
func (r *Run) Len() int { return len(r.Entries) }

// Bytes is the memory held.
func (r *Run) Bytes() int64 {
	n := int64(len(r.Entries))*32 + int64(cap(r.keys))
	for _, c := range r.Cols {
		n += c.Bytesize()
	}
	return n
}

// Append adds rows of cols (payload, any form), whose keys are given by key(k, dst) for the
// k-th of rows.
func (r *Run) Append(cols []*vector.Vector, rows []int32, keys [][]byte) {
	base := int32(len(r.Entries))
	for i, c := range r.Cols {
		c.AppendFrom(cols[i], rows)
	}
	for k, key := range keys {
		off := int64(len(r.keys))
		r.keys = append(r.keys, key...)
		r.Entries = append(r.Entries, Entry{prefixOf(key), off, int64(len(r.keys)), base + int32(k)})
	}
}

func prefixOf(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

// Key is the key of an entry.
func (r *Run) Key(e *Entry) []byte { return r.keys[e.off:e.end] }

// Sort orders the entries.
func (r *Run) Sort() {
	slices.SortFunc(r.Entries, func(a, b Entry) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		return bytes.Compare(r.keys[a.off:a.end], r.keys[b.off:b.end])
	})
}

// Truncate sorts and keeps the first n rows, dropping the memory of the others.
func (r *Run) Truncate(n int) {
	r.Sort()
	if len(r.Entries) <= n {
		return
	}
	keep := r.Entries[:n]
	rows := make([]int32, n)
	var keys []byte
	for i := range keep {
		rows[i] = keep[i].Row
		off := int64(len(keys))
		keys = append(keys, r.keys[keep[i].off:keep[i].end]...)
		keep[i] = Entry{keep[i].prefix, off, int64(len(keys)), int32(i)}
	}
	r.keys, r.Entries = keys, slices.Clone(keep)
	for i, c := range r.Cols {
		next := vector.New(c.Type, 0)
		next.AppendFrom(c, rows)
		r.Cols[i] = next
	}
}

// Merge yields the rows of sorted runs in order. One goroutine uses it.
type Merge struct {
	runs []*Run
	pos  []int
	heap []int // run numbers, a binary heap by their next entry
	left int64 // rows still to yield
}

// NewMerge starts after skip rows and yields at most limit (negative: all).
func NewMerge(runs []*Run, skip, limit int64) *Merge {
	m := &Merge{left: limit}
	for _, r := range runs {
		if r.Len() > 0 {
			m.runs = append(m.runs, r)
			m.pos = append(m.pos, 0)
			m.heap = append(m.heap, len(m.runs)-1)
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	for ; skip > 0 && len(m.heap) > 0; skip-- {
		m.pop()
	}
	if limit < 0 {
		m.left = 1<<63 - 1
	}
	return m
}

func (m *Merge) less(a, b int) bool {
	ra, rb := m.runs[a], m.runs[b]
	ea, eb := &ra.Entries[m.pos[a]], &rb.Entries[m.pos[b]]
	if ea.prefix != eb.prefix {
		return ea.prefix < eb.prefix
	}
	return bytes.Compare(ra.Key(ea), rb.Key(eb)) < 0
}

func (m *Merge) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(m.heap) {
			return
		}
		if c+1 < len(m.heap) && m.less(m.heap[c+1], m.heap[c]) {
			c++
		}
		if !m.less(m.heap[c], m.heap[i]) {
			return
		}
		m.heap[i], m.heap[c] = m.heap[c], m.heap[i]
		i = c
	}
}

// pop takes the next row: its run and its row there.
func (m *Merge) pop() (run int, row int32) {
	run = m.heap[0]
	row = m.runs[run].Entries[m.pos[run]].Row
	if m.pos[run]++; m.pos[run] == m.runs[run].Len() {
		m.heap[0] = m.heap[len(m.heap)-1]
		m.heap = m.heap[:len(m.heap)-1]
	}
	m.down(0)
	return run, row
}

// Next returns up to n rows as a fresh batch, nil at the end.
func (m *Merge) Next(n int) *vector.Batch {
	if len(m.heap) == 0 || m.left <= 0 {
		return nil
	}
	if int64(n) > m.left {
		n = int(m.left)
	}
	if len(m.runs) == 1 {
		return m.nextOfOne(n)
	}
	out := &vector.Batch{}
	for _, c := range m.runs[0].Cols {
		out.Cols = append(out.Cols, vector.New(c.Type, 0))
	}
	// Stretches of rows from one run are copied together.
	rows := make([]int32, 0, n)
	cur := -1
	flush := func() {
		if len(rows) > 0 {
			for i, c := range out.Cols {
				c.AppendFrom(m.runs[cur].Cols[i], rows)
			}
			out.Len += len(rows)
			rows = rows[:0]
		}
	}
	for k := 0; k < n && len(m.heap) > 0; k++ {
		run, row := m.pop()
		if run != cur {
			flush()
			cur = run
		}
		rows = append(rows, row)
	}
	flush()
	m.left -= int64(out.Len)
	return out
}

// nextOfOne needs no comparisons.
func (m *Merge) nextOfOne(n int) *vector.Batch {
	r, at := m.runs[0], m.pos[0]
	n = min(n, r.Len()-at)
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = r.Entries[at+i].Row
	}
	m.pos[0] += n
	m.left -= int64(n)
	if m.pos[0] == r.Len() {
		m.heap = nil
	}
	out := &vector.Batch{Len: n}
	for _, c := range r.Cols {
		out.Cols = append(out.Cols, c.Gather(rows, &vector.Vector{}))
	}
	return out
}
