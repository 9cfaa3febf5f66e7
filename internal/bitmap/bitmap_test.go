package bitmap

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// shapes are sets of all kinds of containers.
func shapes(r *rand.Rand) [][]uint64 {
	out := [][]uint64{
		{}, {0}, {1}, {1 << 32}, {1<<32 - 1, 1 << 32}, {math.MaxUint64}, {1 << 63, 1<<63 - 1}, {0, math.MaxUint64}, {65535, 65536},
	}
	random := func(n int, base, span uint64) (vals []uint64) {
		for range n {
			vals = append(vals, base+r.Uint64N(span))
		}
		return vals
	}
	run := func(from, n uint64) (vals []uint64) {
		for i := range n {
			vals = append(vals, from+i)
		}
		return vals
	}
	return append(out,
		random(20, 0, 100), random(300, 0, 1<<20), random(3000, 0, 1<<17), random(30000, 5<<32, 1<<18), random(5000, 0, math.MaxUint64),
		run(10, 100000), run(1<<32-70000, 140000), append(run(0, 5000), random(500, 0, 1<<40)...), run(0, 65536), run(65536, 4096), run(65536, 4097),
		append(random(6000, 1<<33, 65536), run(3<<33, 3)...), slices.Concat(run(0, 4), run(1<<16, 4), run(1<<17, 4), run(1<<18, 4), run(1<<20, 4)),
		random(2000, 1<<40, 1<<12), append(random(400, 0, 1<<30), random(70, 1<<50, 64)...),
	)
}

func oracle(vals []uint64) *roaring64.Bitmap { return roaring64.BitmapOf(vals...) }

func mustBytes(t testing.TB, w *Workspace, s *Set) []byte {
	t.Helper()
	b, err := w.AppendTo([]byte("x"), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := Validate(b[1:]); err != nil {
		t.Fatal(err)
	}
	return b[1:]
}

// sameSet compares a serialised bitmap with the oracle.
func sameSet(t testing.TB, what string, b []byte, want *roaring64.Bitmap) {
	t.Helper()
	got := roaring64.New()
	if n, err := got.ReadFrom(bytes.NewReader(b)); err != nil || n != int64(len(b)) {
		t.Fatalf("%s: the library read %d of %d bytes: %v", what, n, len(b), err)
	}
	if !got.Equals(want) {
		t.Fatalf("%s: another set: %d values, want %d", what, got.GetCardinality(), want.GetCardinality())
	}
}

// same is sameSet, and the library writes the same bytes.
func same(t testing.TB, what string, b []byte, want *roaring64.Bitmap) {
	t.Helper()
	sameSet(t, what, b, want)
	want.RunOptimize()
	other, err := want.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, other) {
		t.Fatalf("%s: other bytes than the library's", what)
	}
	n, err := Count(b)
	if err != nil || uint64(n) != want.GetCardinality() {
		t.Fatalf("%s: count %d, %v, want %d", what, n, err, want.GetCardinality())
	}
}

func TestSetMatchesRoaring(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i, vals := range shapes(r) {
		var w Workspace
		var s Set
		for _, v := range vals {
			w.Add(&s, v)
		}
		b := mustBytes(t, &w, &s)
		same(t, "add", b, oracle(vals))
		if n := w.Count(&s); uint64(n) != oracle(vals).GetCardinality() {
			t.Errorf("shape %d: counted %d", i, n)
		}
		for _, v := range vals { // once more: nothing changes
			w.Add(&s, v)
		}
		same(t, "again", mustBytes(t, &w, &s), oracle(vals))
		if w.Held < 0 {
			t.Errorf("shape %d: %d bytes held", i, w.Held)
		}
		plain, _ := oracle(vals).ToBytes() // forms that we would not choose
		if err := Validate(plain); err != nil {
			t.Fatal(err)
		}
		var u Set
		if err := w.Or(&u, plain, nil); err != nil {
			t.Fatal(err)
		}
		w.Add(&u, 77)
		sameSet(t, "or", mustBytes(t, &w, &u), oracle(append([]uint64{77}, vals...)))
		if n := w.Count(&u); uint64(n) != oracle(append([]uint64{77}, vals...)).GetCardinality() {
			t.Errorf("shape %d and 77: counted %d", i, n)
		}
	}
}

