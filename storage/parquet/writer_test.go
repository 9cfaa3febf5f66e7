package parquet

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/parquet-go/parquet-go"
)

// writtenColumns has every type that can be written, nullable and not.
func writtenColumns() []storage.Column {
	var cols []storage.Column
	for _, t := range []sqltype.Type{
		sqltype.T(sqltype.Boolean), sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.SmallInt), sqltype.T(sqltype.Int),
		sqltype.T(sqltype.BigInt), sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.Float), sqltype.T(sqltype.Double),
		sqltype.DecimalOf(9, 2), sqltype.DecimalOf(18, 4), sqltype.DecimalOf(38, 10), sqltype.T(sqltype.Date),
		sqltype.DateTimeOf(0), sqltype.DateTimeOf(6), {Kind: sqltype.Timestamp, Scale: 6}, {Kind: sqltype.Time, Scale: 6},
		{Kind: sqltype.Char, Length: 20}, sqltype.VarcharOf(65533), sqltype.T(sqltype.String), sqltype.T(sqltype.Binary),
		sqltype.T(sqltype.JSON), sqltype.T(sqltype.Bitmap), sqltype.T(sqltype.HLL),
	} {
		name := strings.NewReplacer("(", "_", ")", "", ",", "_").Replace(t.String())
		cols = append(cols, storage.Column{Name: name, Type: t}, storage.Column{Name: name + "_null", Type: t, Nullable: true})
	}
	return cols
}

// randomValue draws from a small set (kind 0), runs and small numbers (1), or everything
// and the extremes (2).
func randomValue(r *rand.Rand, t sqltype.Type, kind int) vector.Value {
	v := vector.Value{Type: t}
	small := int64(r.IntN(5))
	if kind == 1 {
		small = int64(r.IntN(1000)) - 500
	}
	pick := func(lo, hi int64) int64 {
		if kind < 2 {
			return max(min(small, hi), lo)
		}
		switch r.IntN(4) {
		case 0:
			return lo
		case 1:
			return hi
		}
		return lo + int64(r.Uint64()%(uint64(hi-lo)+1|1))
	}
	switch t.Kind {
	case sqltype.Boolean:
		v.I = int128.FromInt64(pick(0, 1))
	case sqltype.TinyInt:
		v.I = int128.FromInt64(pick(math.MinInt8, math.MaxInt8))
	case sqltype.SmallInt:
		v.I = int128.FromInt64(pick(math.MinInt16, math.MaxInt16))
	case sqltype.Int, sqltype.Date:
		v.I = int128.FromInt64(pick(math.MinInt32, math.MaxInt32))
	case sqltype.Float, sqltype.Double:
		v.F = float64(small)
		if kind == 2 {
			v.F = [...]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, 1.5, -2.25, r.NormFloat64()}[r.IntN(8)]
		}
		if t.Kind == sqltype.Float {
			v.F = float64(float32(v.F))
		}
	case sqltype.LargeInt, sqltype.Decimal:
		v.I = int128.FromInt64(small)
		if kind == 2 {
			v.I = [...]int128.Int{int128.Pow10[max(1, t.Precision)-1], int128.Pow10[max(1, t.Precision)-1].Neg(), int128.FromInt64(-1), int128.FromInt64(r.Int64N(1e8))}[r.IntN(4)]
			if t.Kind == sqltype.LargeInt {
				v.I = [...]int128.Int{int128.Max, int128.Min, {Lo: r.Uint64(), Hi: int64(r.Uint64())}}[r.IntN(3)]
			}
		}
	default:
		if t.Physical() == sqltype.PhysInt64 {
			v.I = int128.FromInt64(pick(math.MinInt64/2, math.MaxInt64/2))
			break
		}
		v.S = fmt.Sprint("v", small)
		if kind == 2 {
			v.S = [...]string{"", "a", "exactly12byt", "thirteen bytes", "ünïcödé 漢字 😀", strings.Repeat("\xff", 100), strings.Repeat("long ", r.IntN(60)), "\x00", fmt.Sprint(r.Uint64())}[r.IntN(9)]
		}
	}
	return v
}

