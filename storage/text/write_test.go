package text

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

var writtenScalars = []sqltype.Type{
	sqltype.T(sqltype.Boolean), sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.SmallInt), sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt),
	sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.Float), sqltype.T(sqltype.Double), sqltype.DecimalOf(9, 3), sqltype.DecimalOf(38, 10),
	sqltype.T(sqltype.Date), sqltype.DateTimeOf(0), sqltype.DateTimeOf(3), sqltype.DateTimeOf(6), sqltype.VarcharOf(200), sqltype.T(sqltype.String),
	sqltype.T(sqltype.Binary),
}

// randomScalar is a value of a scalar type; pieces are what its texts are made of.
func randomScalar(r *rand.Rand, t sqltype.Type, pieces []string) vector.Value {
	v := vector.Value{Type: t}
	switch t.Kind {
	case sqltype.Boolean:
		v.I = int128.FromInt64(int64(r.IntN(2)))
	case sqltype.TinyInt:
		v.I = int128.FromInt64(int64(int8(r.Int64())))
	case sqltype.SmallInt:
		v.I = int128.FromInt64(int64(int16(r.Int64())))
	case sqltype.Int:
		v.I = int128.FromInt64(int64(int32(r.Int64())))
	case sqltype.BigInt:
		v.I = int128.FromInt64(int64(r.Uint64()))
	case sqltype.LargeInt, sqltype.Decimal:
		v.I = int128.FromInt64(int64(r.Uint64()))
		if t.Precision == 9 {
			v.I = int128.FromInt64(r.Int64N(2e9-1) - 1e9 + 1)
		} else if r.IntN(2) == 0 {
			v.I, _ = v.I.MulOK(int128.FromInt64(r.Int64N(1 << 40)))
		}
	case sqltype.Float:
		v.F = float64(float32(r.NormFloat64() * math.Pow(10, float64(r.IntN(30)-15))))
	case sqltype.Double:
		v.F = r.NormFloat64() * math.Pow(10, float64(r.IntN(300)-150))
		if r.IntN(9) == 0 {
			v.F = []float64{0, math.NaN(), math.Inf(1), math.Inf(-1)}[r.IntN(4)]
		}
	case sqltype.Date:
		v.I = int128.FromInt64(r.Int64N(100000) - 30000)
	case sqltype.DateTime:
		step := int64(math.Pow10(6 - int(t.Scale)))
		v.I = int128.FromInt64((r.Int64N(4e15) - 1e15) / step * step)
	case sqltype.Binary:
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		v.S = string(b)
	default:
		for range r.IntN(4) {
			v.S += pieces[r.IntN(len(pieces))]
		}
	}
	return v
}

// randomVector has about a fifth of NULLs, at every level. noEmpty keeps away what delimited text cannot tell apart: empty
// lists and texts inside of lists.
func randomVector(r *rand.Rand, t sqltype.Type, n int, pieces []string, noEmpty bool) *vector.Vector {
	out := vector.New(t, n)
	var b []byte
	for i := range n {
		if r.IntN(5) == 0 {
			out.SetNull(i)
			continue
		}
		size := r.IntN(4)
		if noEmpty {
			size += 2 // one NULL alone looks like a list that is NULL
		}
		inner := func(k, n int) *vector.Vector {
			v := randomVector(r, t.Nested.Elems[k], n, pieces, noEmpty)
			for i := range n {
				if noEmpty && v.Type.Physical() == sqltype.PhysString && !v.Type.IsNested() && !v.IsNull(i) && len(v.Bytes(i)) == 0 {
					v.SetString(i, "x")
				}
			}
			return v
		}
		switch t.Kind {
		case sqltype.Array:
			b = vector.AppendElements(b[:0], inner(0, size), 0, size)
			out.SetBytes(i, b)
		case sqltype.Map:
			keys := vector.New(t.Nested.Elems[0], size)
			for k := range size {
				keys.SetString(k, fmt.Sprint(pieces[r.IntN(len(pieces))], k))
			}
			b = vector.AppendMap(b[:0], keys, inner(1, size), 0, size)
			out.SetBytes(i, b)
		case sqltype.Struct:
			var fields []*vector.Vector
			for k := range t.Nested.Elems {
				fields = append(fields, inner(k, 1))
			}
			b = vector.AppendStruct(b[:0], fields, 0)
			out.SetBytes(i, b)
		default:
			out.SetValue(i, randomScalar(r, t, pieces))
		}
	}
	return out
}

