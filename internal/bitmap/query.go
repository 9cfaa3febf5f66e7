package bitmap

import (
	"encoding/binary"
	"math/bits"
)

// Count is the number of values, from the headers alone. Where containers claim more than 2^64 values between them,
// which no bitmap that fits memory can, the result is wrong.
func Count(b []byte) (int64, error) {
	if _, ok := single(b); ok {
		return 1, nil
	}
	c := walk(b)
	n, _ := c.size()
	return n, c.err
}

// Contains tells whether v is a value.
func Contains(b []byte, v uint64) (bool, error) {
	found := false
	c := walk(b)
	for c.next() {
		if c.key == v>>16 {
			found = c.has(uint16(v))
		}
	}
	return found, c.err
}

// Min is the smallest value; ok is false if there is none.
func Min(b []byte) (v uint64, ok bool, err error) {
	c := walk(b)
	for c.next() {
		if !ok {
			v, ok = c.key<<16|uint64(c.min()), true
		}
	}
	return v, ok, c.err
}

// Max is the largest value; ok is false if there is none.
func Max(b []byte) (v uint64, ok bool, err error) {
	c := walk(b)
	for c.next() {
		v, ok = c.key<<16|uint64(c.max()), true
	}
	return v, ok, c.err
}

func (c *container) min() uint16 {
	if c.kind != bitsetKind {
		return binary.LittleEndian.Uint16(c.data)
	}
	for i := range numWords {
		if x := binary.LittleEndian.Uint64(c.data[8*i:]); x != 0 {
			return uint16(i<<6 + bits.TrailingZeros64(x))
		}
	}
	return 0
}

func (c *container) max() uint16 {
	d := c.data
	switch c.kind {
	case arrayKind:
		return binary.LittleEndian.Uint16(d[len(d)-2:])
	case runKind:
		return binary.LittleEndian.Uint16(d[len(d)-4:]) + binary.LittleEndian.Uint16(d[len(d)-2:])
	}
	for i := numWords - 1; i >= 0; i-- {
		if x := binary.LittleEndian.Uint64(d[8*i:]); x != 0 {
			return uint16(i<<6 + 63 - bits.LeadingZeros64(x))
		}
	}
	return 0
}

// Values gives the values in order, container by container. The zero Values is not usable; see Read.
type Values struct {
	c    cursor
	low  []uint16
	next int
}

// Read starts reading b.
func Read(b []byte) Values { return Values{c: walk(b)} }

// Append appends up to n values; fewer than n are the last ones.
func (r *Values) Append(dst []uint64, n int) ([]uint64, error) {
	for n > 0 {
		if r.next == len(r.low) {
			if !r.c.next() {
				return dst, r.c.err
			}
			r.low, r.next = r.c.values(r.low[:0]), 0
		}
		some := min(n, len(r.low)-r.next)
		for _, low := range r.low[r.next : r.next+some] {
			dst = append(dst, r.c.key<<16|uint64(low))
		}
		r.next, n = r.next+some, n-some
	}
	return dst, nil
}

// Slice appends the bitmap of the values of b that are in [lo, hi], without the first skip of those, and at most n. Containers
// that are wholly in it are copied as they are. count is the number of values.
func (a *Algebra) Slice(dst, b []byte, lo, hi, skip, n uint64) (out []byte, count uint64, err error) {
	a.out.reset()
	c := walk(b)
	for c.next() {
		if c.key < lo>>16 || c.key > hi>>16 || count >= n {
			continue
		}
		if c.key > lo>>16 && c.key < hi>>16 && (uint64(c.card) <= skip || skip == 0 && uint64(c.card) <= n-count) {
			if skip > 0 {
				skip -= uint64(c.card)
				continue
			}
			a.out.copied(&c.container)
			count += uint64(c.card)
			continue
		}
		vals := c.values(a.x.vals[:0])
		a.x.vals = vals
		for len(vals) > 0 && c.key<<16|uint64(vals[0]) < lo {
			vals = vals[1:]
		}
		for len(vals) > 0 && c.key<<16|uint64(vals[len(vals)-1]) > hi {
			vals = vals[:len(vals)-1]
		}
		some := min(skip, uint64(len(vals)))
		vals, skip = vals[some:], skip-some
		vals = vals[:min(n-count, uint64(len(vals)))]
		count += uint64(len(vals))
		a.put(c.key, vals)
	}
	if c.err != nil {
		return nil, 0, c.err
	}
	out, err = a.out.appendTo(dst)
	return out, count, err
}

// put writes ascending values of a container, however many they are.
func (a *Algebra) put(key uint64, vals []uint16) {
	if len(vals) <= maxArray {
		a.out.array(key, vals)
		return
	}
	clear(a.y.set[:])
	for _, v := range vals {
		a.y.set[v>>6] |= 1 << (v & 63)
	}
	a.out.bits(key, &a.y.set)
}
