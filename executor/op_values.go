package executor

import (
	"context"

	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// values yields literal rows, on one driver.
type values struct {
	n  *physical.Values
	rt *Runtime
}

func newValues(n *physical.Values, rt *Runtime) *values { return &values{n, rt} }

// Open implements Source.
func (v *values) Open(context.Context, *Driver) (SourceReader, error) {
	return &valuesReader{values: v}, nil
}

type valuesReader struct {
	*values
	at int
}

// Next implements SourceReader.
func (r *valuesReader) Next(context.Context) (*vector.Batch, error) {
	size := r.rt.BatchRows
	if size <= 0 {
		size = vector.BatchRows
	}
	rows := r.n.Rows[r.at:min(r.at+size, len(r.n.Rows))]
	r.at += len(rows)
	if len(rows) == 0 {
		return nil, nil
	}
	b := &vector.Batch{Len: len(rows), Cols: make([]*vector.Vector, len(r.n.Cols))}
	for c, col := range r.n.Cols {
		b.Cols[c] = vector.New(col.T, len(rows))
		for i, row := range rows {
			ev, err := eval.Compile(row[c], r.rt.Functions)
			if err != nil {
				return nil, err
			}
			x, err := ev.Eval(nil, 1, nil)
			if err != nil {
				return nil, err
			}
			val := x.Value(0)
			b.Cols[c].SetValue(i, val)
		}
	}
	return b, nil
}

// Close implements SourceReader.
func (r *valuesReader) Close() {}
