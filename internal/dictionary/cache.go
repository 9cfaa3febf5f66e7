package dictionary

import (
	"container/list"
	"errors"
	"runtime"
	"sync"
	"weak"
)

// Key names a dictionary: the table's id and that of its column.
type Key struct {
	Table  int64
	Column int32
}

// Cache keeps dictionaries in memory, those used last up to a limit of bytes. One that does not fit any more is let go, not taken
// away: whoever opened it goes on with it, and others that open it meanwhile get the same one, so that there is never a second one
// that gives ids of its own. So a load must hold what it opened until the rows that use the ids are committed. Safe for concurrent use.
type Cache struct {
	account func(delta int64)

	mu      sync.Mutex
	entries map[Key]*entry
	recent  list.List // of *entry, those that are kept, the one used last first
	stats   CacheStats
}

// CacheStats tells how a cache does.
type CacheStats struct {
	Limit   int64 // of Bytes
	Bytes   int64 // of the dictionaries that are kept
	InUse   int64 // bytes of those that were let go and are not collected: somebody has them, or had them until lately
	Entries int64 // that are kept
	Hits    int64 // found in memory
	Misses  int64 // read
	Evicted int64 // let go because of the limit
}

// entry is a dictionary that is being read, or was.
type entry struct {
	key  Key
	done chan struct{} // closed when it was read
	err  error         // after done: why it could not be
	dict weak.Pointer[Dictionary]

	// By Cache.mu:
	bytes int64
	kept  *Dictionary // keeps it in memory; nil once it was let go
	at    *list.Element
}

// NewCache makes a cache that keeps limit bytes. account, which may be nil, is told of every change of the memory that dictionaries
// hold, those that were let go included.
func NewCache(limit int64, account func(delta int64)) *Cache {
	return &Cache{account: account, entries: map[Key]*entry{}, stats: CacheStats{Limit: limit}}
}

// SetLimit sets how many bytes are kept.
func (c *Cache) SetLimit(bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Limit = bytes
	c.shrink()
}

// Stats tells how the cache does.
func (c *Cache) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Entries = int64(c.recent.Len())
	return s
}

// Open is a dictionary: the one in memory or, where there is none, one that read fills. Who asks for one that another is reading
// waits for it, and shares its error; the next one tries again.
func (c *Cache) Open(key Key, read func(d *Dictionary) error) (*Dictionary, error) {
	for {
		c.mu.Lock()
		e := c.entries[key]
		if e != nil && !e.isDone() {
			c.mu.Unlock()
			if <-e.done; e.err != nil {
				return nil, e.err
			}
			continue
		}
		if e != nil {
			if d := e.dict.Value(); d != nil {
				c.stats.Hits++
				c.keep(e, d)
				c.mu.Unlock()
				return d, nil
			}
		}
		e = &entry{key: key, done: make(chan struct{})}
		c.entries[key] = e
		c.stats.Misses++
		c.mu.Unlock()
		return c.read(e, read)
	}
}

func (e *entry) isDone() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// errUnread is what waiting callers get when read panicked.
var errUnread = errors.New("the dictionary could not be read")

// read fills an entry.
func (c *Cache) read(e *entry, read func(d *Dictionary) error) (*Dictionary, error) {
	d := New(func(delta int64) { c.grow(e, delta) })
	runtime.AddCleanup(d, c.collected, e)
	err := errUnread
	defer func() {
		if err != nil {
			d.Release()
		}
		c.mu.Lock()
		if e.err = err; err == nil {
			e.dict = weak.Make(d)
			c.keep(e, d)
		} else {
			delete(c.entries, e.key)
		}
		c.mu.Unlock()
		close(e.done)
	}()
	if err = read(d); err != nil {
		return nil, err
	}
	return d, nil
}

// keep makes an entry the one used last. The caller holds the lock.
func (c *Cache) keep(e *entry, d *Dictionary) {
	if e.at != nil {
		c.recent.MoveToFront(e.at)
		return
	}
	e.kept, e.at = d, c.recent.PushFront(e)
	c.stats.InUse -= e.bytes
	c.stats.Bytes += e.bytes
	c.shrink()
}

// shrink lets the entries go that the limit has no place for. The caller holds the lock.
func (c *Cache) shrink() {
	for c.stats.Bytes > c.stats.Limit && c.recent.Len() > 0 {
		c.letGo(c.recent.Back().Value.(*entry))
		c.stats.Evicted++
	}
}

func (c *Cache) letGo(e *entry) {
	c.recent.Remove(e.at)
	e.kept, e.at = nil, nil
	c.stats.Bytes -= e.bytes
	c.stats.InUse += e.bytes
}

// grow notes a change of the memory of a dictionary, whose lock the caller holds.
func (c *Cache) grow(e *entry, delta int64) {
	c.mu.Lock()
	if e.bytes += delta; e.at == nil {
		c.stats.InUse += delta
	} else {
		c.stats.Bytes += delta
		c.shrink()
	}
	c.mu.Unlock()
	if c.account != nil {
		c.account(delta)
	}
}

// collected notes that a dictionary that was let go is no more.
func (c *Cache) collected(e *entry) {
	c.mu.Lock()
	bytes := e.bytes
	c.stats.InUse -= bytes
	e.bytes = 0
	if c.entries[e.key] == e {
		delete(c.entries, e.key)
	}
	c.mu.Unlock()
	if c.account != nil && bytes != 0 {
		c.account(-bytes)
	}
}

// Of are the dictionaries of a table that are in memory, by column: at least those that the caller holds.
func (c *Cache) Of(table int64) map[int32]*Dictionary {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[int32]*Dictionary{}
	for key, e := range c.entries {
		if key.Table == table && e.isDone() {
			if d := e.dict.Value(); d != nil {
				out[key.Column] = d
			}
		}
	}
	return out
}

// Forget lets the dictionaries go that gone names.
func (c *Cache) Forget(gone func(Key) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, e := range c.entries {
		if e.at != nil && gone(key) {
			c.letGo(e)
		}
	}
}
