package parquet

import "github.com/basaltdb/basalt/internal/vector"

// pick returns the rows at the positions rows (ascending, below n) of the window
// [row, row+n), densely packed: len(rows) rows. Pages and values that no row needs are
// passed over without being decoded where their encoding allows.
func (c *column) pick(row int64, n int, rows []int32) (*vector.Vector, error) {
	v, err := c.pickWindow(row, n, rows)
	if err != nil {
		return nil, c.fail(err)
	}
	return v, nil
}

func (c *column) pickWindow(row int64, n int, rows []int32) (*vector.Vector, error) {
	c.begin(n)
	total := len(rows)
	if c.leaf.optional {
		words := (n+63)/64 + 1
		if cap(c.scratch) < words {
			c.scratch = make(vector.Bitmap, words)
		}
		c.scratch = c.scratch[:words]
	}
	for len(rows) > 0 {
		at := row + int64(rows[0])
		if err := c.skipTo(at); err != nil { // pages before the row
			return nil, err
		}
		if err := c.needPage(); err != nil {
			return nil, err
		}
		m := int(min(row+int64(n)-at, int64(c.page.left)))
		k := 0
		for k < len(rows) && int64(rows[k])+row < at+int64(m) {
			k++
		}
		m = int(rows[k-1]-rows[0]) + 1 // rows behind the last one wanted stay unread
		if err := c.pickPage(total, rows[:k], m); err != nil {
			return nil, err
		}
		c.page.left -= m
		c.row += int64(m)
		c.done += k
		rows = rows[k:]
	}
	return c.finish(total), nil
}

// pickPage picks rows of the next m rows of the page; rows[0] is the first of them.
// total is the length of the vector.
func (c *column) pickPage(total int, rows []int32, m int) error {
	first := rows[0]
	if cap(c.ordinals) < len(rows) {
		c.ordinals = make([]int32, 0, max(len(rows), vector.BatchRows))
	}
	idx := c.ordinals[:0]
	ones := m
	if c.leaf.optional {
		clear(c.scratch)
		var err error
		if ones, err = c.page.levels.validity(c.scratch, 0, m); err != nil {
			return err
		}
	}
	if ones == m {
		for _, r := range rows {
			idx = append(idx, r-first)
		}
		if c.leaf.optional {
			setBits(c.valid, c.done, len(rows))
		}
	} else {
		idx = c.rank(idx, rows)
	}
	c.ordinals = idx
	if len(idx) < len(rows) {
		c.nulls = true
	}
	return c.pickValues(total, len(rows), idx, ones)
}

// rank appends the ordinal among the non-null values of every row that is not null in
// scratch, and sets the rows' validity.
func (c *column) rank(idx, rows []int32) []int32 {
	first := rows[0]
	word, before := 0, 0
	for i, r := range rows {
		at := int(r - first)
		for word < at>>6 {
			before += popcount(c.scratch[word])
			word++
		}
		x, bit := c.scratch[word], uint(at)&63
		if x>>bit&1 == 0 {
			continue
		}
		c.valid.Set(c.done + i)
		idx = append(idx, int32(before+popcount(x&(1<<bit-1))))
	}
	return idx
}

// pickValues writes the values at idx among the next ones of the page to the k rows from
// c.done on, and passes over all of them.
func (c *column) pickValues(total, k int, idx []int32, ones int) error {
	p := &c.page
	if p.isDict {
		c.codeBuffers(total)
		if c.mode == modeNone && c.keepDict && c.dict.Len > 0 {
			c.mode = modeCodes
		}
		if c.mode == modeCodes {
			dst := c.codes[c.done : c.done+k]
			if err := p.codes.pick(dst, idx, ones, c.dict.Len); err != nil {
				return err
			}
			spread(dst, c.valid, c.done, k, len(idx))
			return nil
		}
		c.flat(total)
		if err := p.codes.pick(c.tmpCodes, idx, ones, c.dict.Len); err != nil {
			return err
		}
		c.gatherDict(c.done, c.tmpCodes[:len(idx)])
		spreadFixed(c.memData[c.done*c.width:], c.width, c.valid, c.done, k, len(idx))
		return nil
	}
	c.flat(total)
	dst := c.memData[c.done*c.width : (c.done+k)*c.width]
	if err := c.pickFlat(dst, idx, ones); err != nil {
		return err
	}
	spreadFixed(dst, c.width, c.valid, c.done, k, len(idx))
	return nil
}

// pickFlat is pickValues for pages without codes, without the nulls.
func (c *column) pickFlat(dst []byte, idx []int32, ones int) error {
	p := &c.page
	switch {
	case c.isString && p.strings == stringValues(&p.plainText):
		return p.plainText.pick(slice[vector.View](dst, len(idx)), idx, ones, &c.out1)
	case c.isString:
		return c.pickStrings(slice[vector.View](dst, len(idx)), idx, ones)
	case p.direct:
		src, err := p.plain.peek(ones)
		if err != nil {
			return err
		}
		p.plain.pos += len(src)
		if c.leaf.conv == convNone {
			gatherFixed(dst, src, c.width, idx)
			return nil
		}
		c.growRaw(len(idx) * c.stored)
		gatherFixed(c.raw, src, c.stored, idx)
		return convertFixed(c.leaf.conv, c.stored, dst, c.raw, len(idx))
	case len(idx) == 0:
		return c.skipValues(ones)
	}
	width, conv := c.stored, c.leaf.conv
	if conv.fromStrings() {
		width, conv = c.width, convNone
	}
	c.growRaw((ones + len(idx)) * width)
	if err := p.fixed.next(c.raw, ones); err != nil {
		return err
	}
	picked := c.raw[ones*width:]
	gatherFixed(picked, c.raw, width, idx)
	return convertFixed(conv, width, dst, picked, len(idx))
}

// pickStrings decodes the values between the ones that are wanted one by one.
func (c *column) pickStrings(dst []vector.View, idx []int32, ones int) error {
	done := 0
	for i, x := range idx {
		if err := c.page.strings.skip(int(x) - done); err != nil {
			return err
		}
		if err := c.page.strings.next(dst[i:i+1], &c.out1); err != nil {
			return err
		}
		done = int(x) + 1
	}
	return c.page.strings.skip(ones - done)
}

func (c *column) growRaw(size int) {
	if len(c.raw) < size {
		c.raw = alignedBytes(max(size, vector.BatchRows*min(c.stored, 64)))
	}
}
