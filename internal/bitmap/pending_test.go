package bitmap

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

// kindsOfContainers are containers of one key as bytes, which the three kinds serve: arrays of all lengths modulo four and up to
// the largest, runs, bitsets.
func kindsOfContainers(r *rand.Rand) [][]uint64 {
	var out [][]uint64
	const key = 5 << 16
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 300, 1500, 4095, 4096, 4097, 20000} {
		o := roaring64.New()
		for o.GetCardinality() < uint64(n) {
			o.Add(key + r.Uint64N(1<<16))
		}
		out = append(out, o.ToArray())
	}
	for _, n := range []uint64{4, 4096, 1 << 16} {
		o := roaring64.New()
		from := r.Uint64N(1<<16 - n + 1)
		o.AddRange(key+from, key+from+n)
		out = append(out, o.ToArray())
	}
	return append(out, []uint64{key}, []uint64{key + 65535}, []uint64{key, key + 63, key + 64, key + 65535})
}

// containerOf is the one container of a bitmap.
func containerOf(t *testing.T, vals []uint64, runs bool) *container {
	t.Helper()
	o := oracle(vals)
	if runs {
		o.RunOptimize()
	}
	b, err := o.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	c := walk(b)
	if !c.next() {
		t.Fatal("no container", c.err)
	}
	return &c.container
}

// TestCountUnion compares the count of a union with that of all words after plain fills, and an insert with looking first.
func TestCountUnion(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	pool := kindsOfContainers(r)
	kinds := map[kind]int{}
	dense, sparse := 0, 0
	for range 3000 {
		var w Workspace
		var twin, known words
		var cs []*container
		largest := 1 + r.IntN(len(pool))
		total := 0
		for range 1 + r.IntN(9) {
			c := containerOf(t, pool[r.IntN(largest)], r.IntN(3) == 0)
			kinds[c.kind]++
			total += c.card
			cs = append(cs, c)
			if c.kind == arrayKind {
				if got, want := c.present(&twin), c.card-(ones(with(twin, c))-ones(&twin)); got != want {
					t.Fatalf("%d of %d values are present, want %d", got, c.card, want)
				}
				before := ones(&known)
				if got, want := c.insert(&known), ones(&known)-before; got != want {
					t.Fatalf("%d of %d values were new, want %d", got, c.card, want)
				}
			} else {
				c.fill(&known)
			}
			c.fill(&twin)
			if known != twin {
				t.Fatalf("other bits after inserting %d values than after filling in", c.card)
			}
		}
		if total >= bitsetBytes {
			dense++
		} else {
			sparse++
		}
		counts := map[string]func([]*container) int{"filled": w.countFilled, "chosen": w.countUnion}
		if len(cs) > 1 {
			counts["compared"] = w.countCompared
		}
		for name, count := range counts {
			if got, want := count(cs), ones(&twin); got != want {
				t.Fatalf("%d containers of %d values, %s: counted %d, want %d", len(cs), total, name, got, want)
			}
			if w.scratch != (words{}) {
				t.Fatal("the workspace's bitset was left with values")
			}
		}
	}
	if len(kinds) != 3 || dense < 100 || sparse < 100 {
		t.Errorf("too little was tried: %v, %d dense, %d sparse", kinds, dense, sparse)
	}
}

// with is w with the values of c.
func with(w words, c *container) *words {
	c.fill(&w)
	return &w
}

// TestHeldOfLoans: a workspace is charged for a page that it holds once, until the last bitmap in it is united or copied.
func TestHeldOfLoans(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	p := &page{t: t, mem: make([]byte, 0, 1<<16), users: 1}
	w := Workspace{Held: nearBytes}
	sets := make([]Set, 3)
	for range 2 {
		for i := range sets {
			o := roaring64.New()
			for range 500 {
				o.Add(r.Uint64N(1 << 16))
			}
			b, err := o.ToBytes()
			if err != nil {
				t.Fatal(err)
			}
			p.mem = append(p.mem, b...)
			if err := w.Or(&sets[i], p.mem[len(p.mem)-len(b):], p); err != nil {
				t.Fatal(err)
			}
		}
	}
	if p.users != 2 {
		t.Fatalf("%d users of the page, want its reader and one loan", p.users)
	}
	held := w.Held - nearBytes
	if held < 1<<16 || held > 1<<16+2000 {
		t.Errorf("six bitmaps in a page of %d bytes hold %d", 1<<16, held)
	}
	for i := range sets {
		w.unite(&sets[i])
	}
	var after int64
	for i := range sets {
		after += int64(len(sets[i].tree.table))*slotBytes + int64(cap(sets[i].tree.cons))*growBytes + int64(unsafe.Sizeof(tree{}))
		for _, c := range sets[i].tree.cons {
			after += 2 * int64(cap(c.list))
		}
	}
	if got := w.Held - nearBytes; p.users != 1 || got != after {
		t.Errorf("united: %d users of the page, %d bytes held, want its reader and %d", p.users, got, after)
	}
}