func TestAlgebraMatchesRoaring(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	sets := shapes(r)
	var a Algebra
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for i, x := range sets {
		for j, y := range sets {
			ox, oy := oracle(x), oracle(y)
			if (i+j)%2 == 0 {
				ox.RunOptimize()
			}
			bx, _ := ox.ToBytes()
			by, _ := oy.ToBytes()
			loose := func(what string, b []byte, want *roaring64.Bitmap) {
				t.Helper()
				got := roaring64.New()
				if n, err := got.ReadFrom(bytes.NewReader(b)); err != nil || n != int64(len(b)) || !got.Equals(want) {
					t.Fatalf("%s of %d and %d: %v", what, i, j, err)
				}
			}
			loose("and", must(a.And(nil, bx, by)), roaring64.And(ox, oy))
			loose("or", must(a.Or(nil, bx, by)), roaring64.Or(ox, oy))
			loose("xor", must(a.Xor(nil, bx, by)), roaring64.Xor(ox, oy))
			loose("andnot", must(a.AndNot(nil, bx, by)), roaring64.AndNot(ox, oy))
			if n, err := a.AndCount(bx, by); err != nil || uint64(n) != ox.AndCardinality(oy) {
				t.Fatalf("and count of %d and %d: %d %v", i, j, n, err)
			}
			if any, err := a.HasAny(bx, by); err != nil || any != ox.Intersects(oy) {
				t.Fatalf("has any of %d and %d: %v %v", i, j, any, err)
			}
			if all, err := a.HasAll(bx, by); err != nil || all != (ox.AndCardinality(oy) == oy.GetCardinality()) {
				t.Fatalf("has all of %d and %d: %v %v", i, j, all, err)
			}
			// Unions and merges of sets in all their stages.
			var w, w2 Workspace
			var s, s2 Set
			for _, v := range y {
				w2.Add(&s2, v)
			}
			if i%2 == 0 {
				if err := w.Or(&s, bx, nil); err != nil {
					t.Fatal(err)
				}
			} else {
				for _, v := range x {
					w.Add(&s, v)
				}
			}
			w.Merge(&s, &s2)
			if err := w.Or(&s, by, nil); err != nil {
				t.Fatal(err)
			}
			loose("merge", mustBytes(t, &w, &s), roaring64.Or(ox, oy))
			if w.Held < 0 {
				t.Fatalf("%d bytes held", w.Held)
			}
		}
	}
}

func TestQueriesMatchSlices(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var a Algebra
	for _, vals := range shapes(r) {
		o := oracle(vals)
		b, _ := o.ToBytes()
		sorted := o.ToArray()
		lo, okLo, err1 := Min(b)
		hi, okHi, err2 := Max(b)
		if err1 != nil || err2 != nil || okLo != (len(sorted) > 0) || okLo && (lo != sorted[0] || hi != sorted[len(sorted)-1]) || okHi != okLo {
			t.Fatalf("min %d max %d", lo, hi)
		}
		reader := Read(b)
		var read []uint64
		for {
			n := len(read)
			var err error
			if read, err = reader.Append(read, 1000); err != nil {
				t.Fatal(err)
			}
			if len(read)-n < 1000 {
				break
			}
		}
		if !slices.Equal(read, sorted) {
			t.Fatalf("read %d values of %d", len(read), len(sorted))
		}
		probes := []uint64{0, 1, 63, 64, 65535, 65536, 1 << 32, 1<<33 + 5, 1 << 63, math.MaxUint64, r.Uint64(), r.Uint64N(1 << 20)}
		for range 10 {
			if len(sorted) > 0 {
				probes = append(probes, sorted[r.IntN(len(sorted))])
			}
		}
		for _, p := range probes {
			if got, err := Contains(b, p); err != nil || got != o.Contains(p) {
				t.Fatalf("contains %d: %v %v", p, got, err)
			}
			for _, q := range probes {
				skip, n := uint64(r.IntN(len(sorted)+2)), uint64(r.IntN(len(sorted)+2))
				if r.IntN(3) == 0 {
					skip = 0
				}
				if r.IntN(3) == 0 {
					n = math.MaxUint64
				}
				var want []uint64
				for _, v := range sorted {
					if v >= p && v <= q {
						want = append(want, v)
					}
				}
				want = want[min(skip, uint64(len(want))):]
				want = want[:min(n, uint64(len(want)))]
				got, count, err := a.Slice(nil, b, p, q, skip, n)
				if err != nil || count != uint64(len(want)) {
					t.Fatalf("slice [%d, %d] skip %d of %d: %d values, want %d, %v", p, q, skip, n, count, len(want), err)
				}
				back := roaring64.New()
				if _, err := back.ReadFrom(bytes.NewReader(got)); err != nil || !slices.Equal(back.ToArray(), want) && len(want) > 0 {
					t.Fatalf("slice [%d, %d] skip %d of %d: other values: %v", p, q, skip, n, err)
				}
			}
		}
	}
}

