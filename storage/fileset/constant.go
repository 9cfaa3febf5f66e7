package fileset

import (
	"context"
	"slices"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// constantOf is the value of a column that is not in files of schema; nil: it is in them.
func (schema *Schema) constantOf(column int) *vector.Value {
	if schema == nil || column >= len(schema.Constants) { // the ids of rows follow the columns
		return nil
	}
	return schema.Constants[column]
}

// request is req as a file is asked: without its deleted rows, with filters that see the constants and the ids of
// rows; what prunes by them (which the set has done) is left out.
func (s *set) request(file int32, req *storage.ScanRequest) *storage.ScanRequest {
	f := &s.Files[file]
	plain := (f.Schema == nil || f.Schema.Constants == nil) && !s.asksRowID(req)
	if plain && f.Deleted == nil {
		return req
	}
	out := *req
	if out.Deleted = f.Deleted; out.Limit >= 0 {
		out.Limit += f.Deleted.Len()
	}
	if plain {
		return &out
	}
	out.Prune = nil
	for i := range req.Prune {
		if !s.touches(f.Schema, &req.Prune[i]) {
			out.Prune = append(out.Prune, req.Prune[i])
		}
	}
	out.Moving = s.moving(f.Schema, req.Moving)
	out.Filters = nil
	for _, filter := range req.Filters {
		out.Filters = append(out.Filters, s.filter(file, filter))
	}
	out.Columns = s.fileOrdinals(req.Columns)
	return &out
}

// asksRowID reports whether req reads the ids of rows.
func (s *set) asksRowID(req *storage.ScanRequest) bool {
	return s.RowIDs && (slices.Contains(req.Columns, s.rowID()) ||
		slices.ContainsFunc(req.Filters, func(f storage.Filter) bool { return slices.Contains(f.Columns, s.rowID()) }))
}

// rowID is the ordinal of the column of row ids.
func (s *set) rowID() int { return len(s.Columns) - 1 }

// fileOrdinals are columns as a file's source knows them.
func (s *set) fileOrdinals(columns []int) []int {
	if !s.RowIDs || !slices.Contains(columns, s.rowID()) {
		return columns
	}
	out := slices.Clone(columns)
	for i, c := range out {
		if c == s.rowID() {
			out[i] = storage.RowNumber
		}
	}
	return out
}

// touches reports whether p looks at what is not in files of schema.
func (s *set) touches(schema *Schema, p *storage.Predicate) bool {
	if p.Op == storage.OpOr || p.Op == storage.OpAnd {
		for i := range p.Children {
			if s.touches(schema, &p.Children[i]) {
				return true
			}
		}
		return false
	}
	return schema.constantOf(p.Column) != nil || s.RowIDs && p.Column == s.rowID()
}

// filter gives f the constants of a file and the ids of its rows.
func (s *set) filter(file int32, f storage.Filter) storage.Filter {
	schema := s.Files[file].Schema
	values, ids := make([]*vector.Vector, len(f.Columns)), -1
	some := false
	for i, c := range f.Columns {
		if v := schema.constantOf(c); v != nil {
			values[i] = s.constant(c, *v)
			some = true
		}
		if s.RowIDs && c == s.rowID() {
			ids, some = i, true
		}
	}
	if !some {
		return f
	}
	fresh := f.New
	f.Columns = s.fileOrdinals(f.Columns)
	f.New = func() (storage.FilterFunc, error) {
		fn, err := fresh()
		if err != nil {
			return nil, err
		}
		own, room := make([]*vector.Vector, len(values)), &vector.Vector{Type: rowIDType}
		return func(cols []*vector.Vector, n int, sel []int32) ([]int32, error) {
			for i, c := range cols {
				switch own[i] = c; {
				case values[i] != nil:
					own[i] = resized(values[i], n)
				case i == ids:
					own[i] = rowIDs(c, file, room)
				}
			}
			return fn(own, n, sel)
		}, nil
	}
	return f
}

// rowIDs are the ids, in out's memory, of rows of a file by their numbers.
func rowIDs(numbers *vector.Vector, file int32, out *vector.Vector) *vector.Vector {
	out.Reset(numbers.Len)
	ids := vector.Values[int64](out)
	for i, n := range vector.Values[int64](numbers) {
		ids[i] = int64(file)<<32 | n
	}
	return out
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

// complete puts the constants of a file and the ids of its rows into the batches of rd.
func (s *set) complete(rd storage.Reader, file int32, req *storage.ScanRequest) storage.Reader {
	r := &completeReader{Reader: rd, values: make([]*vector.Vector, len(req.Columns)), file: file, ids: -1, room: &vector.Vector{Type: rowIDType}}
	some := false
	for i, c := range req.Columns {
		if v := s.Files[file].Schema.constantOf(c); v != nil {
			r.values[i] = s.constant(c, *v)
			some = true
		}
		if s.RowIDs && c == s.rowID() {
			r.ids, some = i, true
		}
	}
	if !some {
		return rd
	}
	return r
}

// completeReader replaces columns by constants and by the ids of rows.
type completeReader struct {
	storage.Reader
	values []*vector.Vector // by position in the batch; nil: from the file
	file   int32
	ids    int // position of the ids; -1: none
	room   *vector.Vector
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
	if r.ids >= 0 {
		r.out.Cols[r.ids] = rowIDs(b.Cols[r.ids], r.file, r.room)
	}
	return &r.out, nil
}
