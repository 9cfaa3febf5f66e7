package fileset

import (
	"context"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// constantOf is the value of a column that is not in files of schema; nil: it is in them.
func (schema *Schema) constantOf(column int) *vector.Value {
	if schema == nil || schema.Constants == nil {
		return nil
	}
	return schema.Constants[column]
}

// request is req as a file of schema is asked: filters see the constants, and what prunes by
// them (which the set has done) is left out.
func (s *set) request(schema *Schema, req *storage.ScanRequest) *storage.ScanRequest {
	if schema == nil || schema.Constants == nil {
		return req
	}
	out := *req
	out.Prune = nil
	for i := range req.Prune {
		if !schema.touches(&req.Prune[i]) {
			out.Prune = append(out.Prune, req.Prune[i])
		}
	}
	out.Moving = schema.moving(req.Moving)
	out.Filters = nil
	for _, f := range req.Filters {
		out.Filters = append(out.Filters, s.filter(schema, f))
	}
	return &out
}

// touches reports whether p looks at a constant.
func (schema *Schema) touches(p *storage.Predicate) bool {
	if p.Op == storage.OpOr || p.Op == storage.OpAnd {
		for i := range p.Children {
			if schema.touches(&p.Children[i]) {
				return true
			}
		}
		return false
	}
	return schema.constantOf(p.Column) != nil
}

// filter gives f the constants of schema.
func (s *set) filter(schema *Schema, f storage.Filter) storage.Filter {
	values := make([]*vector.Vector, len(f.Columns))
	some := false
	for i, c := range f.Columns {
		if v := schema.constantOf(c); v != nil {
			values[i] = s.constant(c, *v)
			some = true
		}
	}
	if !some {
		return f
	}
	fresh := f.New
	f.New = func() (storage.FilterFunc, error) {
		fn, err := fresh()
		if err != nil {
			return nil, err
		}
		own := make([]*vector.Vector, len(values))
		return func(cols []*vector.Vector, n int, sel []int32) ([]int32, error) {
			for i, c := range cols {
				if own[i] = c; values[i] != nil {
					own[i] = resized(values[i], n)
				}
			}
			return fn(own, n, sel)
		}, nil
	}
	return f
}

// constant is a value as a vector of the column's type.
func (s *set) constant(column int, v vector.Value) *vector.Vector {
	v.Type = s.Columns[column].Type
	return vector.NewConstant(v, 1)
}

// resized is a constant of n rows.
func resized(v *vector.Vector, n int) *vector.Vector {
	out := *v
	out.Len = n
	return &out
}

// complete puts the constants of schema into the batches of rd.
func (s *set) complete(rd storage.Reader, schema *Schema, req *storage.ScanRequest) storage.Reader {
	values := make([]*vector.Vector, len(req.Columns))
	some := false
	for i, c := range req.Columns {
		if v := schema.constantOf(c); v != nil {
			values[i] = s.constant(c, *v)
			some = true
		}
	}
	if !some {
		return rd
	}
	return &completeReader{Reader: rd, values: values}
}

// completeReader replaces columns by constants.
type completeReader struct {
	storage.Reader
	values []*vector.Vector // by position in the batch; nil: from the file
	out    vector.Batch
}

// Next implements storage.Reader.
func (r *completeReader) Next(ctx context.Context) (*vector.Batch, error) {
	b, err := r.Reader.Next(ctx)
	if b == nil || err != nil {
		return b, err
	}
	r.out = vector.Batch{Cols: append(r.out.Cols[:0], b.Cols...), Len: b.Len, Sel: b.Sel}
	for i, v := range r.values {
		if v != nil {
			r.out.Cols[i] = resized(v, b.Len)
		}
	}
	return &r.out, nil
}
