package sorting

import (
	"bytes"
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// compare is the reference order of two values of one key column.
func compare(c Column, x, y vector.Value) int {
	switch {
	case x.Null && y.Null:
		return 0
	case x.Null || y.Null:
		if x.Null == c.NullsFirst {
			return -1
		}
		return 1
	}
	if c.Desc {
		x, y = y, x
	}
	return x.Compare(y)
}

func sign(x int) int { return min(max(x, -1), 1) }

func TestKeysOrderAsValues(t *testing.T) {
	ints := func(typ sqltype.Type, vals ...int64) []vector.Value {
		out := []vector.Value{vector.NullOf(typ)}
		for _, v := range vals {
			out = append(out, vector.IntValue(typ, v))
		}
		return out
	}
	floats := func(typ sqltype.Type) []vector.Value {
		out := []vector.Value{vector.NullOf(typ)}
		for _, f := range []float64{math.Inf(-1), -1.5, math.Copysign(0, -1), 0, 1e-30, 2, math.Inf(1), math.NaN()} {
			out = append(out, vector.Value{Type: typ, F: f})
		}
		return out
	}
	text := sqltype.T(sqltype.String)
	strings := []vector.Value{vector.NullOf(text)}
	for _, s := range []string{"", "\x00", "\x00\x00", "\x00\xff", "a", "a\x00", "a\x00b", "ab", "abcdefghijklmnop", "abcdefghijklmnoq", "\xff", "\xff\xff"} {
		strings = append(strings, vector.StringValue(text, s))
	}
	large := sqltype.T(sqltype.LargeInt)
	wide := []vector.Value{vector.NullOf(large)}
	for _, x := range []int128.Int{{Hi: math.MinInt64}, {Hi: -1, Lo: 5}, {Hi: -1, Lo: math.MaxUint64}, {}, {Lo: 1 << 63}, {Hi: 1}, {Hi: math.MaxInt64, Lo: 1}} {
		wide = append(wide, vector.Value{Type: large, I: x})
	}
	for _, vals := range [][]vector.Value{
		ints(sqltype.T(sqltype.TinyInt), -128, -1, 0, 1, 127), ints(sqltype.T(sqltype.SmallInt), math.MinInt16, -256, 0, 255, 256),
		ints(sqltype.T(sqltype.Date), math.MinInt32, -1, 0, 20000), ints(sqltype.T(sqltype.BigInt), math.MinInt64, -1, 0, 1, math.MaxInt64),
		ints(sqltype.T(sqltype.Boolean), 0, 1), floats(sqltype.T(sqltype.Double)), floats(sqltype.T(sqltype.Float)), strings, wide,
	} {
		for _, c := range []Column{{}, {Desc: true}, {NullsFirst: true}, {Desc: true, NullsFirst: true}} {
			c.Type = vals[0].Type
			v := vector.New(c.Type, len(vals))
			for i, x := range vals {
				v.SetValue(i, x)
			}
			e, err := NewEncoder([]Column{c})
			if err != nil {
				t.Fatal(err)
			}
			k := e.NewKeys()
			e.Append(k, []*vector.Vector{v}, len(vals), nil)
			for i, x := range vals {
				for j, y := range vals {
					if got, want := bytes.Compare(k.At(i), k.At(j)), sign(compare(c, x, y)); got != want {
						t.Errorf("%s %+v: %v and %v compare as %d, want %d", c.Type, c, x, y, got, want)
					}
				}
			}
		}
	}
}

// TestEncoderForms: selections and constants encode as the flat rows that they stand for.
func TestEncoderForms(t *testing.T) {
	text, big := sqltype.T(sqltype.String), sqltype.T(sqltype.BigInt)
	cols := []Column{{Type: text, Desc: true}, {Type: big}}
	a := vector.FromStrings(text, "x", "a long string, longer than a view", "")
	b := vector.FromValues(big, []int64{3, 1, 2}, nil)
	c := vector.NewConstant(vector.IntValue(big, 1), 3)
	e, _ := NewEncoder(cols)
	want, got := e.NewKeys(), e.NewKeys()
	e.Append(want, []*vector.Vector{a, b}, 3, nil)
	e.Append(got, []*vector.Vector{a, b}, 3, []int32{0, 2})
	e.Append(got, []*vector.Vector{a, c}, 3, []int32{1})
	for i, j := range []int{0, 2, 1} {
		if !bytes.Equal(got.At(i), want.At(j)) {
			t.Errorf("key %d: %x, want %x", i, got.At(i), want.At(j))
		}
	}
}

// TestMerge sorts random rows in several runs of random sizes and merges them in several parts.
func TestMerge(t *testing.T) {
	text, big := sqltype.T(sqltype.String), sqltype.T(sqltype.BigInt)
	for seed := range int64(60) {
		r := rand.New(rand.NewSource(seed))
		cols := []Column{{Type: big, Desc: r.Intn(2) == 0}}
		if r.Intn(2) == 0 {
			cols = append(cols, Column{Type: text, NullsFirst: true})
		}
		if r.Intn(3) == 0 {
			slices.Reverse(cols)
		}
		e, _ := NewEncoder(cols)
		var runs []*Run
		var bases []uint32
		var all [][]byte
		distinct := 1 << r.Intn(20)
		for range 1 + r.Intn(5) {
			n := r.Intn(1 << (1 + r.Intn(11)))
			k := e.NewKeys()
			vecs := make([]*vector.Vector, len(cols))
			for i, c := range cols {
				v := vector.New(c.Type, n)
				for row := range n {
					switch x := r.Intn(distinct); {
					case distinct > 4 && x%9 == 0 && seed%2 == 0:
						v.SetNull(row)
					case c.Type == text:
						v.SetString(row, "prefix of strings "[:r.Intn(2)*16]+string(rune('a'+x%50)))
					default:
						vector.Values[int64](v)[row] = int64(x)
					}
				}
				vecs[i] = v
			}
			e.Append(k, vecs, n, nil)
			bases = append(bases, uint32(len(all)))
			for i := range n {
				all = append(all, k.At(i))
			}
			runs = append(runs, NewRun(k))
		}
		m := NewMerge(runs, 1+r.Intn(6))
		if m.Len() != len(all) {
			t.Fatalf("seed %d: %d rows, want %d", seed, m.Len(), len(all))
		}
		order := make([]int32, m.Len())
		for p := range m.Parts() {
			m.MergePart(p, bases, order)
		}
		seen := make([]bool, len(all))
		for i, row := range order {
			if seen[row] {
				t.Fatalf("seed %d: row %d twice", seed, row)
			}
			seen[row] = true
			if i > 0 && bytes.Compare(all[order[i-1]], all[row]) > 0 {
				t.Fatalf("seed %d: position %d is out of order", seed, i)
			}
		}
	}
}

func BenchmarkRunInt64(b *testing.B) {
	big := sqltype.T(sqltype.BigInt)
	n := 1 << 20
	r := rand.New(rand.NewSource(1))
	vals := make([]int64, n)
	for i := range vals {
		vals[i] = r.Int63n(1 << 40)
	}
	v := vector.FromValues(big, vals, nil)
	e, _ := NewEncoder([]Column{{Type: big}})
	for b.Loop() {
		k := e.NewKeys()
		e.Append(k, []*vector.Vector{v}, n, nil)
		NewRun(k)
	}
}
