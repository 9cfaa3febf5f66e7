package storage

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/vector"
)

// PageKey names a window of decoded rows: of one column chunk of one version of a file.
type PageKey struct {
	FS     FS // must be comparable
	Path   string
	Size   int64
	Time   int64 // of the file's last change, nanoseconds
	Group  int32 // row group or stripe
	Column int32
	Row    int64 // first row in the group
	Rows   int32
}

// PageCache keeps decoded column pages, shared by all queries. What is asked for the second
// time is kept; what was used longest ago goes when the budget is used up. Safe for concurrent use.
//
// Vectors in it belong to nobody: they must not be written.
type PageCache struct {
	limit  int64
	held   *budget.Reservation // nil: unaccounted
	shards [cacheShards]cacheShard
	seed   maphash.Seed
	bytes  atomic.Int64
	hits   atomic.Int64
	misses atomic.Int64
}

const (
	cacheShards = 16
	// ghosts is how many keys a shard remembers that were asked for once.
	ghosts = 1 << 14
	// entryBytes is what an entry takes beside its vector.
	entryBytes = 256
)

type cacheShard struct {
	mu      sync.Mutex
	entries map[PageKey]*cacheEntry
	// newest and oldest end the list of entries by last use.
	newest, oldest *cacheEntry
	bytes          int64
	// seen and before are the keys asked for once, by hash: two generations, so that old ones are forgotten.
	seen, before map[uint64]struct{}
}

type cacheEntry struct {
	key          PageKey
	vec          *vector.Vector
	bytes        int64
	newer, older *cacheEntry
}

// NewPageCache makes a cache of at most limit bytes, charged to held when it is not nil.
func NewPageCache(limit int64, held *budget.Reservation) *PageCache {
	c := &PageCache{limit: limit, held: held, seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].entries = map[PageKey]*cacheEntry{}
		c.shards[i].seen = map[uint64]struct{}{}
	}
	return c
}

// Get returns the vector of key, nil when it is not there. Then admit tells whether the caller
// should Put it: whether it was asked for before.
func (c *PageCache) Get(key PageKey) (v *vector.Vector, admit bool) {
	h := maphash.Comparable(c.seed, key)
	s := &c.shards[h%cacheShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[key]; e != nil {
		c.hits.Add(1)
		s.unlink(e)
		s.link(e)
		return e.vec, false
	}
	c.misses.Add(1)
	_, admit = s.seen[h]
	if !admit {
		_, admit = s.before[h]
	}
	if !admit {
		if len(s.seen) >= ghosts {
			s.before, s.seen = s.seen, map[uint64]struct{}{}
		}
		s.seen[h] = struct{}{}
	}
	return nil, admit
}

// Put keeps v, a vector that nobody else writes or reuses, under key. bytes is what it takes
// beside memory that it shares with entries put before.
func (c *PageCache) Put(key PageKey, v *vector.Vector, bytes int64) {
	size := entryBytes + int64(len(key.Path)) + bytes
	share := c.limit / cacheShards
	if size > share {
		return
	}
	h := maphash.Comparable(c.seed, key)
	s := &c.shards[h%cacheShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[key] != nil {
		return
	}
	for s.bytes+size > share && s.oldest != nil {
		c.drop(s, s.oldest)
	}
	if c.held != nil && c.held.Grow(size) != nil { // the queries need the memory
		for range 8 {
			if s.oldest != nil {
				c.drop(s, s.oldest)
			}
		}
		return
	}
	e := &cacheEntry{key: key, vec: v, bytes: size}
	s.entries[key] = e
	s.link(e)
	s.bytes += size
	c.bytes.Add(size)
}

func (c *PageCache) drop(s *cacheShard, e *cacheEntry) {
	s.unlink(e)
	delete(s.entries, e.key)
	s.bytes -= e.bytes
	c.bytes.Add(-e.bytes)
	if c.held != nil {
		c.held.Shrink(e.bytes)
	}
}

// Clear empties the cache.
func (c *PageCache) Clear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for s.oldest != nil {
			c.drop(s, s.oldest)
		}
		s.mu.Unlock()
	}
}

func (s *cacheShard) link(e *cacheEntry) {
	e.older, e.newer = s.newest, nil
	if s.newest != nil {
		s.newest.newer = e
	} else {
		s.oldest = e
	}
	s.newest = e
}

func (s *cacheShard) unlink(e *cacheEntry) {
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		s.newest = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		s.oldest = e.newer
	}
}

// PageCacheStats are counts since the start, and sizes now.
type PageCacheStats struct {
	Limit, Bytes, Entries, Hits, Misses int64
}

// Stats tells how the cache does.
func (c *PageCache) Stats() PageCacheStats {
	st := PageCacheStats{Limit: c.limit, Bytes: c.bytes.Load(), Hits: c.hits.Load(), Misses: c.misses.Load()}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		st.Entries += int64(len(s.entries))
		s.mu.Unlock()
	}
	return st
}
