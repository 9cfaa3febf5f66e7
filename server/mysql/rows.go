package mysql

import (
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// RowEncoder encodes the rows of one result set. Made once a result set, bound once a
// batch. One goroutine uses it.
type RowEncoder struct {
	binary bool
	told   []sqltype.Type // what the client was told
	types  []sqltype.Type // what cells are made for
	cells  []cell
}

// NewRowEncoder makes the encoder of a result set in the text or the binary protocol.
func NewRowEncoder(cols []Column, binary bool) *RowEncoder {
	e := &RowEncoder{binary: binary, told: make([]sqltype.Type, len(cols)), types: make([]sqltype.Type, len(cols)), cells: make([]cell, len(cols))}
	for i, c := range cols {
		e.told[i], e.types[i], e.cells[i] = c.Type, c.Type, newCell(c.Type)
	}
	return e
}

// Bind points the encoder at a batch, whose memory it reads until the next Bind.
func (e *RowEncoder) Bind(b *vector.Batch) {
	for i, v := range b.Cols {
		if have := e.types[i]; v.Type.Kind != have.Kind || v.Type.Scale != have.Scale || v.Type.Physical() != have.Physical() {
			e.retype(i, v.Type)
		}
		e.cells[i].bind(v)
	}
}

// retype changes the encoder of column i to vectors of type t. A vector of bare NULLs may
// come in any column; otherwise text takes every type, and the binary protocol those that
// look the same on the wire.
func (e *RowEncoder) retype(i int, t sqltype.Type) {
	if e.binary && t.Kind != sqltype.Null && wireTypeOf(t).code != wireTypeOf(e.told[i]).code {
		panic(invariant.Failed("column %d was announced as %s and comes as %s", i+1, e.told[i], t))
	}
	e.types[i], e.cells[i] = t, newCell(t)
}

// AppendRow appends the row at a physical position of the bound batch.
func (e *RowEncoder) AppendRow(dst []byte, row int) []byte {
	if e.binary {
		return e.appendBinary(dst, row)
	}
	for _, c := range e.cells {
		dst = c.text(dst, row)
	}
	return dst
}

// appendBinary appends the zero byte, the null bitmap with its two spare bits, the values.
func (e *RowEncoder) appendBinary(dst []byte, row int) []byte {
	dst = append(dst, 0)
	at := len(dst)
	for range (len(e.cells) + 7 + 2) / 8 {
		dst = append(dst, 0)
	}
	for i, c := range e.cells {
		if c.null(row) {
			dst[at+(i+2)/8] |= 1 << ((i + 2) % 8)
			continue
		}
		dst = c.binary(dst, row)
	}
	return dst
}