// randomVector makes n rows in a random form.
func randomVector(r *rand.Rand, c storage.Column, n, kind int) *vector.Vector {
	nulls := func(v *vector.Vector) {
		if !c.Nullable || kind == 1 && r.IntN(2) == 0 {
			return
		}
		share := [...]int{2, 10, 1000}[r.IntN(3)]
		for i := range v.Len {
			if r.IntN(share) == 0 {
				v.SetNull(i)
			}
		}
	}
	switch r.IntN(6) {
	case 0:
		if c.Nullable && r.IntN(3) == 0 {
			return vector.NewConstant(vector.NullOf(c.Type), n)
		}
		return vector.NewConstant(randomValue(r, c.Type, kind), n)
	case 1:
		d := vector.New(c.Type, 1+r.IntN(20))
		for i := range d.Len {
			d.SetValue(i, randomValue(r, c.Type, kind))
		}
		codes := make([]int32, n)
		for i := range codes {
			codes[i] = int32(r.IntN(d.Len))
		}
		v := vector.NewDictionary(d, codes, nil)
		nulls(v)
		return v
	}
	v := vector.New(c.Type, n)
	for i := range n {
		v.SetValue(i, randomValue(r, c.Type, kind))
	}
	nulls(v)
	return v
}

// writeRandom writes rows in batches and returns the file and the values of each column.
func writeRandom(t testing.TB, r *rand.Rand, cols []storage.Column, rows, kind int, opt WriterOptions) ([]byte, [][]vector.Value) {
	var file bytes.Buffer
	w, err := NewWriter(&file, cols, opt)
	if err != nil {
		t.Fatal(err)
	}
	want := make([][]vector.Value, len(cols))
	for left := rows; left > 0; {
		n := min(left, 1+r.IntN(5000))
		b := vector.NewBatch(n)
		for _, c := range cols {
			b.Cols = append(b.Cols, randomVector(r, c, n, kind))
		}
		if r.IntN(2) == 0 {
			b.Sel = []int32{}
			for i := range n {
				if r.IntN(3) > 0 {
					b.Sel = append(b.Sel, int32(i))
				}
			}
		}
		for i := range cols {
			for k := range b.NumRows() {
				want[i] = append(want[i], b.Cols[i].Value(b.Row(k)))
			}
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		left -= n
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Bytes() != int64(file.Len()) || w.Rows() != int64(len(want[0])) {
		t.Errorf("writer counts %d bytes and %d rows, has %d and %d", w.Bytes(), w.Rows(), file.Len(), len(want[0]))
	}
	return file.Bytes(), want
}

// TestRoundTrip writes random data in every type, form, null pattern and option, and
// reads it back with our reader and with parquet-go.
func TestRoundTrip(t *testing.T) {
	cols := writtenColumns()
	for i, rows := range []int{0, 1, 7, 300, 5000, 20000} {
		for kind := range 3 {
			if rows == 20000 && kind != 1 {
				continue
			}
			codec := [...]string{"zstd", "snappy", "none"}[(i+kind)%3]
			t.Run(fmt.Sprint(rows, "_", kind, "_", codec), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(rows), uint64(kind)))
				opt := WriterOptions{Codec: codec}
				if kind == 1 {
					opt.RowGroupRows, opt.PageBytes = 10_000, 10_000
				}
				data, want := writeRandom(t, r, cols, rows, kind, opt)
				s, err := NewSource(&memFS{data: data}, []string{"mem.parquet"}, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i, c := range s.Columns() {
					if !c.Type.Equal(cols[i].Type) || c.Nullable != cols[i].Nullable || c.Name != cols[i].Name {
						t.Fatalf("column %v, want %v", c, cols[i])
					}
					got, err := readColumnValues(t, s, i)
					if err != nil {
						t.Fatal(err)
					}
					compareValues(t, c.Name, got, want[i])
					checkWrittenStats(t, s, i, want[i])
				}
				if rows <= 5000 {
					compareWithParquetGo(t, s, data, want)
				}
			})
		}
	}
}

func compareValues(t *testing.T, name string, got, want []vector.Value) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", name, len(got), len(want))
	}
	for i := range got {
		if g, w := valueText(got[i]), valueText(want[i]); g != w {
			t.Fatalf("%s row %d: got %s, want %s", name, i, g, w)
		}
	}
}

