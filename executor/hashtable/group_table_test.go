package hashtable

import (
	"fmt"
	"math"
	"math/rand"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

var keyTypes = []sqltype.Type{
	sqltype.T(sqltype.Boolean), sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.SmallInt), sqltype.T(sqltype.Int),
	sqltype.T(sqltype.BigInt), sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.Float), sqltype.T(sqltype.Double),
	sqltype.T(sqltype.String), sqltype.DecimalOf(15, 2), sqltype.T(sqltype.Null),
}

// randomVector makes n values of at most distinct different ones, a few NULL, in a random form.
func randomVector(r *rand.Rand, t sqltype.Type, n, distinct int, nulls bool) *vector.Vector {
	if t.Kind == sqltype.Null {
		v := vector.New(t, 0)
		v.SetAllNull(n)
		return v
	}
	value := func(i int) vector.Value {
		x := vector.Value{Type: t}
		switch t.Physical() {
		case sqltype.PhysBool:
			x.I.Lo = uint64(i & 1)
		case sqltype.PhysFloat32, sqltype.PhysFloat64:
			x.F = []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), 1.5}[i%5]
			if i >= 5 {
				x.F = float64(i)
			}
		case sqltype.PhysString:
			x.S = fmt.Sprint(i)
			if i%3 == 1 {
				x.S = strings.Repeat("long", i%17) + x.S
			}
		default:
			x.I = int128.FromInt64(int64(i%251 - 125))
		}
		return x
	}
	fill := func(n int) *vector.Vector {
		v := vector.New(t, n)
		for i := range n {
			v.SetValue(i, value(r.Intn(distinct)))
		}
		return v
	}
	switch r.Intn(4) {
	case 0:
		v := vector.NewConstant(value(r.Intn(distinct)), n)
		if nulls && r.Intn(2) == 0 {
			v = vector.NewConstant(vector.NullOf(t), n)
		}
		return v
	case 1:
		codes := make([]int32, n)
		dict := fill(1 + r.Intn(distinct))
		for i := range codes {
			codes[i] = int32(r.Intn(dict.Len))
		}
		v := vector.NewDictionary(dict, codes, nil)
		if nulls {
			v.Valid = randomBits(r, n)
		}
		return v
	}
	v := fill(n)
	if nulls {
		v.Valid = randomBits(r, n)
	}
	return v
}

func randomBits(r *rand.Rand, n int) vector.Bitmap {
	b := vector.NewBitmap(n)
	for i := range n {
		if r.Intn(5) == 0 {
			b.Clear(i)
		}
	}
	return b
}

func keyText(cols []*vector.Vector, row int) string {
	var b strings.Builder
	for _, c := range cols {
		if c.IsNull(row) {
			b.WriteString("|NULL")
			continue
		}
		x := c.Value(row)
		if x.F == 0 {
			x.F = 0
		}
		fmt.Fprintf(&b, "|%d:%v,%v,%v", len(x.S), x.S, x.I, x.F+0)
	}
	return b.String()
}

