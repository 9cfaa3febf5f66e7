package orc

import (
	"container/list"
	"sync"
	"time"

	"github.com/basaltdb/basalt/storage"
)

// tailCacheBytes bounds the file tails that the process keeps, by what they take in memory.
const tailCacheBytes = 64 << 20

// tailKey identifies the content of a file.
type tailKey struct {
	fs    storage.FS
	path  string
	size  int64
	mtime time.Time
}

// tailCache keeps the tails used last. Safe for concurrent use.
type tailCache struct {
	mu    sync.Mutex
	byKey map[tailKey]*list.Element
	order list.List // most recent first; of *cachedTail
	bytes int64
}

type cachedTail struct {
	key  tailKey
	file *File
}

var tails = tailCache{byKey: map[tailKey]*list.Element{}}

// cachedFile is OpenFile through the process's cache.
func cachedFile(fs storage.FS, path string) (*File, error) {
	info, err := fs.Stat(path)
	if err != nil {
		return nil, err
	}
	if f := tails.get(tailKey{fs, path, info.Size, info.ModTime}); f != nil {
		return f, nil
	}
	f, err := OpenFile(fs, path)
	if err != nil {
		return nil, err
	}
	tails.put(tailKey{fs, path, f.info.Size, f.info.ModTime}, f)
	return f, nil
}

func (c *tailCache) get(key tailKey) *File {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cachedTail).file
}

func (c *tailCache) put(key tailKey, f *File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] != nil || f.bytes > tailCacheBytes/4 {
		return
	}
	c.byKey[key] = c.order.PushFront(&cachedTail{key, f})
	for c.bytes += f.bytes; c.bytes > tailCacheBytes; {
		last := c.order.Remove(c.order.Back()).(*cachedTail)
		delete(c.byKey, last.key)
		c.bytes -= last.file.bytes
	}
}