// TestCountPending counts sets whose bitmaps wait, without making their union, and once more after it was made.
func TestCountPending(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	waited := 0
	for round := range 200 {
		w := Workspace{Held: nearBytes} // as if other sets were large: bitmaps wait
		var s Set
		want := roaring64.New()
		for n := range 1 + r.IntN(20) {
			o := roaring64.New()
			span := uint64(1) << (16 + r.IntN(8))
			for range 64 + r.IntN(3000) {
				o.Add(r.Uint64N(span))
			}
			if r.IntN(2) == 0 {
				o.AddRange(uint64(n)<<14, uint64(n+1+r.IntN(3))<<14)
				o.RunOptimize()
			}
			b, err := o.ToBytes()
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Or(&s, b, nil); err != nil {
				t.Fatal(err)
			}
			clear(b) // the set has bytes of its own
			want.Or(o)
			if s.pending != nil && s.tree == nil {
				waited++
			}
			if got := w.Count(&s); uint64(got) != want.GetCardinality() {
				t.Fatalf("round %d, %d bitmaps: counted %d, want %d", round, n+1, got, want.GetCardinality())
			}
		}
		if s.pending != nil {
			w.unite(&s)
		}
		if got := w.Count(&s); uint64(got) != want.GetCardinality() {
			t.Fatalf("round %d, united: counted %d, want %d", round, got, want.GetCardinality())
		}
		sameSet(t, "united", mustBytes(t, &w, &s), want)
	}
	if waited < 500 {
		t.Errorf("only %d counts were of bitmaps that wait", waited)
	}
}

// page is memory with bitmaps that is lent, and overwritten when its last user is gone.
type page struct {
	t     *testing.T
	mem   []byte
	users int // the reader and loans
}

func (p *page) Lend(b []byte) ([]byte, func()) {
	p.users++
	given := false
	return p.mem[:cap(p.mem)], func() {
		if given {
			p.t.Error("a loan was given back twice")
		}
		given = true
		p.drop()
	}
}

func (p *page) drop() {
	if p.users--; p.users == 0 {
		for i := range p.mem {
			p.mem[i] = 0xee
		}
	}
}

// TestRelease: bitmaps that wait are in memory of the pools, or in pages that are lent. Whatever sets are united, merged and
// released, those that were not released keep their values, and no page stays lent.
func TestRelease(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	type side struct {
		w    Workspace
		sets []Set
		want []*roaring64.Bitmap
	}
	fresh := func() *side {
		s := &side{w: Workspace{Held: nearBytes}, sets: make([]Set, 3)}
		for range s.sets {
			s.want = append(s.want, roaring64.New())
		}
		return s
	}
	check := func(s *side) {
		t.Helper()
		for i := range s.sets {
			if got := s.w.Count(&s.sets[i]); uint64(got) != s.want[i].GetCardinality() {
				t.Fatalf("counted %d, want %d", got, s.want[i].GetCardinality())
			}
			sameSet(t, "set", mustBytes(t, &s.w, &s.sets[i]), s.want[i])
		}
	}
	sides := []*side{fresh(), fresh(), fresh()}
	pages := []*page{{t: t, mem: make([]byte, 0, 50_000), users: 1}}
	pooled, lent, merged := 0, 0, 0
	for range 1500 {
		k := r.IntN(len(sides))
		s, i := sides[k], r.IntN(3)
		switch r.IntN(12) {
		case 0: // another side is merged into this one, which is read; then both end
			o := sides[(k+1)%len(sides)]
			for g := range s.sets {
				s.w.Merge(&s.sets[g], &o.sets[g])
				s.want[g].Or(o.want[g])
			}
			check(s)
			Release(o.sets)
			Release(s.sets)
			sides[k], sides[(k+1)%len(sides)] = fresh(), fresh()
			merged++
		case 1:
			check(s)
		case 2:
			if s.sets[i].pending != nil {
				s.w.unite(&s.sets[i])
			}
		default:
			o := roaring64.New()
			for range 64 + r.IntN(6000) {
				o.Add(r.Uint64N(1 << 19))
			}
			b, err := o.ToBytes()
			if err != nil {
				t.Fatal(err)
			}
			var from Lender
			if r.IntN(3) > 0 {
				p := pages[len(pages)-1]
				if len(p.mem)+len(b) > cap(p.mem) { // the reader goes on
					p.drop()
					p = &page{t: t, mem: make([]byte, 0, 50_000), users: 1}
					pages = append(pages, p)
				}
				p.mem = append(p.mem, b...)
				b, from = p.mem[len(p.mem)-len(b):], p
			}
			if err := s.w.Or(&s.sets[i], b, from); err != nil {
				t.Fatal(err)
			}
			s.want[i].Or(o)
			if p := s.sets[i].pending; p != nil && p.bitmaps[len(p.bitmaps)-1].buf != nil {
				if pooled++; from != nil {
					lent++
				}
			}
		}
	}
	for _, s := range sides {
		check(s)
	}
	for _, s := range sides {
		Release(s.sets)
	}
	pages[len(pages)-1].drop()
	for i, p := range pages {
		if p.users != 0 {
			t.Errorf("page %d still has %d users", i, p.users)
		}
	}
	if pooled < 300 || lent < 100 || len(pages) < 10 || merged < 50 {
		t.Errorf("too little was tried: %d bitmaps in memory of the pools or lent, %d lent, %d pages, %d merges", pooled, lent, len(pages), merged)
	}
}
