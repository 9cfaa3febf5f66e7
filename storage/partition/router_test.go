package partition

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

func endpoint(v any, t sqltype.Type) storage.Endpoint {
	switch v := v.(type) {
	case nil:
		return storage.Endpoint{Min: true}
	case int:
		return storage.Endpoint{Value: vector.IntValue(t, int64(v))}
	}
	return storage.Endpoint{Max: true}
}

// TestRouteRange holds the rules of ranges: holes, NULL, the upper bound excluded.
func TestRouteRange(t *testing.T) {
	bt := sqltype.T(sqltype.BigInt)
	part := func(lo, hi any) storage.PartitionInfo {
		return storage.PartitionInfo{Bounds: storage.PartitionBounds{Lower: []storage.Endpoint{endpoint(lo, bt)}, Upper: []storage.Endpoint{endpoint(hi, bt)}}}
	}
	r := NewRouter(storage.RangePartitions, []sqltype.Type{bt}, []storage.PartitionInfo{part(20, 30), part(nil, 10), part(40, "max")})
	v := vector.FromValues(bt, []int64{-5, 9, 10, 19, 20, 29, 30, 40, 1 << 40, 0}, nil)
	v.SetNull(9)
	out := make([]int32, v.Len)
	missing, _ := r.Route([]*vector.Vector{v}, v.Len, nil, out, nil)
	if got := fmt.Sprint(out, missing); got != "[1 1 -1 -1 0 0 -1 2 2 1] 3" {
		t.Error(got)
	}
	keys := Unrouted([]*vector.Vector{v}, v.Len, nil, out)
	text := ""
	for _, k := range keys {
		text += TupleText(k)
	}
	if text != "(10)(19)(30)" {
		t.Error(text)
	}
}

// randomParts makes partitions of n columns whose values are small, so that rows meet them.
func randomParts(r *rand.Rand, kind storage.PartitionKind, types []sqltype.Type) []storage.PartitionInfo {
	var parts []storage.PartitionInfo
	var named []Named
	for range 60 {
		var p storage.PartitionInfo
		if kind == storage.RangePartitions {
			lo, hi := randomBound(r, types), randomBound(r, types)
			if CompareBound(lo, hi) >= 0 {
				continue
			}
			p.Bounds = storage.PartitionBounds{Lower: lo, Upper: hi}
		} else {
			for range 1 + r.IntN(3) {
				tuple := make([]vector.Value, len(types))
				for k, t := range types {
					tuple[k] = randomValue(r, t)
				}
				p.Bounds.Values = append(p.Bounds.Values, tuple)
			}
		}
		if CheckFree(kind, types, "p", &p.Bounds, named) != nil {
			continue
		}
		named = append(named, Named{Name: "x", Bounds: p.Bounds})
		parts = append(parts, p)
	}
	return parts
}

func randomBound(r *rand.Rand, types []sqltype.Type) []storage.Endpoint {
	b := make([]storage.Endpoint, len(types))
	for k, t := range types {
		switch v := randomValue(r, t); {
		case v.Null:
			b[k].Min = true
		case r.IntN(9) == 0:
			b[k].Max = true
		default:
			b[k] = EndpointOf(v)
		}
	}
	return b
}

func randomValue(r *rand.Rand, t sqltype.Type) vector.Value {
	x := int64(r.IntN(24) - 12)
	switch {
	case r.IntN(9) == 0:
		return vector.NullOf(t)
	case t.Physical() == sqltype.PhysString:
		return vector.StringValue(t, fmt.Sprint("a long enough value ", x)[18-min(r.IntN(3), 1)*17:])
	case t.Kind == sqltype.Boolean:
		return vector.BoolValue(x > 0)
	case t.Physical() == sqltype.PhysInt128:
		return vector.Value{Type: t, I: int128.Int{Lo: uint64(x), Hi: x % 2}}
	}
	return vector.IntValue(t, x)
}

