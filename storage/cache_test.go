package storage

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func page(n int) *vector.Vector {
	v := vector.New(sqltype.T(sqltype.BigInt), 100)
	vector.Values[int64](v)[0] = int64(n)
	return v
}

// TestPageCacheAdmitsTheSecondUse, keeps what is used and forgets the oldest.
func TestPageCacheAdmitsTheSecondUse(t *testing.T) {
	c := NewPageCache(cacheShards*4000, nil)
	key := func(n int) PageKey { return PageKey{Path: "f", Row: int64(n)} }
	if v, admit := c.Get(key(1)); v != nil || admit {
		t.Error("the first use is admitted")
	}
	if v, admit := c.Get(key(1)); v != nil || !admit {
		t.Error("the second use is not admitted")
	}
	c.Put(key(1), page(1), 800)
	if v, _ := c.Get(key(1)); v == nil || vector.Values[int64](v)[0] != 1 {
		t.Error("a page that was put is not there")
	}
	for n := range 1000 {
		c.Put(key(n), page(n), 800)
	}
	st := c.Stats()
	if st.Bytes > st.Limit || st.Bytes < st.Limit/3 || st.Entries < 10 {
		t.Errorf("%+v", st)
	}
	if v, _ := c.Get(key(999)); v == nil {
		t.Error("the newest page is gone")
	}
	if v, _ := c.Get(key(0)); v != nil {
		t.Error("the oldest page is still there")
	}
	c.Clear()
	if st := c.Stats(); st.Bytes != 0 || st.Entries != 0 {
		t.Errorf("after Clear: %+v", st)
	}
}

// TestPageCacheGivesWay: the cache never takes memory that its budget refuses, and gives all of it back.
func TestPageCacheGivesWay(t *testing.T) {
	b := budget.New("process", 20_000, nil)
	c := NewPageCache(1<<20, b.Reserve("page cache"))
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for range 2000 {
				n := r.IntN(300)
				key := PageKey{Row: int64(n)}
				if v, admit := c.Get(key); v != nil && vector.Values[int64](v)[0] != int64(n) {
					t.Errorf("page %d is page %d", n, vector.Values[int64](v)[0])
				} else if admit {
					c.Put(key, page(n), 800)
				}
			}
		})
	}
	wg.Wait()
	if st := c.Stats(); st.Bytes > 20_000 || st.Hits == 0 {
		t.Errorf("%+v", st)
	}
	c.Clear()
	if b.Used() != 0 {
		t.Errorf("%d bytes stay reserved", b.Used())
	}
}
