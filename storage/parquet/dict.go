package parquet

import (
	"unsafe"

	"github.com/basaltdb/basalt/internal/vector"
)

// keptDictionary is the largest dictionary of fixed-width values that is handed on as
// one; above, gathering the values costs less than what operators save by the codes.
const keptDictionary = 4096

// ensureDict reads the chunk's dictionary page, once. The dictionary gets memory of its
// own that is never reused, so that whoever caches results by its address is right.
func (c *column) ensureDict() error {
	switch {
	case c.dict != nil:
		return nil
	case c.shared != nil:
		return c.sharedDict()
	}
	return c.findDict()
}

// findDict takes the dictionary from the cache, or reads it and offers it there.
func (c *column) findDict() error {
	key, keep := c.key, false
	key.Row = dictRow
	if c.cache != nil {
		var d *vector.Vector
		if d, keep = c.cache.Get(key); d != nil {
			c.cachedDict = true
			c.useDict(d)
			return nil
		}
	}
	if err := c.readDict(); err != nil {
		return err
	}
	if keep && c.dict.Len > 0 {
		c.cachedDict = true
		c.cache.Put(key, c.dict, c.dict.Bytesize())
	}
	return nil
}

// useDict makes d the chunk's dictionary.
func (c *column) useDict(d *vector.Vector) {
	c.dict = d
	c.keepDict = c.isString || d.Len <= keptDictionary
}

// readDict reads the dictionary page from the file. Without one, hasDict stays false.
func (c *column) readDict() error {
	ahead := readAhead
	if size := c.meta.dataOffset - c.start; size > 0 { // it may be all that is wanted of these rows
		ahead = int(min(size, readAhead))
	}
	h, body := c.dictHeader, c.dictBody
	if !c.hasDict {
		var size int
		var err error
		h, size, err = c.win.header(c.start, ahead)
		if err != nil {
			return err
		}
		if h.typ != pageDict { // legal where every value is null: any code is out of range
			c.dict = &vector.Vector{Type: c.leaf.Type}
			return nil
		}
		body = c.start + int64(size)
		c.hasDict, c.dictHeader, c.dictBody = true, h, body
	}
	raw, err := c.win.at(body, h.compressed, ahead)
	if err != nil {
		return err
	}
	if c.counters != nil {
		c.counters.PagesRead.Add(1)
	}
	if h.encoding != encPlain && h.encoding != encPlainDictionary {
		return formatError("the dictionary is not PLAIN")
	}
	if h.uncompressed > maxPageBytes {
		return formatError("the dictionary is larger than 1 GiB")
	}
	data := raw
	if c.meta.codec != codecNone {
		buf, err := decompress(c.win.mem, c.meta.codec, raw, h.uncompressed)
		if err != nil {
			return err
		}
		defer c.win.mem.put(buf)
		data = buf.mem[:h.uncompressed]
	} else if len(raw) != h.uncompressed {
		return sameSize(len(raw), h.uncompressed)
	}
	return c.decodeDict(data, h.values)
}

// decodeDict makes the dictionary of n values out of a decompressed page. The n values
// take a byte or more each of data, which bounds what is allocated.
func (c *column) decodeDict(data []byte, n int) error {
	least := max(c.stored, 4)
	if c.stored > 0 {
		least = c.stored
	}
	if n > len(data)/least {
		return formatError("the dictionary has fewer values than its header declares")
	}
	if c.leaf.elem.typ == physBoolean {
		return formatError("a BOOLEAN column has a dictionary")
	}
	size := n * c.width
	if err := c.win.mem.budget.Grow(int64(size + len(data))); err != nil {
		return err
	}
	c.dictBytes = int64(size + len(data))
	d := &vector.Vector{Type: c.leaf.Type, Len: n, Data: alignedBytes(size)}
	plain := plainFixed{data: data, width: c.stored}
	switch {
	case c.isString && c.stored == 0:
		own := make([]byte, len(data), len(data)+padding)
		copy(own, data)
		var out sink
		text := plainStrings{data: own}
		if err := text.next(vector.Values[vector.View](d), &out); err != nil {
			return err
		}
		d.Bufs = out.bufs
	case c.isString:
		var out sink
		text := plainFixedStrings{values: &plain, width: c.stored, uuid: c.leaf.conv == convUUID}
		if err := text.next(vector.Values[vector.View](d), &out); err != nil {
			return err
		}
		d.Bufs = out.bufs
	case c.leaf.conv.fromStrings():
		dec := decimalBytes{values: &plainStrings{data: data}, wide: c.leaf.conv == convBytes128}
		if err := dec.next(d.Data, n); err != nil {
			return err
		}
	default:
		if err := convertFixed(c.leaf.conv, c.stored, d.Data, data, n); err != nil {
			return err
		}
	}
	c.useDict(d)
	return nil
}

// alignedBytes allocates n bytes aligned to 8, not pooled.
func alignedBytes(n int) []byte {
	if n == 0 {
		return nil
	}
	w := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), n)
}
