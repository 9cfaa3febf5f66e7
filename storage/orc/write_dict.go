package orc

import (
	"hash/maphash"
	"math/bits"
)

// dictBuilder finds the distinct strings of a stripe and the code of each. Its memory is
// reused from stripe to stripe.
type dictBuilder struct {
	slots []int32 // code+1, 0: empty
	first []int32 // where each entry occurs first
	codes []int64
}

// Limits of dictionaries: more entries do not stay in a reader's cache, and one must save a
// quarter of the bytes.
const (
	maxDictEntries = 1 << 16
	dictSample     = 8192
)

var stringSeed = maphash.MakeSeed()

// build tries to make a dictionary of c's strings; false when it does not pay.
func (d *dictBuilder) build(c *columnWriter, starts []int) bool {
	n := c.values
	if n == 0 || n > dictSample && !d.encode(c, starts, dictSample, dictSample/2) {
		return false
	}
	if !d.encode(c, starts, n, min(maxDictEntries, n/2+1)) {
		return false
	}
	size := 0
	for _, i := range d.first {
		size += int(c.lengths[i]) + 1
	}
	return size+n*bits.Len(uint(len(d.first)-1))/8 < (len(c.text)+n)/4*3
}

// encode assigns codes to the first n strings; false when more than limit are distinct.
func (d *dictBuilder) encode(c *columnWriter, starts []int, n, limit int) bool {
	size := 1 << bits.Len(uint(2*limit))
	if cap(d.slots) < size {
		d.slots = make([]int32, size)
	}
	d.slots = d.slots[:size]
	clear(d.slots)
	if cap(d.codes) < n {
		d.codes = make([]int64, n)
	}
	d.codes = d.codes[:n]
	d.first = d.first[:0]
	mask := uint64(size - 1)
	for i := range n {
		s := c.text[starts[i]:starts[i+1]]
		at := maphash.Bytes(stringSeed, s) & mask
		for {
			slot := d.slots[at]
			if slot == 0 {
				if len(d.first) == limit {
					return false
				}
				d.codes[i] = int64(len(d.first))
				d.first = append(d.first, int32(i))
				d.slots[at] = int32(len(d.first))
				break
			}
			k := d.first[slot-1]
			if string(c.text[starts[k]:starts[k+1]]) == string(s) {
				d.codes[i] = int64(slot - 1)
				break
			}
			at = (at + 1) & mask
		}
	}
	return true
}
