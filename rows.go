package basalt

import (
	"context"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Column describes a result column.
type Column struct {
	Name     string
	Type     sqltype.Type
	Nullable bool
}

// TypeName is the SQL type: "decimal(15,2)".
func (c Column) TypeName() string { return c.Type.String() }

// batchStream is where a Rows takes its batches from.
type batchStream interface {
	// Next returns a batch that stays valid until the next call, nil at the end.
	Next(ctx context.Context) (*vector.Batch, error)
	// Close ends the statement early if it still runs, and frees what it held.
	Close() error
}

// Rows is the result of one statement. One goroutine uses it; Close it always.
type Rows struct {
	cols     []Column
	stream   batchStream // nil: no rows
	affected int64
	info     string
	warnings int
	ctx      context.Context
	end      func()
	session  *Session
	closed   bool

	batch *vector.Batch // for Next and Scan
	row   int
	err   error
}

// Columns are the result's columns; empty for a statement without rows.
func (r *Rows) Columns() []Column { return r.cols }

// RowsAffected is the number of rows that an INSERT or CREATE TABLE AS wrote.
func (r *Rows) RowsAffected() int64 { return r.affected }

// Warnings is how many rows SHOW WARNINGS has for the statement.
func (r *Rows) Warnings() int { return r.warnings }

// Info is the text of MySQL's OK packet, "" mostly.
func (r *Rows) Info() string { return r.info }

// NextBatch returns the next rows as vectors, nil at the end. The batch is valid until
// the next call. ctx bounds the wait; the statement itself ends with Close or with the
// context that it was started with.
func (r *Rows) NextBatch(ctx context.Context) (*vector.Batch, error) {
	if r.closed || r.stream == nil {
		return nil, nil
	}
	b, err := r.stream.Next(ctx)
	if err != nil {
		r.session.db.counters.Errors.Add(1)
		if ctx.Err() != nil && r.ctx.Err() == nil {
			return nil, causeOf(ctx, err)
		}
		return nil, causeOf(r.ctx, err)
	}
	if b != nil {
		r.session.db.counters.RowsReturned.Add(int64(b.NumRows()))
	}
	return b, nil
}

// Close ends the statement and frees what it holds. It may be called twice.
func (r *Rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	var err error
	if r.stream != nil {
		err = r.stream.Close()
	}
	if r.end != nil {
		r.end()
	}
	return err
}

// showObjects makes BITMAP and HLL columns BINARY ones of the same bytes, which clients see.
func (r *Rows) showObjects() {
	var which []int
	for i := range r.cols {
		if r.cols[i].Type.IsOpaque() {
			which = append(which, i)
			r.cols[i].Type = sqltype.T(sqltype.Binary)
		}
	}
	if which != nil {
		r.stream = &objectStream{batchStream: r.stream, which: which}
	}
}

// objectStream gives the columns at which as BINARY.
type objectStream struct {
	batchStream
	which []int
	out   vector.Batch
}

func (o *objectStream) Next(ctx context.Context) (*vector.Batch, error) {
	b, err := o.batchStream.Next(ctx)
	if b == nil || err != nil {
		return b, err
	}
	o.out = vector.Batch{Len: b.Len, Sel: b.Sel, Cols: append(o.out.Cols[:0], b.Cols...)}
	for _, i := range o.which {
		v := *b.Cols[i]
		if v.Type = sqltype.T(sqltype.Binary); v.Form == vector.Dictionary {
			d := *v.Dict
			d.Type, v.Dict = v.Type, &d
		}
		o.out.Cols[i] = &v
	}
	return &o.out, nil
}

// okRows is the result of a statement without rows.
func okRows(s *Session, affected int64, info string) *Rows {
	return &Rows{session: s, affected: affected, info: info, warnings: len(s.warnings)}
}

// memoryStream yields batches that are all there.
type memoryStream struct{ batches []*vector.Batch }

func (m *memoryStream) Next(context.Context) (*vector.Batch, error) {
	for len(m.batches) > 0 {
		b := m.batches[0]
		m.batches = m.batches[1:]
		if b.NumRows() > 0 {
			return b, nil
		}
	}
	return nil, nil
}

func (m *memoryStream) Close() error { m.batches = nil; return nil }
