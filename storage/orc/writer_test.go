package orc

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// writtenColumns are a column of every type that can be written.
func writtenColumns() []storage.Column {
	t := sqltype.T
	types := []sqltype.Type{t(sqltype.Boolean), t(sqltype.TinyInt), t(sqltype.SmallInt), t(sqltype.Int), t(sqltype.BigInt), t(sqltype.LargeInt),
		t(sqltype.Float), t(sqltype.Double), sqltype.DecimalOf(9, 2), sqltype.DecimalOf(18, 0), sqltype.DecimalOf(38, 10),
		t(sqltype.Date), sqltype.DateTimeOf(0), sqltype.DateTimeOf(6), {Kind: sqltype.Timestamp, Scale: 6}, {Kind: sqltype.Time, Scale: 3},
		{Kind: sqltype.Char, Length: 8}, sqltype.VarcharOf(30), sqltype.VarcharOf(0), t(sqltype.String), t(sqltype.Binary), t(sqltype.JSON),
		sqltype.ArrayOf(t(sqltype.Int)), sqltype.MapOf(t(sqltype.String), t(sqltype.BigInt)),
		sqltype.StructOf([]string{"a", "b"}, []sqltype.Type{t(sqltype.Int), sqltype.ArrayOf(t(sqltype.String))})}
	var out []storage.Column
	for i, typ := range types {
		out = append(out, storage.Column{Name: fmt.Sprintf("c%d", i), Type: typ, Nullable: true})
		if i%4 == 0 {
			out = append(out, storage.Column{Name: fmt.Sprintf("n%d", i), Type: typ})
		}
	}
	return out
}

// randomVector makes n values of type t: few distinct ones, sorted ones or noise.
func randomVector(r *rand.Rand, t sqltype.Type, n int, nulls int) *vector.Vector {
	v := vector.New(t, n)
	shape := r.IntN(3)
	for i := range n {
		if nulls > 0 && r.IntN(nulls) == 0 {
			v.SetNull(i)
			continue
		}
		seed := r.Int64()
		switch shape {
		case 0:
			seed = int64(r.IntN(20))
		case 1:
			seed = int64(i) / 3
		}
		setRandom(r, v, i, seed)
	}
	return v
}

func setRandom(r *rand.Rand, v *vector.Vector, i int, seed int64) {
	t := v.Type
	x := vector.Value{Type: t, I: int128.FromInt64(seed), F: float64(seed) / 3, S: fmt.Sprint("v", seed)}
	switch t.Kind {
	case sqltype.Boolean:
		x.I = int128.FromInt64(seed & 1)
	case sqltype.LargeInt:
		x.I, _ = x.I.MulOK(int128.FromInt64(1<<40 + 1))
	case sqltype.Decimal:
		x.I = int128.FromInt64(seed % 1_000_000_000)
		if t.Precision > 18 {
			x.I, _ = x.I.MulOK(int128.FromInt64(seed % 1_000_000))
		}
	case sqltype.Date:
		x.I = int128.FromInt64(seed % 2_000_000)
	case sqltype.DateTime, sqltype.Timestamp:
		micros := seed % (9_000_000_000 * 1_000_000) // what pyarrow can hold
		if t.Scale == 0 {
			micros = micros / 1_000_000 * 1_000_000
		}
		if micros < 0 && micros > -1_000_000 {
			micros = 0
		}
		x.I = int128.FromInt64(micros)
	case sqltype.Float:
		x.F = float64(float32(x.F))
	case sqltype.Array:
		elems := randomVector(r, t.Nested.Elems[0], r.IntN(5), 4)
		x.S = string(vector.AppendElements(nil, elems, 0, elems.Len))
	case sqltype.Map:
		k := r.IntN(4)
		keys := vector.New(t.Nested.Elems[0], k)
		for i := range k {
			keys.SetString(i, fmt.Sprint("key", i))
		}
		x.S = string(vector.AppendMap(nil, keys, randomVector(r, t.Nested.Elems[1], k, 3), 0, k))
	case sqltype.Struct:
		var fields []*vector.Vector
		for _, e := range t.Nested.Elems {
			fields = append(fields, randomVector(r, e, 1, 3))
		}
		x.S = string(vector.AppendStruct(nil, fields, 0))
	default:
		if t.Physical() == sqltype.PhysString && seed%7 == 0 {
			x.S = strings.Repeat("long ", int(uint64(seed)%40))
		}
		if t.Kind == sqltype.Char && len(x.S) > 8 {
			x.S = x.S[:8]
		}
	}
	v.SetValue(i, x)
}

