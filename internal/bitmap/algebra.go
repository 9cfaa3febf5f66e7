package bitmap

import "math/bits"

// Algebra combines serialised bitmaps. Containers that only one side has are copied or skipped as they are. One
// goroutine uses it; the zero Algebra is ready.
type Algebra struct {
	x, y   block
	out    writer
	merged []uint16
}

// block is a decoded container: a bitset, or ascending values.
type block struct {
	dense bool
	set   words // zero unless dense
	vals  []uint16
}

// load decodes c.
func (b *block) load(c *container) {
	b.vals = b.vals[:0]
	if c.card > maxArray {
		clear(b.set[:])
		b.dense = true
		c.fill(&b.set)
		return
	}
	b.dense = false
	b.vals = c.values(b.vals)
}

// And is the intersection.
func (a *Algebra) And(dst, x, y []byte) ([]byte, error) {
	return a.both(dst, x, y, false, false, func(key uint64) {
		if a.x.dense && a.y.dense {
			for i := range a.x.set {
				a.x.set[i] &= a.y.set[i]
			}
			a.out.bits(key, &a.x.set)
			return
		}
		a.out.array(key, intersect(&a.x, &a.y))
	})
}

// Or is the union.
func (a *Algebra) Or(dst, x, y []byte) ([]byte, error) {
	return a.both(dst, x, y, true, true, func(key uint64) {
		if !a.x.dense && !a.y.dense && len(a.x.vals)+len(a.y.vals) <= maxArray {
			a.merged = mergeValues(a.merged[:0], a.x.vals, a.y.vals, true)
			a.out.array(key, a.merged)
			return
		}
		a.x.widen()
		if a.y.dense {
			for i := range a.x.set {
				a.x.set[i] |= a.y.set[i]
			}
		}
		for _, v := range a.y.sparse() {
			a.x.set[v>>6] |= 1 << (v & 63)
		}
		a.out.bits(key, &a.x.set)
	})
}

// Xor is what exactly one side has.
func (a *Algebra) Xor(dst, x, y []byte) ([]byte, error) {
	return a.both(dst, x, y, true, true, func(key uint64) {
		if !a.x.dense && !a.y.dense && len(a.x.vals)+len(a.y.vals) <= maxArray {
			a.merged = mergeValues(a.merged[:0], a.x.vals, a.y.vals, false)
			a.out.array(key, a.merged)
			return
		}
		a.x.widen()
		if a.y.dense {
			for i := range a.x.set {
				a.x.set[i] ^= a.y.set[i]
			}
		}
		for _, v := range a.y.sparse() {
			a.x.set[v>>6] ^= 1 << (v & 63)
		}
		a.out.bits(key, &a.x.set)
	})
}

// AndNot is what x has and y does not.
func (a *Algebra) AndNot(dst, x, y []byte) ([]byte, error) {
	return a.both(dst, x, y, true, false, func(key uint64) {
		if !a.x.dense {
			a.out.array(key, subtract(&a.x, &a.y))
			return
		}
		if a.y.dense {
			for i := range a.x.set {
				a.x.set[i] &^= a.y.set[i]
			}
		}
		for _, v := range a.y.sparse() {
			a.x.set[v>>6] &^= 1 << (v & 63)
		}
		a.out.bits(key, &a.x.set)
	})
}

// both walks x and y: containers of one side are copied where keepX or keepY says so, those of both are loaded and
// given to f.
func (a *Algebra) both(dst, x, y []byte, keepX, keepY bool, f func(key uint64)) ([]byte, error) {
	a.out.reset()
	err := pairs(x, y, func(cx, cy *container) {
		switch {
		case cy == nil:
			if keepX {
				a.out.copied(cx)
			}
		case cx == nil:
			if keepY {
				a.out.copied(cy)
			}
		default:
			a.x.load(cx)
			a.y.load(cy)
			f(cx.key)
		}
	})
	if err != nil {
		return nil, err
	}
	return a.out.appendTo(dst)
}

