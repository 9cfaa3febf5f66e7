package storage

import (
	"slices"

	"github.com/basaltdb/basalt/internal/vector"
)

// CachedWindows reads windows of one column chunk through a page cache. One goroutine uses it. The zero value reads past
// the cache.
type CachedWindows struct {
	Pages *PageCache // nil: off
	Key   PageKey    // of the chunk: all but the rows
	// Decode reads rows [row, row+n), or of them those at the positions dense, from the file.
	Decode func(row int64, n int, dense []int32) (*vector.Vector, error)

	// Shared is a dictionary that nobody writes and that outlives the reader: windows in Pages refer to it. nil: none.
	Shared *vector.Vector

	// keptDict is the copy of dict that the windows in Pages share.
	dict, keptDict *vector.Vector
}

// Get returns rows [row, row+n), or of them those at the positions dense (nil: all), valid until the next call.
func (c *CachedWindows) Get(row int64, n int, dense []int32) (*vector.Vector, error) {
	if c.Pages == nil {
		return c.Decode(row, n, dense)
	}
	key := c.Key
	key.Row, key.Rows = row, int32(n)
	v, admit := c.Pages.Get(key)
	switch {
	case v != nil && dense != nil:
		return v.Gather(dense, &vector.Vector{}), nil
	case v != nil:
		return v, nil
	case !admit:
		return c.Decode(row, n, dense)
	}
	whole, err := c.Decode(row, n, nil)
	if err != nil {
		return nil, err
	}
	kept, bytes := c.keep(whole)
	c.Pages.Put(key, kept, bytes)
	if dense != nil {
		return kept.Gather(dense, &vector.Vector{}), nil
	}
	return kept, nil
}

// keep copies a vector so that it outlives its page, and tells what that takes. The windows of a
// chunk share one copy of its dictionary.
func (c *CachedWindows) keep(v *vector.Vector) (*vector.Vector, int64) {
	if v.Form != vector.Dictionary {
		out := vector.CopyOf(v, nil)
		return out, out.Bytesize()
	}
	out := &vector.Vector{Type: v.Type, Form: vector.Dictionary, Len: v.Len, Codes: slices.Clone(v.Codes), Valid: slices.Clone(v.Valid)}
	bytes := int64(4*len(out.Codes) + 8*len(out.Valid))
	if v.Dict == c.Shared {
		out.Dict = v.Dict
		return out, bytes
	}
	if c.dict != v.Dict {
		c.dict, c.keptDict = v.Dict, vector.CopyOf(v.Dict, nil)
		bytes += c.keptDict.Bytesize()
	}
	out.Dict = c.keptDict
	return out, bytes
}