// writeRandom writes rows of random values in batches of every form, and returns the file and
// the values by column.
func writeRandom(t testing.TB, r *rand.Rand, cols []storage.Column, rows int, opt WriterOptions) ([]byte, [][]vector.Value) {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, cols, opt)
	if err != nil {
		t.Fatal(err)
	}
	want := make([][]vector.Value, len(cols))
	for done := 0; done < rows; {
		n := min(1+r.IntN(3000), rows-done)
		b := &vector.Batch{Len: n}
		if r.IntN(3) == 0 {
			for i := range n {
				if r.IntN(3) > 0 {
					b.Sel = append(b.Sel, int32(i))
				}
			}
			if b.Sel == nil {
				b.Sel = []int32{}
			}
		}
		for i, c := range cols {
			nulls := 0
			if c.Nullable {
				nulls = []int{0, 2, 10, 1}[r.IntN(4)]
			}
			v := randomVector(r, c.Type, n, nulls)
			switch r.IntN(4) {
			case 0:
				if n > 0 && (c.Nullable || !v.IsNull(0)) {
					v = vector.NewConstant(v.Value(0), n)
				}
			case 1:
				dict := randomVector(r, c.Type, 1+r.IntN(30), 0)
				codes := make([]int32, n)
				for k := range codes {
					codes[k] = int32(r.IntN(dict.Len))
				}
				v = vector.NewDictionary(dict, codes, v.Valid)
			}
			b.Cols = append(b.Cols, v)
			for k := range b.NumRows() {
				want[i] = append(want[i], v.Value(b.Row(k)))
			}
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		done += n
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if int64(file.Len()) != w.Bytes() || int64(len(want[0])) != w.Rows() {
		t.Fatalf("%d bytes and %d rows, the writer says %d and %d", file.Len(), len(want[0]), w.Bytes(), w.Rows())
	}
	return file.Bytes(), want
}

func source(t testing.TB, data []byte) *Source {
	t.Helper()
	s, err := NewSource(&memFS{data: data}, []string{"mem.orc"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sameValue(a, b vector.Value) bool {
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	return a.I == b.I && (a.F == b.F || a.F != a.F && b.F != b.F) && a.S == b.S
}

var codecs = []string{"zlib", "zstd", "snappy", "lz4", "none"}

// TestRoundTrip writes every type in every codec and reads it back.
func TestRoundTrip(t *testing.T) {
	for seed := range 20 {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		cols := writtenColumns()
		opt := WriterOptions{Codec: codecs[seed%len(codecs)], Stride: 100 + r.IntN(3000), StripeRows: 2000 + r.IntN(6000), BlockBytes: 1 << (9 + r.IntN(9))}
		for i := range cols {
			if r.IntN(2) == 0 {
				opt.BloomColumns = append(opt.BloomColumns, i)
			}
		}
		data, want := writeRandom(t, r, cols, r.IntN(12_000), opt)
		s := source(t, data)
		for i, c := range cols {
			if got := s.Columns()[i].Type; got != c.Type {
				t.Fatalf("column %s is %s, was %s", c.Name, got, c.Type)
			}
			at := 0
			err := scan(t, s, &storage.ScanRequest{Columns: []int{i}, Limit: -1}, func(b *vector.Batch) {
				for k := range b.NumRows() {
					if got := b.Cols[0].Value(b.Row(k)); !sameValue(got, want[i][at]) {
						t.Fatalf("seed %d: row %d of %s %s: got %s, want %s", seed, at, c.Name, c.Type, got.Text(), want[i][at].Text())
					}
					at++
				}
			})
			if err != nil || at != len(want[i]) {
				t.Fatalf("seed %d: %s: %d rows of %d, %v", seed, c.Name, at, len(want[i]), err)
			}
		}
		checkWrittenStats(t, s, want)
	}
}

func checkWrittenStats(t *testing.T, s *Source, want [][]vector.Value) {
	for i, vals := range want {
		st := s.Stats().Columns[i]
		nulls := int64(0)
		for k := range vals {
			v := &vals[k]
			if v.Null {
				nulls++
				continue
			}
			if st.Min != nil && v.F == v.F && (v.Compare(*st.Min) < 0 || v.Compare(*st.Max) > 0) {
				t.Errorf("%s: %s lies outside of %s..%s", s.columns[i].Name, v.Text(), st.Min.Text(), st.Max.Text())
				break
			}
		}
		if st.Nulls != nulls {
			t.Errorf("%s: %d nulls, the statistics say %d", s.columns[i].Name, nulls, st.Nulls)
		}
	}
}

// TestFilters reads random files with filters of every selectivity, with predicates for
// pruning, and compares with what filtering the values gives.
func TestFilters(t *testing.T) {
	cols := writtenColumns()
	for seed := range 30 {
		r := rand.New(rand.NewPCG(uint64(seed), 8))
		opt := WriterOptions{Codec: codecs[seed%len(codecs)], Stride: 100 + r.IntN(1000), StripeRows: 3000, BlockBytes: 1 << (10 + r.IntN(8)), BloomColumns: []int{0, 3, 5, 8, 11, 13, 17, 20, 24}}
		data, want := writeRandom(t, r, cols, 200+r.IntN(9000), opt)
		if len(want[0]) == 0 {
			continue
		}
		s := source(t, data)
		for range 12 {
			at := r.IntN(len(cols))
			pivot := want[at][r.IntN(len(want[at]))]
			if pivot.Null || cols[at].Type.IsNested() {
				continue
			}
			op := []storage.Op{storage.OpEq, storage.OpIn, storage.OpLt, storage.OpGe, storage.OpNe, storage.OpIsNull}[r.IntN(6)]
			keep := func(v vector.Value) bool {
				switch {
				case op == storage.OpIsNull || v.Null:
					return op == storage.OpIsNull && v.Null
				case op == storage.OpLt:
					return v.Compare(pivot) < 0
				case op == storage.OpGe:
					return v.Compare(pivot) >= 0
				case op == storage.OpNe:
					return v.Compare(pivot) != 0
				}
				return v.Compare(pivot) == 0
			}
			out := r.IntN(len(cols))
			req := &storage.ScanRequest{Columns: []int{out, at}, Limit: -1, Counters: &storage.ScanCounters{},
				Prune: []storage.Predicate{{Op: op, Column: at, Values: []vector.Value{pivot}}},
				Filters: []storage.Filter{{Columns: []int{at}, New: func() (storage.FilterFunc, error) {
					var rows []int32
					return func(v []*vector.Vector, n int, sel []int32) ([]int32, error) {
						rows = rows[:0]
						for i := range n {
							if (sel == nil || slices.Contains(sel, int32(i))) && keep(v[0].Value(i)) {
								rows = append(rows, int32(i))
							}
						}
						return rows, nil
					}, nil
				}}}}
			var expect []int
			for k, v := range want[at] {
				if keep(v) {
					expect = append(expect, k)
				}
			}
			n := 0
			err := scan(t, s, req, func(b *vector.Batch) {
				for k := range b.NumRows() {
					if n >= len(expect) {
						t.Fatalf("seed %d: a row too many", seed)
					}
					row := b.Row(k)
					if x, y := b.Cols[0].Value(row), want[out][expect[n]]; !sameValue(x, y) {
						t.Fatalf("seed %d, %s by %s: row %d is %s, want %s", seed, cols[out].Type, cols[at].Type, expect[n], x.Text(), y.Text())
					}
					n++
				}
			})
			if err != nil || n != len(expect) {
				t.Fatalf("seed %d: op %d on %s %s: %d rows, want %d: %v", seed, op, cols[at].Name, cols[at].Type, n, len(expect), err)
			}
		}
	}
}

// TestPruning makes sure that stripes, row groups and bloom filters keep rows from being read.
func TestPruning(t *testing.T) {
	integer, text := sqltype.T(sqltype.BigInt), sqltype.T(sqltype.String)
	cols := []storage.Column{{Name: "a", Type: integer}, {Name: "b", Type: text}}
	var file bytes.Buffer
	w, err := NewWriter(&file, cols, WriterOptions{Stride: 1000, StripeRows: 10_000, BloomColumns: []int{1}})
	if err != nil {
		t.Fatal(err)
	}
	const rows = 40_000
	for lo := 0; lo < rows; lo += 4000 {
		a, b := vector.New(integer, 4000), vector.New(text, 4000)
		for i := range 4000 {
			vector.Values[int64](a)[i] = int64(lo + i)
			b.SetString(i, fmt.Sprintf("key %09d", (lo+i)*7919%rows))
		}
		if err := w.Write(vector.NewBatch(4000, a, b)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s := source(t, file.Bytes())
	read := func(p storage.Predicate) (int64, *storage.ScanCounters) {
		c := &storage.ScanCounters{}
		n := int64(0)
		if err := scan(t, s, &storage.ScanRequest{Columns: []int{0, 1}, Limit: -1, Counters: c, Prune: []storage.Predicate{p}}, func(b *vector.Batch) { n += int64(b.NumRows()) }); err != nil {
			t.Fatal(err)
		}
		return n, c
	}
	if n, c := read(storage.Predicate{Op: storage.OpEq, Column: 0, Values: []vector.Value{vector.IntValue(integer, 12_345)}}); n != 1000 || c.RowGroupsPruned.Load() != 3 || c.PagesSkipped.Load() != 9 {
		t.Errorf("by bounds: %d rows, %d stripes pruned, %d groups skipped", n, c.RowGroupsPruned.Load(), c.PagesSkipped.Load())
	}
	if n, _ := read(storage.Predicate{Op: storage.OpEq, Column: 1, Values: []vector.Value{vector.StringValue(text, "key 000000008")}}); n < 1000 || n > 4000 {
		t.Errorf("by bloom filters: %d rows", n)
	}
	if n, c := read(storage.Predicate{Op: storage.OpGt, Column: 0, Values: []vector.Value{vector.IntValue(integer, rows)}}); n != 0 || c.FilesPruned.Load() != 1 {
		t.Errorf("by the file: %d rows, %d files pruned", n, c.FilesPruned.Load())
	}
}

func TestWriteErrors(t *testing.T) {
	if _, err := NewWriter(&bytes.Buffer{}, nil, WriterOptions{Codec: "lzo"}); !sqlerr.Is(err, sqlerr.NotSupported) {
		t.Error(err)
	}
	w, err := NewWriter(&bytes.Buffer{}, []storage.Column{{Name: "a", Type: sqltype.T(sqltype.Int)}}, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	v := vector.New(sqltype.T(sqltype.Int), 2)
	v.SetNull(1)
	if err := w.Write(vector.NewBatch(2, v)); !sqlerr.Is(err, sqlerr.NotNull) {
		t.Error(err)
	}
	moment := sqltype.DateTimeOf(6)
	if w, err = NewWriter(&bytes.Buffer{}, []storage.Column{{Name: "t", Type: moment}}, WriterOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(vector.NewBatch(1, vector.FromValues(moment, []int64{-500_000}, nil))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !sqlerr.Is(err, sqlerr.OutOfRange) {
		t.Errorf("a time that the format cannot hold: %v", err)
	}
}

// TestForeignReader lets pyarrow read what we wrote, where it is installed.
func TestForeignReader(t *testing.T) {
	if err := exec.Command("python3", "-c", "import pyarrow.orc").Run(); err != nil {
		t.Skip("there is no pyarrow")
	}
	dir := t.TempDir()
	for i, codec := range codecs {
		r := rand.New(rand.NewPCG(uint64(i), 11))
		cols := writtenColumns()
		cols = slices.DeleteFunc(cols, func(c storage.Column) bool { return c.Type.Kind == sqltype.LargeInt }) // wider than 38 digits here
		data, want := writeRandom(t, r, cols, 9000, WriterOptions{Codec: codec, Stride: 1000, StripeRows: 4000, BloomColumns: []int{1, 2, 3}})
		path := filepath.Join(dir, codec+".orc")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("python3", "-c", foreignScript, path).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", codec, err, out)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if len(lines) != len(cols) {
			t.Fatalf("%s: %d columns\n%s", codec, len(lines), out)
		}
		for k, c := range cols {
			if got, exp := lines[k], foreignDigest(c, want[k]); got != exp {
				t.Errorf("%s, column %s %s: pyarrow has %s, want %s", codec, c.Name, c.Type, got, exp)
			}
		}
	}
}

// foreignScript prints a line a column: rows, nulls, and a sum over the values.
const foreignScript = `
import sys, pyarrow as pa, pyarrow.orc as orc, pyarrow.compute as pc, datetime, decimal, math
t = orc.ORCFile(sys.argv[1]).read()
M = 2**61 - 1
def num(v, typ):
    if v is None: return 1
    if isinstance(v, bool): return 2 + int(v)
    if pa.types.is_timestamp(typ) or pa.types.is_date(typ): return v % M
    if isinstance(v, int): return v % M
    if isinstance(v, float): return 3 if math.isnan(v) else hash(v) % M if v == int(v) else 5
    if isinstance(v, decimal.Decimal): return int(v.scaleb(typ.scale, decimal.Context(prec=60))) % M
    if isinstance(v, str): v = v.encode()
    if isinstance(v, bytes): return sum(v) + len(v)
    if pa.types.is_map(typ): return 7 + sum(num(k, typ.key_type) * 3 + num(x, typ.item_type) for k, x in v)
    if isinstance(v, list): return 11 + sum(num(x, typ.value_type) for x in v)
    if isinstance(v, dict): return 13 + sum((i + 1) * num(v[typ.field(i).name], typ.field(i).type) for i in range(typ.num_fields))
    raise Exception(str(type(v)))
for i in range(t.num_columns):
    c = t.column(i)
    typ = c.type
    if pa.types.is_timestamp(typ): c = c.cast(pa.int64())
    if pa.types.is_date(typ): c = c.cast(pa.int32())
    vals = c.to_pylist()
    print(len(vals), c.null_count, sum((k % 1000 + 1) * num(v, typ) for k, v in enumerate(vals)) % M)
`

// foreignDigest is what foreignScript prints.
func foreignDigest(c storage.Column, vals []vector.Value) string {
	nulls := 0
	m := int128.FromInt64(1<<61 - 1)
	var sum int128.Int
	for k, v := range vals {
		if v.Null {
			nulls++
		}
		p, _ := foreignNumber(v).MulOK(int128.FromInt64(int64(k%1000 + 1)))
		_, sum = sum.Add(p).QuoRem(m)
	}
	return fmt.Sprint(len(vals), nulls, sum)
}

func foreignNumber(v vector.Value) int128.Int {
	m := int128.FromInt64(1<<61 - 1)
	mod := func(x int128.Int) int128.Int {
		_, r := x.QuoRem(m)
		if r.Sign() < 0 {
			r = r.Add(m)
		}
		return r
	}
	if v.Null {
		return int128.FromInt64(1)
	}
	row := func(t sqltype.Type, store func(out *vector.Vector)) int128.Int {
		one := vector.New(t, 1)
		store(one)
		return foreignNumber(one.Value(0))
	}
	switch v.Type.Kind {
	case sqltype.Boolean:
		return v.I.AddInt64(2)
	case sqltype.DateTime, sqltype.Timestamp:
		x, _ := v.I.MulOK(int128.FromInt64(1000)) // nanoseconds
		return mod(x)
	case sqltype.Float, sqltype.Double:
		if v.F != math.Trunc(v.F) {
			return int128.FromInt64(5)
		}
		x, _ := int128.FromFloat64(math.Abs(v.F))
		x = mod(x)
		if v.F < 0 { // Python's hash of a negative number
			if x = x.Neg(); x == int128.FromInt64(-1) {
				x = int128.FromInt64(-2)
			}
		}
		return mod(x)
	case sqltype.Array:
		e := vector.DecodeElements(v.Type.Nested.Elems[0], []byte(v.S))
		sum := int128.FromInt64(11)
		for k := range e.N {
			sum = sum.Add(row(e.Type, func(out *vector.Vector) { e.StoreTo(k, out, 0) }))
		}
		return sum
	case sqltype.Map:
		keys, values := vector.DecodeMap(v.Type, []byte(v.S))
		sum := int128.FromInt64(7)
		for k := range keys.N {
			x, _ := row(keys.Type, func(out *vector.Vector) { keys.StoreTo(k, out, 0) }).MulOK(int128.FromInt64(3))
			sum = sum.Add(x).Add(row(values.Type, func(out *vector.Vector) { values.StoreTo(k, out, 0) }))
		}
		return sum
	case sqltype.Struct:
		f := vector.DecodeStruct(v.Type, []byte(v.S))
		sum := int128.FromInt64(13)
		for k, e := range v.Type.Nested.Elems {
			x, _ := row(e, func(out *vector.Vector) { f.StoreTo(k, out, 0) }).MulOK(int128.FromInt64(int64(k + 1)))
			sum = sum.Add(x)
		}
		return sum
	}
	if v.Type.Physical() == sqltype.PhysString {
		sum := len(v.S)
		for _, c := range []byte(v.S) {
			sum += int(c)
		}
		return int128.FromInt64(int64(sum))
	}
	return mod(v.I)
}
