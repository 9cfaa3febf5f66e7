package table

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/keyorder"
)

// Sizes of blocks in rows: the first is small because thousands of targets may have one each.
const (
	firstBlockRows = 32
	lastBlockRows  = 8192
)

// buffer keeps rows in compact form: flat columns in blocks that double. It copies what it keeps.
type buffer struct {
	blocks []*block
	rows   int
	bytes  int64 // of memory, roughly
}

// block is up to room rows.
type block struct {
	cols []*vector.Vector
	n    int
	room int
}

func newBlock(cols []storage.Column, room int) (*block, int64) {
	b := &block{cols: make([]*vector.Vector, len(cols)), room: room}
	bytes := int64(64 * len(cols))
	for i, c := range cols {
		b.cols[i] = vector.New(c.Type, room)
		bytes += int64(c.Type.Physical().Size() * room)
	}
	return b, bytes
}

// append copies rows [lo, hi) of flat columns and returns by how many bytes the buffer grew.
func (b *buffer) append(schema []storage.Column, cols []*vector.Vector, lo, hi int) int64 {
	before := b.bytes
	b.rows += hi - lo
	for lo < hi {
		last := len(b.blocks) - 1
		if last < 0 || b.blocks[last].n == b.blocks[last].room {
			room := firstBlockRows
			if last >= 0 {
				room = min(2*b.blocks[last].room, lastBlockRows)
			}
			next, bytes := newBlock(schema, max(room, min(hi-lo, lastBlockRows)))
			b.bytes += bytes
			b.blocks = append(b.blocks, next)
			last++
		}
		k := b.blocks[last]
		m := min(hi-lo, k.room-k.n)
		for i, v := range cols {
			b.bytes += keyorder.CopyRows(k.cols[i], k.n, v, lo, lo+m)
		}
		k.n += m
		lo += m
	}
	return b.bytes - before
}

// columns are the buffered rows as one flat vector a column. Strings are not copied.
func (b *buffer) columns(schema []storage.Column) []*vector.Vector {
	if len(b.blocks) == 1 {
		k := b.blocks[0]
		out := make([]*vector.Vector, len(k.cols))
		for i, c := range k.cols {
			out[i] = c.Slice(0, k.n)
		}
		return out
	}
	out := make([]*vector.Vector, len(schema))
	for i, c := range schema {
		v := vector.New(c.Type, b.rows)
		at := 0
		for _, k := range b.blocks {
			appendBlock(v, at, k.cols[i], k.n)
			at += k.n
		}
		out[i] = v
	}
	return out
}

// appendBlock copies n rows of a block's column to dst from row at on, sharing string buffers.
func appendBlock(dst *vector.Vector, at int, v *vector.Vector, n int) {
	w := v.Type.Physical().Size()
	if v.Type.Physical() == sqltype.PhysString {
		base := len(dst.Bufs)
		dst.Bufs = append(dst.Bufs, v.Bufs...)
		src, out := vector.Values[vector.View](v)[:n], vector.Values[vector.View](dst)[at:]
		for i, s := range src {
			if !s.IsInline() {
				s = s.Rebase(base + s.Buffer())
			}
			out[i] = s
		}
	} else {
		copy(dst.Data[at*w:], v.Data[:n*w])
	}
	if v.Valid != nil {
		for i := range n {
			if !v.Valid.Get(i) {
				dst.SetNull(at + i)
			}
		}
	}
}