func randomSel(r *rand.Rand, n int) []int32 {
	if r.Intn(2) == 0 {
		return nil
	}
	sel := []int32{}
	for i := range n {
		if r.Intn(3) > 0 {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

func TestGroupTable(t *testing.T) {
	for seed := range int64(300) {
		r := rand.New(rand.NewSource(seed))
		types, nullable := make([]sqltype.Type, 1+r.Intn(4)), make([]bool, 4)
		if seed%3 == 0 {
			types = types[:1]
		}
		for i := range types {
			types[i], nullable[i] = keyTypes[r.Intn(len(keyTypes))], r.Intn(2) == 0
		}
		l, err := NewLayout(types, nullable[:len(types)])
		if err != nil {
			t.Fatal(err)
		}
		var arena Arena
		table := NewGroupTable(l, arena.NewWriter(), 4)
		if seed%2 == 0 {
			table.AllowDense()
		}
		moved := NewGroupTable(l, arena.NewWriter(), 4)
		keys, again := NewKeys(l), NewKeys(l)
		want, texts := map[string]uint32{}, []string{}
		for range 10 {
			n := 1 + r.Intn(500)
			cols := make([]*vector.Vector, len(types))
			for i := range cols {
				cols[i] = randomVector(r, types[i], n, 1+r.Intn(300), nullable[i])
			}
			sel := randomSel(r, n)
			keys.Encode(cols, n, sel)
			groups := make([]uint32, keys.N)
			table.FindOrAdd(keys, groups)
			found := make([]int32, keys.N)
			table.Lookup(keys, found)
			for j, g := range groups {
				text := keyText(cols, liveRow(sel, j))
				w, ok := want[text]
				if !ok {
					w = uint32(len(want))
					want[text] = w
					texts = append(texts, text)
				}
				if g != w || found[j] != int32(w) {
					t.Fatalf("seed %d types %v: key %s is group %d, looked up %d, want %d", seed, types, text, g, found[j], w)
				}
			}
		}
		if table.Groups() != len(want) {
			t.Fatalf("seed %d: %d groups, want %d", seed, table.Groups(), len(want))
		}
		check := func(what string, rows *Rows, order []uint32) {
			t.Helper()
			cols := make([]*vector.Vector, len(types))
			for i := range cols {
				cols[i] = vector.New(types[i], rows.N)
				rows.Decode(i, 0, cols[i])
			}
			for g, i := range order {
				if text := keyText(cols, g); text != texts[i] {
					t.Fatalf("seed %d %s: group %d is %s, want %s (%v)", seed, what, g, text, texts[i], types)
				}
			}
		}
		order, offsets := table.PartitionAt(0, 4)
		all := make([]uint32, table.Groups())
		for i := range all {
			all[i] = uint32(i)
		}
		check("decode", table.Rows, all)
		for p := range 16 {
			part := order[offsets[p]:offsets[p+1]]
			again.LoadAt(table.Rows, part)
			groups := make([]uint32, len(part))
			moved.FindOrAdd(again, groups)
			for _, h := range again.Hash() {
				if PartitionOf(h, 4) != p {
					t.Fatalf("seed %d: hash %x in partition %d", seed, h, p)
				}
			}
		}
		check("moved", moved.Rows, order)
	}
}

func TestLongStrings(t *testing.T) {
	seen := map[uint64]int{}
	buf := make([]byte, 300)
	for n := range buf {
		for _, flip := range []int{0, n / 2, n - 1} {
			b := append([]byte(nil), buf[:n]...)
			if flip >= 0 && flip < n {
				b[flip] = 1
			}
			h := HashBytes(b)
			if old, ok := seen[h]; ok && old != n {
				t.Fatalf("lengths %d and %d collide", old, n)
			}
			seen[h] = n
		}
	}
	if len(seen) < 800 {
		t.Fatalf("%d different hashes only", len(seen))
	}
}

func BenchmarkGroupInt64(b *testing.B) {
	for _, distinct := range []int{100, 200_000, 1_500_000} {
		b.Run(fmt.Sprint(distinct), func(b *testing.B) {
			const rows = 6_000_000
			vals := make([]int64, rows)
			r := rand.New(rand.NewSource(1))
			for i := range vals {
				vals[i] = int64(r.Intn(distinct))
			}
			l, _ := NewLayout([]sqltype.Type{sqltype.T(sqltype.BigInt)}, []bool{true})
			groups := make([]uint32, 4096)
			for b.Loop() {
				table, keys := NewGroupTable(l, nil, 1000), NewKeys(l)
				table.AllowDense()
				for lo := 0; lo < rows; lo += 4096 {
					hi := min(lo+4096, rows)
					keys.Encode([]*vector.Vector{vector.FromValues(sqltype.T(sqltype.BigInt), vals[lo:hi], nil)}, hi-lo, nil)
					table.FindOrAdd(keys, groups)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}
