package dictionary

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

type texts []string

func (t texts) N() int          { return len(t) }
func (t texts) At(k int) []byte { return []byte(t[k]) }

func assign(t testing.TB, d *Dictionary, list ...string) []int64 {
	t.Helper()
	ids := make([]int64, len(list))
	if err := d.Assign(texts(list), ids, &Scratch{}); err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestAssign(t *testing.T) {
	var held int64
	d := New(func(delta int64) { held += delta })
	if got := fmt.Sprint(assign(t, d, "a", "b", "a", "", "a longer text of many bytes", "b")); got != "[0 1 0 2 3 1]" {
		t.Error(got)
	}
	r := rand.New(rand.NewPCG(1, 2))
	want := map[string]int64{"a": 0, "b": 1, "": 2, "a longer text of many bytes": 3}
	for range 300 {
		var list []string
		for range 200 {
			list = append(list, strings.Repeat("x", r.IntN(30))+fmt.Sprint(r.IntN(20000)))
		}
		for i, id := range assign(t, d, list...) {
			if known, ok := want[list[i]]; ok && known != id {
				t.Fatalf("%s: %d, was %d", list[i], id, known)
			} else if !ok && id != int64(len(want)) {
				t.Fatalf("%s: %d is not the next id, %d", list[i], id, len(want))
			}
			want[list[i]] = id
		}
	}
	if d.Len() != len(want) {
		t.Errorf("%d texts, want %d", d.Len(), len(want))
	}
	for s, id := range want {
		if b, ok := d.Text(id); !ok || string(b) != s {
			t.Fatalf("%d: %q, %v", id, b, ok)
		}
		if found, ok := d.Find([]byte(s)); !ok || found != id {
			t.Fatalf("%q: %d, %v", s, found, ok)
		}
	}
	if _, ok := d.Text(int64(len(want))); ok {
		t.Error("an id that was never given")
	}
	if _, ok := d.Find([]byte("nowhere")); ok {
		t.Error("a text that was never given")
	}
	if held <= 0 {
		t.Error("no memory")
	}
	if d.Release(); held != 0 {
		t.Errorf("%d bytes after Release", held)
	}
}

// TestStore: blocks bring the dictionary back, those that overlap and those that were written again too.
func TestStore(t *testing.T) {
	d := New(nil)
	blocks := map[uint64][]byte{}
	put := func(first uint64, block []byte) error { blocks[first] = block; return nil }
	var firsts []uint64
	for round := range 30 {
		var list []string
		for i := range 3000 {
			list = append(list, fmt.Sprintf("text %d of round %d", i, round))
		}
		assign(t, d, list...)
		tail, err := d.Pending(put, func(first uint64) {})
		if err != nil {
			t.Fatal(err)
		}
		if round%3 != 1 { // as if that commit had failed
			d.Stored(tail)
		}
	}
	tail, _ := d.Pending(put, func(first uint64) {})
	for f := range uint64(tail.entries) {
		if blocks[f] != nil {
			firsts = append(firsts, f)
		}
	}
	back := New(nil)
	for _, f := range firsts {
		if err := back.Read(f, blocks[f]); err != nil {
			t.Fatal(err)
		}
	}
	if back.Len() != d.Len() {
		t.Fatalf("%d texts, want %d", back.Len(), d.Len())
	}
	for id := range int64(d.Len()) {
		x, _ := d.Text(id)
		if y, _ := back.Text(id); string(x) != string(y) {
			t.Fatalf("%d: %q, want %q", id, y, x)
		}
	}
	if rest, _ := back.Pending(func(uint64, []byte) error { t.Error("pending after reading"); return nil }, nil); rest.entries != back.Len() {
		t.Error(rest)
	}
	if err := back.Read(firsts[1], blocks[firsts[0]]); !sqlerr.Is(err, sqlerr.CorruptFile) {
		t.Error(err)
	}
	if err := New(nil).Read(5, blocks[0]); !sqlerr.Is(err, sqlerr.CorruptFile) {
		t.Error(err)
	}
}

// TestTails: after many small commits, some of which fail and some of which tell late, there are few blocks, and they bring
// the dictionary back.
func TestTails(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	d := New(nil)
	store := map[uint64][]byte{}
	back := func() *Dictionary {
		b := New(nil)
		for _, f := range slices.Sorted(maps.Keys(store)) {
			if err := b.Read(f, store[f]); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	var late []Tail
	most := 0
	for round := range 3000 {
		var list []string
		for range 1 + r.IntN(4) {
			list = append(list, strings.Repeat("x", r.IntN(20))+fmt.Sprint(r.Uint32()))
		}
		assign(t, d, list...)
		next := maps.Clone(store)
		tail, err := d.Pending(func(f uint64, b []byte) error { next[f] = b; return nil }, func(f uint64) { delete(next, f) })
		if err != nil {
			t.Fatal(err)
		}
		switch r.IntN(5) {
		case 0: // the commit fails
		case 1:
			store = next
			late = append(late, tail)
		default:
			store = next
			d.Stored(tail)
			for _, l := range late {
				d.Stored(l)
			}
			late = nil
		}
		if most = max(most, len(store)); round%500 == 0 {
			d.Stored(tail)
			if store = next; back().Len() != d.Len() {
				t.Fatalf("round %d: %d texts come back of %d", round, back().Len(), d.Len())
			}
			d = back() // a restart
		}
	}
	b := back()
	for id := range int64(b.Len()) {
		x, _ := d.Text(id)
		if y, _ := b.Text(id); string(x) != string(y) {
			t.Fatalf("%d: %q, want %q", id, y, x)
		}
	}
	if most > 60 {
		t.Errorf("%d blocks at a time", most)
	}
}

// TestConcurrent: many goroutines that know the same texts get the same ids.
func TestConcurrent(t *testing.T) {
	d := New(nil)
	const workers, n = 8, 20000
	got := make([]map[string]int64, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r := rand.New(rand.NewPCG(uint64(w), 3))
			got[w] = map[string]int64{}
			var s Scratch
			ids := make([]int64, 100)
			for range 300 {
				var list texts
				for range 100 {
					list = append(list, fmt.Sprint("user ", r.IntN(n)))
				}
				if err := d.Assign(list, ids, &s); err != nil {
					t.Error(err)
				}
				for i, x := range list {
					got[w][x] = ids[i]
				}
				d.Stored(Tail{entries: d.Len() / 2})
			}
		}()
	}
	wg.Wait()
	all := map[int64]string{}
	for _, m := range got {
		for x, id := range m {
			if y, ok := all[id]; ok && y != x {
				t.Fatalf("%d is %s and %s", id, x, y)
			}
			all[id] = x
		}
	}
	if len(all) != d.Len() {
		t.Errorf("%d texts, %d ids", d.Len(), len(all))
	}
}

func FuzzRead(f *testing.F) {
	d := New(nil)
	assign(f, d, "a", "bc", "")
	_, _ = d.Pending(func(_ uint64, b []byte) error { f.Add(b); return nil }, nil)
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, block []byte) {
		if err := New(nil).Read(0, block); err != nil && !sqlerr.Is(err, sqlerr.CorruptFile) {
			t.Fatal(err)
		}
	})
}

func BenchmarkAssign(b *testing.B) {
	const users = 5_000_000
	d := New(nil)
	r := rand.New(rand.NewPCG(1, 1))
	var s Scratch
	list, ids := make(texts, 4096), make([]int64, 4096)
	bytes := int64(0)
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		for i := range list {
			list[i] = fmt.Sprint("user-", r.IntN(users))
			bytes += int64(len(list[i]))
		}
		b.StartTimer()
		if err := d.Assign(list, ids, &s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*4096), "ns/row")
}
