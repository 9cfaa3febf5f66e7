package parquet

import (
	"container/list"
	"sync"
	"time"

	"github.com/basaltdb/basalt/storage"
)

// footerCacheBytes bounds the footers that the process keeps, by their encoded size.
const footerCacheBytes = 64 << 20

// footerKey identifies the content of a file.
type footerKey struct {
	fs    storage.FS
	path  string
	size  int64
	mtime time.Time
}

// footerCache keeps the footers used last. Safe for concurrent use.
type footerCache struct {
	mu    sync.Mutex
	byKey map[footerKey]*list.Element
	order list.List // most recent first; of *cachedFooter
	bytes int64
}

type cachedFooter struct {
	key   footerKey
	file  *File
	bytes int64
}

var footers = footerCache{byKey: map[footerKey]*list.Element{}}

// cachedFile is OpenFile through the process's cache of footers.
func cachedFile(fs storage.FS, path string) (*File, error) {
	info, err := fs.Stat(path)
	if err != nil {
		return nil, err
	}
	key := footerKey{fs, path, info.Size, info.ModTime}
	if f := footers.get(key); f != nil {
		return f, nil
	}
	f, err := OpenFile(fs, path)
	if err != nil {
		return nil, err
	}
	footers.put(footerKey{fs, path, f.info.Size, f.info.ModTime}, f)
	return f, nil
}

func (c *footerCache) get(key footerKey) *File {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cachedFooter).file
}

func (c *footerCache) put(key footerKey, f *File) {
	size := f.info.Size - f.dataEnd
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] != nil || size > footerCacheBytes/4 {
		return
	}
	c.byKey[key] = c.order.PushFront(&cachedFooter{key, f, size})
	for c.bytes += size; c.bytes > footerCacheBytes; {
		c.drop()
	}
}

// grow counts bytes that a file's entry has come to hold.
func (c *footerCache) grow(f *File, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[footerKey{f.fs, f.path, f.info.Size, f.info.ModTime}]
	if e == nil || e.Value.(*cachedFooter).file != f {
		return
	}
	e.Value.(*cachedFooter).bytes += bytes
	for c.bytes += bytes; c.bytes > footerCacheBytes && c.order.Back() != e; {
		c.drop()
	}
}

// drop forgets the footer that was used longest ago.
func (c *footerCache) drop() {
	last := c.order.Remove(c.order.Back()).(*cachedFooter)
	delete(c.byKey, last.key)
	c.bytes -= last.bytes
}