// pairs calls f for every key of x and y in order, with the containers of both, nil where one has none.
func pairs(x, y []byte, f func(cx, cy *container)) error {
	cx, cy := walk(x), walk(y)
	inX, inY := cx.next(), cy.next()
	for inX || inY {
		switch {
		case !inY || inX && cx.key < cy.key:
			f(&cx.container, nil)
			inX = cx.next()
		case !inX || cy.key < cx.key:
			f(nil, &cy.container)
			inY = cy.next()
		default:
			f(&cx.container, &cy.container)
			inX, inY = cx.next(), cy.next()
		}
	}
	if cx.err != nil {
		return cx.err
	}
	return cy.err
}

// widen makes b a bitset.
func (b *block) widen() {
	if b.dense {
		return
	}
	clear(b.set[:])
	for _, v := range b.vals {
		b.set[v>>6] |= 1 << (v & 63)
	}
	b.dense = true
}

// sparse is the values of a block that is no bitset.
func (b *block) sparse() []uint16 {
	if b.dense {
		return nil
	}
	return b.vals
}

func (b *block) has(v uint16) bool { return b.set[v>>6]>>(v&63)&1 != 0 }

// intersect is the common values of two blocks, of which at most one is dense, in memory of one of them.
func intersect(x, y *block) []uint16 {
	if x.dense {
		x, y = y, x
	}
	dst := x.vals[:0]
	if y.dense {
		for _, v := range x.vals {
			if y.has(v) {
				dst = append(dst, v)
			}
		}
		return dst
	}
	ys := y.vals
	for _, v := range x.vals {
		if ys = skipTo(ys, v); len(ys) == 0 {
			break
		}
		if ys[0] == v {
			dst = append(dst, v)
		}
	}
	return dst
}

// skipTo is the rest of ascending values from the first that is at least v on: steps that double, then halves.
func skipTo(vals []uint16, v uint16) []uint16 {
	if len(vals) == 0 || vals[0] >= v {
		return vals
	}
	step := 1
	for step < len(vals) && vals[step] < v {
		step *= 2
	}
	lo, hi := step/2+1, min(step, len(vals))
	for lo < hi {
		if mid := (lo + hi) / 2; vals[mid] < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return vals[lo:]
}

// subtract is the values of x, which is not dense, that y does not have, in x's memory.
func subtract(x, y *block) []uint16 {
	dst := x.vals[:0]
	if y.dense {
		for _, v := range x.vals {
			if !y.has(v) {
				dst = append(dst, v)
			}
		}
		return dst
	}
	ys := y.vals
	for _, v := range x.vals {
		if ys = skipTo(ys, v); len(ys) == 0 || ys[0] != v {
			dst = append(dst, v)
		}
	}
	return dst
}

// mergeValues appends the values of x and y in order: common ones once, or not at all.
func mergeValues(dst, x, y []uint16, common bool) []uint16 {
	for len(x) > 0 && len(y) > 0 {
		switch {
		case x[0] < y[0]:
			dst, x = append(dst, x[0]), x[1:]
		case y[0] < x[0]:
			dst, y = append(dst, y[0]), y[1:]
		default:
			if common {
				dst = append(dst, x[0])
			}
			x, y = x[1:], y[1:]
		}
	}
	return append(append(dst, x...), y...)
}

// AndCount is the number of common values; nothing is written.
func (a *Algebra) AndCount(x, y []byte) (int64, error) {
	n := 0
	err := pairs(x, y, func(cx, cy *container) {
		if cx != nil && cy != nil {
			n += a.common(cx, cy)
		}
	})
	return int64(n), err
}

// common is the number of values that two containers share.
func (a *Algebra) common(cx, cy *container) (n int) {
	a.x.load(cx)
	a.y.load(cy)
	if a.x.dense && a.y.dense {
		for i := range a.x.set {
			n += bits.OnesCount64(a.x.set[i] & a.y.set[i])
		}
		return n
	}
	return len(intersect(&a.x, &a.y))
}

// HasAny tells whether x and y share a value.
func (a *Algebra) HasAny(x, y []byte) (bool, error) {
	found := false
	err := pairs(x, y, func(cx, cy *container) {
		found = found || cx != nil && cy != nil && a.common(cx, cy) > 0
	})
	return found, err
}

// HasAll tells whether x has every value of y.
func (a *Algebra) HasAll(x, y []byte) (bool, error) {
	all := true
	err := pairs(x, y, func(cx, cy *container) {
		all = all && (cy == nil || cx != nil && cy.card <= cx.card && a.common(cx, cy) == cy.card)
	})
	return all, err
}
