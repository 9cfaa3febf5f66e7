package function

import (
	"encoding/binary"
	"unsafe"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
)

// Spillable is implemented by accumulators whose states can leave memory for a while.
//
// Save appends the states of the given groups to dst, in this order; Load makes them the
// states [0, n) of an empty accumulator of the same function, which is then merged like
// any other. The bytes mean something to this process only.
type Spillable interface {
	Save(groups []uint32, dst []byte) []byte
	Load(src []byte, n int) error
}

var errSpilledState = sqlerr.New(sqlerr.CorruptFile, "spilled aggregate states are damaged")

// saveStates appends the memory of states, which hold no pointers.
func saveStates[S any](dst []byte, states []S, groups []uint32) []byte {
	var zero S
	size := int(unsafe.Sizeof(zero))
	for _, g := range groups {
		dst = append(dst, unsafe.Slice((*byte)(unsafe.Pointer(&states[g])), size)...)
	}
	return dst
}

func loadStates[S any](src []byte, n int) ([]S, []byte, error) {
	var zero S
	size := n * int(unsafe.Sizeof(zero))
	if size > len(src) || n < 0 {
		return nil, nil, errSpilledState
	}
	out := make([]S, n)
	if size > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), size), src)
	}
	return out, src[size:], nil
}

func saveBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func loadBytes(src []byte) (b, rest []byte, err error) {
	n, w := binary.Uvarint(src)
	if w <= 0 || n > uint64(len(src)-w) {
		return nil, nil, errSpilledState
	}
	return src[w : w+int(n)], src[w+int(n):], nil
}

// Save implements Spillable.
func (c *countAccumulator) Save(groups []uint32, dst []byte) []byte {
	return saveStates(dst, c.n, groups)
}

// Load implements Spillable.
func (c *countAccumulator) Load(src []byte, n int) (err error) {
	c.n, _, err = loadStates[int64](src, n)
	return err
}

// Save implements Spillable: the states, then the carries of those that have one.
func (s *intSum[A]) Save(groups []uint32, dst []byte) []byte {
	dst = saveStates(dst, s.states, groups)
	for i, g := range groups {
		if c := s.carry[g]; c != 0 {
			dst = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(dst, uint32(i)), uint64(c))
		}
	}
	return dst
}

// Load implements Spillable.
func (s *intSum[A]) Load(src []byte, n int) (err error) {
	if s.states, src, err = loadStates[intSumState](src, n); err != nil {
		return err
	}
	for ; len(src) >= 12; src = src[12:] {
		if s.carry == nil {
			s.carry = make(map[uint32]int64)
		}
		s.carry[binary.LittleEndian.Uint32(src)] = int64(binary.LittleEndian.Uint64(src[4:]))
	}
	return nil
}

// Save implements Spillable.
func (s *wideSum) Save(groups []uint32, dst []byte) []byte { return saveStates(dst, s.states, groups) }

// Load implements Spillable.
func (s *wideSum) Load(src []byte, n int) (err error) {
	s.states, _, err = loadStates[wideSumState](src, n)
	return err
}

// Save implements Spillable.
func (s *floatSum) Save(groups []uint32, dst []byte) []byte { return saveStates(dst, s.states, groups) }

// Load implements Spillable.
func (s *floatSum) Load(src []byte, n int) (err error) {
	s.states, _, err = loadStates[floatSumState](src, n)
	return err
}

// Save implements Spillable.
func (m *moments) Save(groups []uint32, dst []byte) []byte { return saveStates(dst, m.states, groups) }

// Load implements Spillable.
func (m *moments) Load(src []byte, n int) (err error) {
	m.states, _, err = loadStates[moment](src, n)
	return err
}

// Save implements Spillable.
func (b *bitFold) Save(groups []uint32, dst []byte) []byte { return saveStates(dst, b.states, groups) }

// Load implements Spillable.
func (b *bitFold) Load(src []byte, n int) (err error) {
	b.states, _, err = loadStates[bitState](src, n)
	return err
}

// Save implements Spillable.
func (e *extremum[T]) Save(groups []uint32, dst []byte) []byte {
	return saveStates(dst, e.states, groups)
}

// Load implements Spillable.
func (e *extremum[T]) Load(src []byte, n int) (err error) {
	e.states, _, err = loadStates[extremumState[T]](src, n)
	return err
}

// Save implements Spillable.
func (e *wideExtremum) Save(groups []uint32, dst []byte) []byte {
	return saveStates(dst, e.states, groups)
}

// Load implements Spillable.
func (e *wideExtremum) Load(src []byte, n int) (err error) {
	e.states, _, err = loadStates[wideExtremumState](src, n)
	return err
}

// Save implements Spillable.
func (e *textExtremum) Save(groups []uint32, dst []byte) []byte {
	return saveKept(dst, e.vals, e.ok, groups)
}

// Load implements Spillable.
func (e *textExtremum) Load(src []byte, n int) (err error) {
	e.ok, _, err = loadKept(src, e.vals, n)
	for i := range e.ok {
		if e.ok[i] {
			e.live += outOfLine(len(e.vals.Bytes(i)))
		}
	}
	e.held = e.live
	return err
}

