package dictionary

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// fill gives a dictionary n texts of its own.
func fill(t testing.TB, d *Dictionary, key Key, n int) {
	var all texts
	for i := range n {
		all = append(all, fmt.Sprintf("%d.%d: %d", key.Table, key.Column, i))
	}
	if err := d.Assign(all, make([]int64, n), &Scratch{}); err != nil {
		t.Error(err)
	}
}

// collect runs the collector until a condition holds: cleanups run after it, on their own.
func collect(done func() bool) bool {
	for range 2000 {
		if done() {
			return true
		}
		runtime.GC()
		runtime.Gosched()
	}
	return false
}

// TestCacheLimit: many dictionaries are used one after the other, and never more than the limit are kept; those in use stay.
func TestCacheLimit(t *testing.T) {
	const limit = 1 << 20
	var held atomic.Int64
	c := NewCache(limit, func(delta int64) { held.Add(delta) })
	read := func(key Key) func(d *Dictionary) error {
		return func(d *Dictionary) error { fill(t, d, key, 10_000); return nil }
	}
	first := Key{Table: 1}
	mine, err := c.Open(first, read(first))
	if err != nil {
		t.Fatal(err)
	}
	size := c.Stats().Bytes
	for table := int64(2); table < 40; table++ {
		key := Key{Table: table}
		d, err := c.Open(key, read(key))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := c.Open(key, func(*Dictionary) error { return errors.New("it is there") }); err != nil || again != d {
			t.Fatal(err, again == d)
		}
		if s := c.Stats(); s.Bytes > limit || s.Entries == 0 {
			t.Fatalf("after %d dictionaries: %+v", table, s)
		}
	}
	if s := c.Stats(); s.Evicted < 35 || s.Misses != 39 || s.Hits != 38 {
		t.Errorf("%+v", s)
	}
	// Only what is kept and what is held is left.
	if !collect(func() bool { s := c.Stats(); return s.InUse == size && held.Load() == s.Bytes+s.InUse }) {
		t.Errorf("%d bytes are held: %+v", held.Load(), c.Stats())
	}
	if d, err := c.Open(first, func(*Dictionary) error { return errors.New("it is in use") }); err != nil || d != mine {
		t.Errorf("one that is in use was opened twice: %v", err)
	}
	if got := c.Of(1); len(got) != 1 || got[0] != mine {
		t.Errorf("%v", got)
	}
	fill(t, mine, Key{Table: 9}, 200_000) // one that grows beyond the limit
	if s := c.Stats(); s.Bytes > limit || s.InUse < limit {
		t.Errorf("%+v", s)
	}
	runtime.KeepAlive(mine)
	mine = nil
	c.SetLimit(0)
	if !collect(func() bool { return held.Load() == 0 }) {
		t.Errorf("%d bytes are held: %+v", held.Load(), c.Stats())
	}
	if s := c.Stats(); s.Bytes != 0 || s.InUse != 0 || s.Entries != 0 || len(c.entries) != 0 {
		t.Errorf("%+v, %d entries", s, len(c.entries))
	}
}

// TestCacheOneAtATime: whatever is evicted and collected, there is never a second dictionary while somebody has the first one.
func TestCacheOneAtATime(t *testing.T) {
	c := NewCache(0, nil)
	var alive [4]atomic.Int64
	var reads atomic.Int64
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := range 300 {
				key := Key{Table: int64((w + i) % len(alive))}
				d, err := c.Open(key, func(d *Dictionary) error {
					n := reads.Add(1)
					if n%7 == 0 {
						return errors.New("seven")
					}
					alive[key.Table].Store(n)
					fill(t, d, Key{Table: n}, 1)
					return nil
				})
				if err != nil {
					continue
				}
				n := alive[key.Table].Load()
				if text, _ := d.Text(0); string(text) != fmt.Sprintf("%d.0: 0", n) {
					t.Errorf("%s, but the one read last is %d", text, n)
				}
				runtime.KeepAlive(d)
				if i%30 == w {
					runtime.GC()
				}
			}
		})
	}
	wg.Wait()
	// One that nobody holds is taken by a collection at last, and read anew.
	for before, tries := reads.Load(), 0; reads.Load() == before; tries++ {
		if tries == 1000 {
			t.Fatal("the collector takes nothing")
		}
		runtime.GC()
		_, _ = c.Open(Key{}, func(*Dictionary) error { reads.Add(1); return nil })
	}
}

// TestCacheForget: what is forgotten is read anew.
func TestCacheForget(t *testing.T) {
	c := NewCache(1<<20, nil)
	reads := 0
	open := func() {
		if _, err := c.Open(Key{1, 2}, func(*Dictionary) error { reads++; return nil }); err != nil {
			t.Error(err)
		}
	}
	open()
	open()
	c.Forget(func(k Key) bool { return k == Key{1, 2} })
	if !collect(func() bool { return len(c.Of(1)) == 0 }) {
		t.Fatal("it is not collected")
	}
	if open(); reads != 2 {
		t.Errorf("%d reads", reads)
	}
}