// TestRoute compares Route with Find over random partitions, types, forms and selections.
func TestRoute(t *testing.T) {
	all := []sqltype.Type{sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.SmallInt), sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt),
		sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.Date), sqltype.DateTimeOf(0), sqltype.VarcharOf(60), sqltype.T(sqltype.Boolean)}
	found := 0
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 3))
		kind, choice := storage.RangePartitions, all[:7]
		if r.IntN(2) == 0 {
			kind, choice = storage.ListPartitions, all
		}
		var types []sqltype.Type
		for range 1 + r.IntN(3) {
			types = append(types, choice[r.IntN(len(choice))])
		}
		router := NewRouter(kind, types, randomParts(r, kind, types))
		n := 1 + r.IntN(100)
		cols := make([]*vector.Vector, len(types))
		for k, ty := range types {
			cols[k] = randomColumn(r, ty, n)
		}
		var sel []int32
		if r.IntN(2) == 0 {
			sel = []int32{}
			for i := range n {
				if r.IntN(3) > 0 {
					sel = append(sel, int32(i))
				}
			}
		}
		out := make([]int32, n)
		missing, _ := router.Route(cols, n, sel, out, nil)
		each(n, sel, func(i int) {
			tuple := make([]vector.Value, len(cols))
			for k, c := range cols {
				tuple[k] = c.Value(i)
			}
			want := router.Find(tuple)
			if out[i] != int32(want) {
				t.Fatalf("seed %d: row %d %s: partition %d, want %d", seed, i, TupleText(tuple), out[i], want)
			}
			if want < 0 {
				missing--
			} else {
				found++
			}
		})
		if missing != 0 {
			t.Fatalf("seed %d: count of missing rows is off by %d", seed, missing)
		}
	}
	if found < 5000 {
		t.Errorf("only %d rows found a partition", found)
	}
}

func randomColumn(r *rand.Rand, ty sqltype.Type, n int) *vector.Vector {
	switch r.IntN(4) {
	case 0:
		return vector.NewConstant(randomValue(r, ty), n)
	case 1:
		dict := vector.New(ty, 1+r.IntN(2*n))
		for i := range dict.Len {
			v := randomValue(r, ty)
			for v.Null {
				v = randomValue(r, ty)
			}
			dict.SetValue(i, v)
		}
		codes := make([]int32, n)
		valid := vector.NewBitmap(n)
		for i := range codes {
			codes[i] = int32(r.IntN(dict.Len))
			if r.IntN(9) == 0 {
				valid.Clear(i)
			}
		}
		return vector.NewDictionary(dict, codes, valid)
	}
	v := vector.New(ty, n)
	for i := range n {
		v.SetValue(i, randomValue(r, ty))
	}
	return v
}

// BenchmarkRoute routes a batch of dates to 400 daily partitions, in order and mixed.
func BenchmarkRoute(b *testing.B) {
	dt := sqltype.T(sqltype.Date)
	var parts []storage.PartitionInfo
	for d := range 400 {
		parts = append(parts, storage.PartitionInfo{Bounds: storage.PartitionBounds{
			Lower: []storage.Endpoint{endpoint(19000+d, dt)}, Upper: []storage.Endpoint{endpoint(19001+d, dt)}}})
	}
	r := NewRouter(storage.RangePartitions, []sqltype.Type{dt}, parts)
	for _, name := range []string{"runs", "mixed"} {
		v := vector.New(dt, vector.BatchRows)
		for i := range vector.BatchRows {
			x := i / 100
			if name == "mixed" {
				x = i * 7919 % 400
			}
			vector.Values[int32](v)[i] = int32(19000 + x)
		}
		b.Run(name, func(b *testing.B) {
			out := make([]int32, v.Len)
			b.SetBytes(int64(v.Len)) // MB/s are million rows a second
			for b.Loop() {
				r.Route([]*vector.Vector{v}, v.Len, nil, out, nil)
			}
		})
	}
}