func TestSingleAndEmpty(t *testing.T) {
	for _, v := range []uint64{0, 1, 65535, 65536, 1<<32 - 1, 1 << 32, 1 << 63, math.MaxUint64} {
		b := AppendSingle(nil, v)
		same(t, "single", b, oracle([]uint64{v}))
		if got, ok := single(b); !ok || got != v {
			t.Errorf("%d was read as %d, %v", v, got, ok)
		}
	}
	same(t, "empty", AppendEmpty(nil), oracle(nil))
	if n, err := Count(nil); n != 0 || err != nil {
		t.Errorf("no bytes: %d, %v", n, err)
	}
}

// FuzzBytes: whatever the bytes are, every operation ends with a value or CorruptFile, and what Validate accepts the
// library reads as the same set.
func FuzzBytes(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, vals := range shapes(r) {
		o := oracle(vals[:min(len(vals), 300)])
		b, _ := o.ToBytes()
		f.Add(b, uint64(3))
		o.RunOptimize()
		b, _ = o.ToBytes()
		f.Add(b, uint64(1<<33))
	}
	other := AppendSingle(nil, 65537)
	f.Fuzz(func(t *testing.T, b []byte, v uint64) {
		valid := Validate(b)
		check := func(err error) {
			t.Helper()
			if err != nil && !sqlerr.Is(err, sqlerr.CorruptFile) {
				t.Fatal(err)
			}
			if valid == nil && err != nil {
				t.Fatal("refused after Validate:", err)
			}
		}
		check(valid)
		var a Algebra
		for _, f := range []func(dst, x, y []byte) ([]byte, error){a.And, a.Or, a.Xor, a.AndNot} {
			_, err := f(nil, b, other)
			check(err)
			_, err = f(nil, other, b)
			check(err)
			_, err = f(nil, b, b)
			check(err)
		}
		_, err := a.HasAny(b, other)
		check(err)
		_, err = a.HasAll(other, b)
		check(err)
		_, err = Contains(b, v)
		check(err)
		_, _, err = Min(b)
		check(err)
		_, _, err = Max(b)
		check(err)
		_, _, err = a.Slice(nil, b, v, v+1<<20, 3, 5)
		check(err)
		reader := Read(b)
		vals, err := reader.Append(nil, 1<<20)
		check(err)
		checkSize(t, b)
		waits := Workspace{Held: nearBytes}
		var pair Set
		check(waits.Or(&pair, b, nil))
		check(waits.Or(&pair, other, nil))
		check(waits.Or(&pair, b, nil))
		waits.Count(&pair)
		var w Workspace
		var s Set
		check(w.Or(&s, b, nil))
		w.Add(&s, v)
		check(w.Or(&s, b, nil))
		if valid != nil {
			return
		}
		got := mustBytes(t, &w, &s)
		if len(vals) == 1<<20 {
			return
		}
		sameSet(t, "union", got, oracle(append(vals, v)))
	})
}

// checkSize compares size with walking container by container.
func checkSize(t *testing.T, b []byte) (failed bool) {
	t.Helper()
	quick, slow := walk(b), walk(b)
	values, containers := quick.size()
	wantValues, wantContainers := int64(0), 0
	for slow.next() {
		wantValues, wantContainers = wantValues+int64(slow.card), wantContainers+1
	}
	if (quick.err == nil) != (slow.err == nil) || quick.err == nil && (values != wantValues || containers != wantContainers) {
		t.Fatalf("%x: %d values in %d containers (%v), one by one %d in %d (%v)", b, values, containers, quick.err, wantValues, wantContainers, slow.err)
	}
	if quick.next() {
		t.Fatal("there is more behind the end")
	}
	return quick.err != nil
}

// TestSize looks at the headers of bitmaps, whole and damaged.
func TestSize(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	var whole [][]byte
	for _, vals := range shapes(r) {
		o := oracle(vals[:min(len(vals), 300)])
		plain, _ := o.ToBytes()
		o.RunOptimize()
		runs, _ := o.ToBytes()
		whole = append(whole, plain, runs)
	}
	failed, fine := 0, 0
	for range 50_000 {
		b := whole[r.IntN(len(whole))]
		if n := len(b); n > 8 && r.IntN(4) > 0 {
			b = slices.Clone(b)
			for range 1 + r.IntN(2) {
				b[r.IntN(min(n, 60))] ^= 1 << r.IntN(8)
			}
			if r.IntN(3) == 0 {
				b = b[:n-r.IntN(8)]
			}
		}
		if checkSize(t, b) {
			failed++
		} else {
			fine++
		}
	}
	if failed < 1000 || fine < 10_000 {
		t.Errorf("too little was tried: %d damaged, %d fine", failed, fine)
	}
}

