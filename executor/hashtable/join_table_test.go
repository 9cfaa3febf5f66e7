package hashtable

import (
	"math/rand"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func TestJoinTable(t *testing.T) {
	for seed := range int64(300) {
		r := rand.New(rand.NewSource(seed))
		types, nullable := make([]sqltype.Type, r.Intn(4)), make([]bool, 4)
		if seed%3 == 0 {
			types = make([]sqltype.Type, 1)
		}
		for i := range types {
			types[i], nullable[i] = keyTypes[r.Intn(len(keyTypes)-1)], r.Intn(2) == 0
		}
		l, err := NewJoinLayout(types, nullable[:len(types)])
		if err != nil {
			t.Fatal(err)
		}
		var arena Arena
		want := map[string][]uint32{}
		var parts []*Rows
		keys := NewKeys(l)
		n, distinct := 0, 1+r.Intn(2000)
		columns := func() []*vector.Vector {
			cols := make([]*vector.Vector, len(types))
			for i := range cols {
				cols[i] = randomVector(r, types[i], 300, distinct, nullable[i])
			}
			return cols
		}
		var skip vector.Bitmap
		if r.Intn(2) == 0 {
			skip = randomBits(r, 900)
		}
		for range 3 {
			rows := NewRows(l, arena.NewWriter())
			cols := columns()
			keys.Encode(cols, 300, nil)
			for j := range keys.N {
				rows.Append(keys, j)
				if text := keyText(cols, j); skip.Get(n) {
					want[text] = append(want[text], uint32(n))
				}
				n++
			}
			parts = append(parts, rows)
		}
		table := NewJoinTable(l, parts, skip)
		if r.Intn(2) == 0 {
			table.rowBits = uint(30 + r.Intn(2)) // as of many rows: other keys have the same tag
		}
		var wg sync.WaitGroup
		alone := r.Intn(4) == 0
		for lo := 0; lo < n; lo += 300 {
			if alone {
				table.InsertAlone(lo, lo+300)
			} else {
				wg.Go(func() { table.Insert(lo, lo+300) })
			}
		}
		wg.Wait()
		unique := true
		for _, rows := range want {
			unique = unique && len(rows) == 1
		}
		if table.Unique() != unique {
			t.Fatalf("seed %d: unique is %v", seed, table.Unique())
		}
		for range 3 {
			cols := columns()
			keys.Encode(cols, 300, nil)
			heads := make([]uint32, 300)
			table.Probe(keys, heads)
			for j, head := range heads {
				text := keyText(cols, j)
				got := map[uint32]bool{}
				for ; head != 0; head = table.Next(head - 1) {
					got[head-1] = true
				}
				if len(got) != len(want[text]) {
					t.Fatalf("seed %d types %v key %s: rows %v, want %v", seed, types, text, got, want[text])
				}
				for _, row := range want[text] {
					if !got[row] {
						t.Fatalf("seed %d types %v key %s: rows %v, want %v", seed, types, text, got, want[text])
					}
				}
			}
		}
	}
}

func TestBloom(t *testing.T) {
	f := NewBloom(10_000)
	r := rand.New(rand.NewSource(1))
	var in []uint64
	for range 10_000 {
		in = append(in, r.Uint64())
	}
	f.Add(in)
	for _, h := range in {
		if !f.May(h) {
			t.Fatalf("%x was added and is not found", h)
		}
	}
	wrong := 0
	for range 100_000 {
		if f.May(r.Uint64()) {
			wrong++
		}
	}
	if wrong > 4000 {
		t.Fatalf("%d of 100000 other hashes pass", wrong)
	}
}

func BenchmarkJoinInt64(b *testing.B) {
	bigint := sqltype.T(sqltype.BigInt)
	for _, c := range []struct {
		name   string
		spread int64
	}{{"dense", 4}, {"sparse", 1_000_003}} {
		b.Run(c.name, func(b *testing.B) {
			const build, probe = 1_500_000, 6_000_000
			l, _ := NewJoinLayout([]sqltype.Type{bigint}, []bool{false})
			r := rand.New(rand.NewSource(1))
			vals := make([]int64, probe)
			for i := range vals {
				vals[i] = int64(r.Intn(build)) * c.spread
			}
			heads := make([]uint32, 4096)
			for b.Loop() {
				rows, keys := NewRows(l, nil), NewKeys(l)
				rows.Words = make([]uint64, build)
				for i := range rows.Words {
					rows.Words[i] = uint64(int64(i) * c.spread)
				}
				rows.N = build
				table := NewJoinTable(l, []*Rows{rows}, nil)
				table.Insert(0, build)
				for lo := 0; lo < probe; lo += 4096 {
					hi := min(lo+4096, probe)
					keys.Encode([]*vector.Vector{vector.FromValues(bigint, vals[lo:hi], nil)}, hi-lo, nil)
					table.Probe(keys, heads)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/probe, "ns/row")
		})
	}
}