// checkWrittenStats makes sure that bounds hold and null counts are right.
func checkWrittenStats(t *testing.T, s *Source, i int, want []vector.Value) {
	st := &s.Stats().Columns[i]
	nulls := int64(0)
	for k := range want {
		v := &want[k]
		switch {
		case v.Null:
			nulls++
		case v.F != v.F:
		case st.Min == nil && s.Columns()[i].Type.Physical() != sqltype.PhysString && !s.Columns()[i].Type.IsFloat():
			t.Fatalf("%s: no bounds", s.Columns()[i].Name)
		case st.Min != nil && (v.Compare(*st.Min) < 0 || v.Compare(*st.Max) > 0):
			t.Fatalf("%s: %s is outside of %s..%s", s.Columns()[i].Name, valueText(*v), valueText(*st.Min), valueText(*st.Max))
		}
	}
	if nulls != st.Nulls {
		t.Errorf("%s: %d nulls in the statistics, want %d", s.Columns()[i].Name, st.Nulls, nulls)
	}
}

func compareWithParquetGo(t *testing.T, s *Source, data []byte, want [][]vector.Value) {
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal("parquet-go:", err)
	}
	for i := range want {
		var got []parquet.Value
		for _, g := range f.RowGroups() {
			pages := g.ColumnChunks()[i].Pages()
			for {
				p, err := pages.ReadPage()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal("parquet-go:", err)
				}
				vals := make([]parquet.Value, p.NumValues())
				n, _ := p.Values().ReadValues(vals)
				got = append(got, vals[:n]...)
			}
			pages.Close()
		}
		if len(got) != len(want[i]) {
			t.Fatalf("%s: parquet-go reads %d rows, want %d", s.Columns()[i].Name, len(got), len(want[i]))
		}
		l := s.files[0].leaves[i]
		l.Type.Scale = min(l.Type.Scale, 2) // times are microseconds, whatever is shown
		if l.Type.Kind == sqltype.LargeInt {
			l.Type.Kind = sqltype.Decimal
		}
		for k := range got {
			if g, w := referenceText(&l, got[k]), valueText(want[i][k]); g != w {
				t.Fatalf("%s row %d: parquet-go reads %s, want %s", s.Columns()[i].Name, k, g, w)
			}
		}
	}
}

// TestWriteForOthers writes a file for a look with other readers: set BASALT_WRITE_FILE.
func TestWriteForOthers(t *testing.T) {
	path := os.Getenv("BASALT_WRITE_FILE")
	if path == "" {
		t.Skip("BASALT_WRITE_FILE is not set")
	}
	for kind := range 3 {
		data, _ := writeRandom(t, rand.New(rand.NewPCG(1, 2)), writtenColumns(), 30_000, kind, WriterOptions{SortedBy: []SortColumn{{Column: 3}}})
		if err := os.WriteFile(fmt.Sprint(path, kind, ".parquet"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	col := []storage.Column{{Name: "a", Type: sqltype.T(sqltype.Int)}}
	w, err := NewWriter(io.Discard, col, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(vector.NewBatch(3, vector.NewConstant(vector.NullOf(col[0].Type), 3))); !sqlerr.Is(err, sqlerr.NotNull) {
		t.Errorf("null in a NOT NULL column: %v", err)
	}
	if err := w.Close(); err == nil {
		t.Error("a failed writer closed without an error")
	}
	if _, err := NewWriter(io.Discard, []storage.Column{{Name: "a", Type: sqltype.ArrayOf(sqltype.T(sqltype.Null))}}, WriterOptions{}); !sqlerr.Is(err, sqlerr.NotSupported) {
		t.Errorf("array of NULLs: %v", err)
	}
	keys, values := vector.New(col[0].Type, 1), vector.New(col[0].Type, 1)
	keys.SetNull(0)
	m := vector.PackMaps(sqltype.MapOf(col[0].Type, col[0].Type), keys, values, []int32{0, 1}, nil)
	if w, err = NewWriter(io.Discard, []storage.Column{{Name: "m", Type: m.Type, Nullable: true}}, WriterOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(vector.NewBatch(1, m)); !sqlerr.Is(err, sqlerr.NotNull) {
		t.Errorf("a NULL key: %v", err)
	}
	if _, err := NewWriter(io.Discard, col, WriterOptions{Codec: "lzo"}); !sqlerr.Is(err, sqlerr.NotSupported) {
		t.Errorf("codec: %v", err)
	}
}

func TestIncrement(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if got := increment([]byte(in)); string(got) != want || (got == nil) != (want == "") {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	check("abc", "abd")
	check("ab\xff", "ac")
	check("\xff\xff", "")
}
