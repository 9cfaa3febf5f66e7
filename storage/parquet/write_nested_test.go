package parquet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// randomNested makes n rows of type t with NULLs (none for required parts).
func randomNested(r *rand.Rand, t sqltype.Type, n int, nullable bool) *vector.Vector {
	valid := vector.Bitmap(nil)
	if nullable {
		valid = make(vector.Bitmap, n/64+1)
		for i := range n {
			if r.IntN(4) > 0 {
				valid.Set(i)
			}
		}
	}
	offsets := make([]int32, 1, n+1)
	for range n {
		offsets = append(offsets, offsets[len(offsets)-1]+int32(max(0, r.IntN(6)-2)))
	}
	total := int(offsets[n])
	switch t.Kind {
	case sqltype.Array:
		return vector.PackArrays(t, randomNested(r, t.Nested.Elems[0], total, true), offsets, valid)
	case sqltype.Map:
		return vector.PackMaps(t, randomNested(r, t.Nested.Elems[0], total, false), randomNested(r, t.Nested.Elems[1], total, true), offsets, valid)
	case sqltype.Struct:
		fields := make([]*vector.Vector, len(t.Nested.Elems))
		for i, e := range t.Nested.Elems {
			fields[i] = randomNested(r, e, n, true)
		}
		return vector.PackStructs(t, fields, n, valid)
	}
	v := vector.New(t, n)
	for i := range n {
		switch {
		case valid != nil && !valid.Get(i):
			v.SetNull(i)
		case t.IsString():
			v.SetString(i, "some words of a text"[:r.IntN(20)])
		case t.Kind == sqltype.Double:
			v.SetValue(i, vector.FloatValue(r.Float64()))
		case t.Kind == sqltype.Boolean:
			v.SetValue(i, vector.IntValue(t, int64(r.IntN(2))))
		default:
			v.SetValue(i, vector.IntValue(t, int64(r.IntN(100))))
		}
	}
	return v
}

// TestNestedRoundTrip writes random nested columns in several row groups and small pages, and
// reads them back whole and from the middle of a row group.
func TestNestedRoundTrip(t *testing.T) {
	i32, str, f64, flag, dec := sqltype.T(sqltype.Int), sqltype.T(sqltype.String), sqltype.T(sqltype.Double), sqltype.T(sqltype.Boolean), sqltype.DecimalOf(30, 4)
	pair := sqltype.StructOf([]string{"a", "b"}, []sqltype.Type{i32, str})
	types := []sqltype.Type{
		sqltype.ArrayOf(i32), sqltype.ArrayOf(str), sqltype.MapOf(str, f64), pair, sqltype.ArrayOf(sqltype.ArrayOf(flag)),
		sqltype.ArrayOf(pair), sqltype.MapOf(i32, sqltype.ArrayOf(pair)), sqltype.StructOf([]string{"m", "d"}, []sqltype.Type{sqltype.MapOf(i32, dec), dec}),
		sqltype.ArrayOf(sqltype.MapOf(str, sqltype.StructOf([]string{"x"}, []sqltype.Type{sqltype.ArrayOf(i32)}))),
	}
	r := rand.New(rand.NewPCG(7, 8))
	for i, typ := range types {
		for _, nullable := range []bool{true, false} {
			cols := []storage.Column{{Name: "id", Type: i32}, {Name: "c", Type: typ, Nullable: nullable}}
			var file bytes.Buffer
			w, err := NewWriter(&file, cols, WriterOptions{RowGroupRows: 9000, PageBytes: 1 << 10, SortedBy: []SortColumn{{Column: 0}}})
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for batch := range 5 {
				n := 3000 + batch
				ids := vector.New(i32, n)
				v := randomNested(r, typ, n, nullable)
				var sel []int32
				for k := range n {
					if k%7 > 0 {
						sel = append(sel, int32(k))
						want = append(want, v.Value(k).Text())
					}
				}
				if err := w.Write(&vector.Batch{Cols: []*vector.Vector{ids, v}, Len: n, Sel: sel}); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			s := source(t, file.Bytes())
			if got := s.Columns()[1].Type; got != typ {
				t.Fatalf("%s came back as %s", typ, got)
			}
			got, err := readColumnValues(t, s, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("%s: %d rows, want %d", typ, len(got), len(want))
			}
			for k := range got {
				if got[k].Text() != want[k] {
					t.Fatalf("type %d %s row %d: %s, want %s", i, typ, k, got[k].Text(), want[k])
				}
			}
			checkMiddle(t, s, want)
		}
	}
}

// checkMiddle reads rows from inside of the first row group, as a split of a large one does.
func checkMiddle(t *testing.T, s *Source, want []string) {
	t.Helper()
	req := &storage.ScanRequest{Columns: []int{1}, Limit: -1}
	for _, lo := range []int64{1, 4095, 4096, 8191, 8999} {
		sp := &split{file: s.files[0], mapping: s.mapping[0], lo: lo, hi: lo + 1}
		rd, err := s.Open(t.Context(), sp, req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := rd.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Cols[0].Value(b.Row(0)).Text(); got != want[lo] {
			t.Fatalf("%s: row %d: %s, want %s", fmt.Sprint(s.Columns()[1].Type), lo, got, want[lo])
		}
		rd.Close()
	}
}
