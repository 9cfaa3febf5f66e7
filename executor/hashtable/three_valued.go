package hashtable

import "github.com/basaltdb/basalt/internal/vector"

// CompareRow compares key i of r with key j of k, of the same layout, as SQL compares
// rows: possible is false when some column differs for sure, unknown is true when a NULL
// leaves it open.
func (r *Rows) CompareRow(i int, k *Keys, j int) (possible, unknown bool) {
	w := r.L.words
	x, y := r.key(i), k.Words[j*w:j*w+w]
	bufs := r.bufs()
	for n := range r.L.cols {
		c := &r.L.cols[n]
		switch {
		case c.isNullIn(x) || c.isNullIn(y):
			unknown = true
		case c.isString():
			same := x[c.word] == y[c.word]
			if same && uint32(x[c.word]) > vector.MaxInline {
				same = equalLong(x[c.word:], bufs, y[c.word:], k.bufs[n])
			} else if same {
				same = x[c.word+1] == y[c.word+1]
			}
			if !same {
				return false, false
			}
		case c.bits == 128:
			if x[c.word] != y[c.word] || x[c.word+1] != y[c.word+1] {
				return false, false
			}
		default:
			if (x[c.word]^y[c.word])>>c.shift<<(64-c.bits) != 0 {
				return false, false
			}
		}
	}
	return true, unknown
}

func (c *column) isNullIn(key []uint64) bool {
	switch {
	case c.bits == 0:
		return true
	case c.isString():
		return key[c.word] == nullView0
	}
	return c.nullWord >= 0 && key[c.nullWord]>>c.nullShift&1 != 0
}