// saveKept appends, a group: whether there is a value (0 no, 1 yes, 2 a NULL) and the value.
func saveKept(dst []byte, vals *vector.Vector, ok []bool, groups []uint32) []byte {
	w := vals.Type.Physical().Size()
	isText := isTextual(vals)
	for _, g := range groups {
		switch {
		case !ok[g]:
			dst = append(dst, 0)
		case vals.IsNull(int(g)):
			dst = append(dst, 2)
		case isText:
			dst = saveBytes(append(dst, 1), vals.Bytes(int(g)))
		default:
			dst = append(append(dst, 1), vals.Data[int(g)*w:(int(g)+1)*w]...)
		}
	}
	return dst
}

// loadKept fills vals, which is empty.
func loadKept(src []byte, vals *vector.Vector, n int) (ok []bool, rest []byte, err error) {
	w := vals.Type.Physical().Size()
	isText := isTextual(vals)
	vals.Grow(n)
	ok = make([]bool, n)
	for i := range ok {
		if len(src) == 0 {
			return nil, nil, errSpilledState
		}
		has := src[0]
		src = src[1:]
		ok[i] = has != 0
		switch {
		case has == 0:
		case has == 2:
			vals.SetNull(i)
		case isText:
			var b []byte
			if b, src, err = loadBytes(src); err != nil {
				return nil, nil, err
			}
			vals.SetBytes(i, b)
		case len(src) < w:
			return nil, nil, errSpilledState
		default:
			copy(vals.Data[i*w:], src[:w])
			src = src[w:]
		}
	}
	return ok, src, nil
}

func isTextual(v *vector.Vector) bool { return v.Type.Physical() == tString.Physical() }

// Save implements Spillable.
func (a *kept) Save(groups []uint32, dst []byte) []byte { return saveKept(dst, a.vals, a.ok, groups) }

// Load implements Spillable.
func (a *kept) Load(src []byte, n int) (err error) {
	a.ok, _, err = loadKept(src, a.vals, n)
	return err
}

// Save implements Spillable.
func (a *keptBy) Save(groups []uint32, dst []byte) []byte {
	return a.keys.Save(groups, a.kept.Save(groups, dst))
}

// Load implements Spillable.
func (a *keptBy) Load(src []byte, n int) (err error) {
	if a.ok, src, err = loadKept(src, a.vals, n); err == nil {
		err = a.keys.Load(src, n)
	}
	return err
}

// Save implements Spillable: a group's text behind its length plus one, 0 for no text.
func (g *groupConcat) Save(groups []uint32, dst []byte) []byte {
	for _, group := range groups {
		t := g.texts[group]
		if t == nil {
			dst = append(dst, 0)
			continue
		}
		dst = append(binary.AppendUvarint(dst, uint64(len(t))+1), t...)
	}
	return dst
}

// Load implements Spillable.
func (g *groupConcat) Load(src []byte, n int) error {
	g.Grow(n)
	for i := range g.texts {
		size, w := binary.Uvarint(src)
		if w <= 0 || size > uint64(len(src)-w)+1 {
			return errSpilledState
		}
		if src = src[w:]; size == 0 {
			continue
		}
		g.texts[i] = append(make([]byte, 0, max(size-1, 1)), src[:size-1]...)
		g.held += int64(size)
		src = src[size-1:]
	}
	return nil
}

// Save implements Spillable: a group's hashes as bytes, or its registers, behind a mark.
func (d *distinctSketch) Save(groups []uint32, dst []byte) []byte {
	for _, g := range groups {
		s := &d.states[g]
		if s.registers != nil {
			dst = append(append(dst, 1), s.registers...)
			continue
		}
		dst = append(dst, 0, byte(len(s.sparse)))
		for _, h := range s.sparse {
			dst = binary.LittleEndian.AppendUint64(dst, h)
		}
	}
	return dst
}

// Load implements Spillable.
func (d *distinctSketch) Load(src []byte, n int) error {
	d.Grow(n)
	for i := range d.states {
		s := &d.states[i]
		if len(src) < 2 {
			return errSpilledState
		}
		if src[0] == 1 {
			if len(src) < 1+sketchSize {
				return errSpilledState
			}
			s.registers = append([]uint8(nil), src[1:1+sketchSize]...)
			d.held += sketchSize
			src = src[1+sketchSize:]
			continue
		}
		count := int(src[1])
		if src = src[2:]; len(src) < 8*count {
			return errSpilledState
		}
		for k := range count {
			s.sparse = append(s.sparse, binary.LittleEndian.Uint64(src[8*k:]))
		}
		d.held += int64(cap(s.sparse)) * 8
		src = src[8*count:]
	}
	return nil
}

// Save implements Spillable: a group's number of elements plus one, 0 for no list, and the
// elements.
func (c *collect) Save(groups []uint32, dst []byte) []byte {
	var rows []uint32
	var all []bool
	for _, g := range groups {
		list := c.groups[g]
		if list == nil {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(list.Len)+1)
		for len(rows) < list.Len {
			rows, all = append(rows, uint32(len(rows))), append(all, true)
		}
		dst = saveKept(dst, list, all, rows[:list.Len])
	}
	return dst
}

// Load implements Spillable. What it loads is merged, not added to: sets stay without their index.
func (c *collect) Load(src []byte, n int) error {
	c.Grow(n)
	for g := range n {
		size, w := binary.Uvarint(src)
		if w <= 0 || size > uint64(len(src)-w)+1 {
			return errSpilledState
		}
		if src = src[w:]; size == 0 {
			continue
		}
		list := vector.New(c.typ, 0)
		var err error
		if _, src, err = loadKept(src, list, int(size-1)); err != nil {
			return err
		}
		c.groups[g] = list
		c.held += 160 + list.Bytesize()
	}
	return nil
}