// TestManyUnions adds bitmaps of all shapes and single values to a few sets in random order, merges the sets and reads them
// in between.
func TestManyUnions(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	var small [][]uint64
	for _, vals := range shapes(r) {
		small = append(small, vals[:min(len(vals), 2500)])
	}
	for round := range 30 {
		var ws [3]Workspace
		var sets [3]Set
		want := [3]*roaring64.Bitmap{roaring64.New(), roaring64.New(), roaring64.New()}
		pool := small[:1+r.IntN(len(small))]
		for range 300 {
			i := r.IntN(3)
			switch r.IntN(10) {
			case 0:
				v := r.Uint64N(1 << 22)
				ws[i].Add(&sets[i], v)
				want[i].Add(v)
			case 1:
				if n := ws[i].Count(&sets[i]); uint64(n) != want[i].GetCardinality() {
					t.Fatalf("round %d: counted %d, want %d", round, n, want[i].GetCardinality())
				}
			case 2:
				if b := mustBytes(t, &ws[i], &sets[i]); r.IntN(2) == 0 {
					sets[i] = Set{}
					if err := ws[i].Or(&sets[i], b, nil); err != nil {
						t.Fatal(err)
					}
				}
			default:
				o := oracle(pool[r.IntN(len(pool))])
				if r.IntN(2) == 0 {
					o.RunOptimize()
				}
				b, _ := o.ToBytes()
				if err := ws[i].Or(&sets[i], b, nil); err != nil {
					t.Fatal(err)
				}
				want[i].Or(o)
			}
		}
		for i := 1; i < 3; i++ {
			ws[0].Merge(&sets[0], &sets[i])
			want[0].Or(want[i])
		}
		sameSet(t, "merged", mustBytes(t, &ws[0], &sets[0]), want[0])
		if n := ws[0].Count(&sets[0]); uint64(n) != want[0].GetCardinality() {
			t.Fatalf("round %d: counted %d, want %d", round, n, want[0].GetCardinality())
		}
	}
}

// TestDorisForm: what is written in Doris's form is read back, and so is the form of files, whatever the number of parts.
func TestDorisForm(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var w Workspace
	for parts := range 12 {
		for _, n := range []int{0, 1, 2, 40, 9000} {
			var s Set
			for range n {
				w.Add(&s, uint64(r.IntN(parts+1))<<32|uint64(r.IntN(70000)))
			}
			b, err := w.AppendTo(nil, &s)
			if err != nil {
				t.Fatal(err)
			}
			form, err := AppendDoris(nil, b)
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range [][]byte{form, b} {
				if got, err := w.FromDoris(nil, in); err != nil || !bytes.Equal(got, b) {
					t.Errorf("%d parts, %d values: %x is read as %x, not %x: %v", parts, n, in[:min(len(in), 32)], got[:min(len(got), 32)], b[:min(len(b), 32)], err)
				}
			}
		}
	}
	if b, err := AppendDoris(nil, nil); err != nil || !bytes.Equal(b, []byte{0}) {
		t.Errorf("no bytes: %x, %v", b, err)
	}
}

// FuzzDoris: whatever bytes are, they are read as a bitmap that is written and read back, or refused.
func FuzzDoris(f *testing.F) {
	var w Workspace
	for _, vals := range [][]uint64{nil, {7}, {1 << 40}, {1, 2, 3}, {5, 1 << 33, 1<<33 + 1}} {
		var s Set
		for _, v := range vals {
			w.Add(&s, v)
		}
		b, err := w.AppendTo(nil, &s)
		if err != nil {
			f.Fatal(err)
		}
		form, err := AppendDoris(nil, b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(form)
	}
	f.Add([]byte{dorisSet, 1, 9, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{dorisSetV2, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		var w Workspace
		b, err := w.FromDoris(nil, in)
		if err == nil {
			err = Validate(b)
		}
		if err != nil {
			if !sqlerr.Is(err, sqlerr.CorruptFile) {
				t.Fatal(err)
			}
			return
		}
		form, err := AppendDoris(nil, b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.FromDoris(nil, form)
		if err == nil {
			err = Validate(again)
		}
		if err != nil {
			t.Fatalf("%x, written as %x, is not read: %v", b, form, err)
		}
		n, err := Count(b)
		if m, err2 := Count(again); err != nil || err2 != nil || n != m {
			t.Fatalf("%d values, %d read back: %v, %v", n, m, err, err2)
		}
	})
}