func randomType(r *rand.Rand, depth int) sqltype.Type {
	if depth == 0 || r.IntN(3) > 0 {
		return writtenScalars[r.IntN(len(writtenScalars))]
	}
	switch r.IntN(3) {
	case 0:
		return sqltype.ArrayOf(randomType(r, depth-1))
	case 1:
		return sqltype.MapOf(sqltype.T(sqltype.String), randomType(r, depth-1))
	}
	return sqltype.StructOf([]string{"a", "b c"}, []sqltype.Type{randomType(r, depth-1), randomType(r, depth-1)})
}

// writeRandom writes a file of random rows and returns its path and columns.
func writeRandom(t *testing.T, r *rand.Rand, o WriterOptions, pieces []string, noEmpty bool, depth int, ending string) (string, []storage.Column, []*vector.Batch) {
	t.Helper()
	var cols []storage.Column
	for i := range 1 + r.IntN(6) {
		cols = append(cols, storage.Column{Name: fmt.Sprintf("c%d", i), Type: randomType(r, depth), Nullable: true})
	}
	var out bytes.Buffer
	w, err := NewWriter(&out, cols, o)
	if err != nil {
		t.Fatal(err)
	}
	var batches []*vector.Batch
	for range 1 + r.IntN(3) {
		n := 1 + r.IntN(300)
		b := &vector.Batch{Len: n}
		for _, c := range cols {
			b.Cols = append(b.Cols, randomVector(r, c.Type, n, pieces, noEmpty))
		}
		if r.IntN(2) == 0 {
			b.Sel = []int32{}
			for i := range n {
				if r.IntN(2) == 0 {
					b.Sel = append(b.Sel, int32(i))
				}
			}
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "x"+ending+Compressions[o.Compression], out.Bytes()), cols, batches
}

func compareColumns(t *testing.T, s *Source, cols []storage.Column, batches []*vector.Batch) {
	t.Helper()
	for i, c := range cols {
		got, k := readColumn(t, s, i), 0
		for _, b := range batches {
			for row := range b.NumRows() {
				want := b.Cols[i].Value(b.Row(row))
				if k >= len(got) {
					t.Fatalf("%d rows of %s", len(got), c.Type)
				}
				v := got[k]
				if v.Null != want.Null || !v.Null && v.Compare(want) != 0 {
					t.Fatalf("row %d of %s: %s, want %s", k, c.Type, v.Text(), want.Text())
				}
				k++
			}
		}
		if k != len(got) {
			t.Fatalf("%d rows of %s, want %d", len(got), c.Type, k)
		}
	}
}

// TestWritten reads back what the writer wrote: every kind of file, every type, nested, with NULLs and with bytes that mean something.
func TestWritten(t *testing.T) {
	wild := []string{"a", "long text without anything", "", ",", ";", "\n", `"`, `\`, `\N`, "\r", "é", "\x01", "\x02", "\x03", "null", " ", "😀", "\t"}
	tame := []string{"a", "long text without anything", "", "é", " ", "x\ty", ";"}
	hive, escaped, opencsv := Hive(), Hive(), Options{Kind: CSV, Field: ',', Quote: '"', Escape: '\\', Line: '\n'}
	escaped.Escape = '\\'
	for name, c := range map[string]struct {
		read   Options
		pieces []string
		change func(o *WriterOptions)
		depth  int
		ending string
	}{
		"hive":     {hive, tame, nil, 2, ".txt"},
		"escaped":  {escaped, wild, nil, 2, ".txt"},
		"csv":      {Options{Kind: CSV, Field: ',', Quote: '"', Line: '\n', HasNull: true}, wild, nil, 2, ".csv"},
		"csv null": {Options{Kind: CSV, Field: '\t', Quote: '\'', Line: '\n', HasNull: true, Null: `\N`}, wild, nil, 2, ".csv"},
		"csv names": {Options{Kind: CSV, Field: ';', Quote: '"', Line: '\n', HasNull: true, Header: true}, wild, func(o *WriterOptions) {
			o.Quoting = QuoteStrings
		}, 0, ".csv"},
		"csv escape": {Options{Kind: CSV, Field: ',', Quote: '"', Escape: '\\', Line: '\n', HasNull: true, Null: `\N`}, wild, func(o *WriterOptions) {
			o.Quoting = QuoteAll
		}, 0, ".csv"},
		"opencsv": {opencsv, wild, func(o *WriterOptions) { o.Quoting, o.Null = QuoteAll, "" }, 0, ".csv"},
		"json":    {Options{Kind: JSON, Strict: true}, wild, nil, 3, ".json"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(8, uint64(len(name))))
			for try := range 24 {
				o := c.read.WriterOptions()
				o.Compression = []string{"", "gzip", "zstd", "snappy"}[try%4]
				if c.change != nil {
					c.change(&o)
				}
				path, cols, batches := writeRandom(t, r, o, c.pieces, c.read.Kind == Delimited, c.depth, c.ending)
				if name == "opencsv" { // NULL reads as the empty text, which no number is
					for _, b := range batches {
						for _, v := range b.Cols {
							for i := range v.Len {
								if v.IsNull(i) && v.Type.Physical() == sqltype.PhysString {
									v.SetString(i, "")
									v.Valid.Set(i)
								}
							}
						}
					}
				}
				s := open(t, path, cols, c.read)
				s.files[0].step = int64(100 + r.IntN(3000))
				compareColumns(t, s, cols, batches)
			}
		})
	}
}

// TestWriterRefuses has values that would not read back, and types without text.
func TestWriterRefuses(t *testing.T) {
	str := sqltype.T(sqltype.String)
	hive := Hive()
	for _, c := range []struct {
		o    WriterOptions
		typ  sqltype.Type
		text string
	}{
		{hive.WriterOptions(), str, "a\x01b"},
		{hive.WriterOptions(), str, "a\nb"},
		{WriterOptions{Kind: Delimited, Field: "||"}, str, "a||b"},
		{WriterOptions{Kind: JSON}, str, "\xff"},
	} {
		w, err := NewWriter(&bytes.Buffer{}, []storage.Column{{Name: "c", Type: c.typ}}, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(vector.NewBatch(1, vector.FromStrings(c.typ, c.text))); !sqlerr.Is(err, sqlerr.WrongValue) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	deep := str
	for range 8 {
		deep = sqltype.ArrayOf(deep)
	}
	for _, typ := range []sqltype.Type{sqltype.T(sqltype.Bitmap), sqltype.ArrayOf(sqltype.T(sqltype.HLL)), deep} {
		if _, err := NewWriter(&bytes.Buffer{}, []storage.Column{{Name: "c", Type: typ}}, hive.WriterOptions()); !sqlerr.Is(err, sqlerr.NotSupported) {
			t.Errorf("%s: %v", typ, err)
		}
	}
	o := hive.WriterOptions()
	o.Compression = "bzip2"
	if _, err := NewWriter(&bytes.Buffer{}, nil, o); !sqlerr.Is(err, sqlerr.NotSupported) || !strings.Contains(err.Error(), "bzip2") {
		t.Error(err)
	}
}
