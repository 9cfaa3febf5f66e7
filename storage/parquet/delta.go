package parquet

import "unsafe"

// deltaReader streams DELTA_BINARY_PACKED integers:
//
//	header: varint block size · varint miniblocks a block · varint values · zigzag first value
//	block:  zigzag min delta · a width byte a miniblock · miniblocks of bit-packed deltas
//
// Arithmetic wraps in 64 bits; 32-bit columns keep the low half. It allocates nothing:
// declared counts only bound how far it reads. Source: parquet-format Encodings.md.
type deltaReader struct {
	data []byte
	pos  int

	total    int // values left, the pending one included
	perMini  int
	minis    int
	last     uint64
	first    bool // last was not delivered yet
	minDelta uint64
	widths   []byte // of the current block
	mini     int    // next miniblock of the block
	start    int    // of the current miniblock's data
	width    uint
	index    int // next value of the miniblock
	left     int // values left in the miniblock
}

const errDelta = formatError("delta-encoded data is wrong")

func (d *deltaReader) uvarint() (uint64, bool) {
	var x uint64
	for shift := uint(0); shift < 70; shift += 7 {
		if d.pos >= len(d.data) {
			return 0, false
		}
		c := d.data[d.pos]
		d.pos++
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x, true
		}
	}
	return 0, false
}

func (d *deltaReader) zigzag() (uint64, bool) {
	x, ok := d.uvarint()
	return x>>1 ^ -(x & 1), ok
}

// init reads the header.
func (d *deltaReader) init(data []byte) error {
	*d = deltaReader{data: data}
	block, ok1 := d.uvarint()
	minis, ok2 := d.uvarint()
	total, ok3 := d.uvarint()
	first, ok4 := d.zigzag()
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return errDelta
	}
	if total > 1<<31 {
		return errDelta
	}
	d.total = int(total)
	if total > 1 || block != 0 { // an empty page of some writers declares no block
		if block == 0 || block > 1<<31 || minis == 0 || minis > block || block%minis != 0 || block/minis%8 != 0 {
			return errDelta
		}
		d.minis, d.perMini = int(minis), int(block/minis)
	}
	d.mini = d.minis
	d.last, d.first = first, true
	return nil
}

// nextMini moves to the next miniblock.
func (d *deltaReader) nextMini() error {
	if d.minis == 0 {
		return errDelta
	}
	if d.mini == d.minis {
		delta, ok := d.zigzag()
		if !ok || len(d.data)-d.pos < d.minis {
			return errDelta
		}
		d.minDelta = delta
		d.widths = d.data[d.pos : d.pos+d.minis]
		d.pos += d.minis
		d.mini = 0
	}
	d.width = uint(d.widths[d.mini])
	d.mini++
	if d.width > 64 {
		return errDelta
	}
	d.start, d.index, d.left = d.pos, 0, d.perMini
	size := d.perMini / 8 * int(d.width)
	if rest := len(d.data) - d.pos; size > rest {
		// The last miniblock may be cut behind its last value.
		need := min(d.total, d.perMini)
		if (need*int(d.width)+7)/8 > rest {
			return errDelta
		}
		size = rest
		d.left = need
	}
	d.pos += size
	return nil
}

// next decodes len(dst) values.
func (d *deltaReader) next(dst []int64) error {
	if len(dst) > d.total {
		return formatError("delta-encoded data has too few values")
	}
	if len(dst) > 0 && d.first {
		d.first = false
		d.total--
		dst[0] = int64(d.last)
		dst = dst[1:]
	}
	for len(dst) > 0 {
		if d.left == 0 {
			if err := d.nextMini(); err != nil {
				return err
			}
		}
		n := min(len(dst), d.left)
		out := unsafe.Slice((*uint64)(unsafe.Pointer(&dst[0])), n)
		unpack64(out, d.data[d.start:], d.index*int(d.width), d.width)
		last := d.last
		for i, x := range out {
			last += x + d.minDelta
			out[i] = last
		}
		d.last = last
		d.index += n
		d.left -= n
		d.total -= n
		dst = dst[n:]
	}
	return nil
}

// skip passes over n values.
func (d *deltaReader) skip(n int) error {
	var scratch [256]int64
	for n > 0 {
		k := min(n, len(scratch))
		if err := d.next(scratch[:k]); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// finish passes over everything left without decoding it and returns the position behind
// the encoded data. The last block's unused miniblocks have width bytes but no data.
func (d *deltaReader) finish() (int, error) {
	if d.first && d.total > 0 {
		d.first = false
		d.total--
	}
	for d.total > 0 {
		if d.left == 0 {
			if err := d.nextMini(); err != nil {
				return 0, err
			}
		}
		n := min(d.left, d.total)
		d.left -= n
		d.total -= n
	}
	return d.pos, nil
}
