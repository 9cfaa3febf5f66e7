package orc

import (
	"math"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage/widen"
)

// branch is what nodes with children have in common. Their rows are packed to the vectors'
// form of nested values, in memory of their own.
type branch struct {
	presence
	typ      sqltype.Type
	children []node
	picked   vector.Vector
	packed   *budget.Claim // of the column: what nested values of a read take
}

// packStructs makes structs of their fields.
func (b *branch) packStructs(fields []*vector.Vector, n int, valid vector.Bitmap) (*vector.Vector, error) {
	if err := b.packed.Grow(vector.PackedBytes(fields...)); err != nil {
		return nil, err
	}
	return vector.PackStructs(b.typ, fields, n, valid), nil
}

func (b *branch) columns(dst []uint32) []uint32 {
	dst = b.presence.columns(dst)
	for _, c := range b.children {
		dst = c.columns(dst)
	}
	return dst
}

func (b *branch) close() {
	b.presence.close()
	for _, c := range b.children {
		c.close()
	}
}

func (b *branch) seekChildren(index func(uint32) (positions, error)) error {
	for _, c := range b.children {
		if err := c.seek(index); err != nil {
			return err
		}
	}
	return nil
}

// pickFrom picks rows of a vector that was read whole.
func (b *branch) pickFrom(v *vector.Vector, err error, rows []int32) (*vector.Vector, error) {
	if err != nil {
		return nil, err
	}
	return v.Gather(rows, &b.picked), nil
}

// structNode is a struct: its fields have a row where it is not null.
type structNode struct{ branch }

func (s *structNode) next(n int, mask vector.Bitmap, ones int) (*vector.Vector, error) {
	live, valid, err := s.read(n, mask, ones)
	if err != nil {
		return nil, err
	}
	fields := make([]*vector.Vector, len(s.children))
	for i, c := range s.children {
		if fields[i], err = c.next(n, valid, live); err != nil {
			return nil, err
		}
	}
	return s.packStructs(fields, n, valid)
}

func (s *structNode) pick(n int, rows []int32) (*vector.Vector, error) {
	v, err := s.next(n, nil, n)
	return s.pickFrom(v, err, rows)
}

func (s *structNode) skip(n int) error {
	live, err := s.presence.skip(n)
	if err != nil {
		return err
	}
	for _, c := range s.children {
		if err := c.skip(live); err != nil {
			return err
		}
	}
	return nil
}

func (s *structNode) seek(index func(uint32) (positions, error)) error {
	if _, err := s.presence.seek(index); err != nil {
		return err
	}
	return s.seekChildren(index)
}

// listNode is a list (one child) or a map (keys and values): a length a row that is not
// null, and that many rows of the children.
type listNode struct {
	branch
	lengths intReader
	tmp     []int64
	offsets []int32
	in      *input
	most    int64 // elements of one read
}

// elementPiece is how many elements are read at once: memory grows with what is there, not
// with what lengths promise.
const elementPiece = 1 << 16

// Elements may take no bytes at all, such as empty structs. A read of all lists of a column gives at most leastElements
// elements, and elementsPerByte for each byte of the stripe, which compressed runs reach; never more than mostElements.
const (
	leastElements   = 1 << 20
	elementsPerByte = 1 << 17
	mostElements    = 1 << 27
)

const (
	errList     = formatError("a list has a wrong length")
	errElements = formatError("lists have more elements than their stripe can hold")
)

func (l *listNode) next(n int, mask vector.Bitmap, ones int) (*vector.Vector, error) {
	live, valid, err := l.read(n, mask, ones)
	if err != nil {
		return nil, err
	}
	l.tmp = grow(l.tmp, n)
	if err := l.lengths.next(l.tmp[:live]); err != nil {
		return nil, err
	}
	if valid != nil {
		spread(l.tmp[:n], valid, n, live)
	}
	l.offsets = grow(l.offsets, n+1)
	offsets := l.offsets[:n+1]
	total := int64(0)
	for i, x := range l.tmp[:n] {
		offsets[i] = int32(total)
		if !valid.Get(i) {
			continue
		}
		if x < 0 || x > math.MaxInt32-total {
			return nil, errList
		}
		total += x
	}
	offsets[n] = int32(total)
	if l.in.elements += total; l.in.elements > l.most {
		return nil, errElements
	}
	first, err := l.elements(0, int(total))
	if err != nil {
		return nil, err
	}
	if err := l.packed.Grow(vector.PackedBytes(first)); err != nil {
		return nil, err
	}
	if len(l.children) == 1 {
		return vector.PackArrays(l.typ, first, offsets, valid), nil
	}
	second, err := l.elements(1, int(total))
	if err != nil {
		return nil, err
	}
	if err := l.packed.Grow(vector.PackedBytes(second)); err != nil {
		return nil, err
	}
	return vector.PackMaps(l.typ, first, second, offsets, valid), nil
}

// elements reads the next n rows of a child.
func (l *listNode) elements(child, n int) (*vector.Vector, error) {
	if n <= elementPiece {
		return l.children[child].next(n, nil, n)
	}
	var all *vector.Vector
	for n > 0 {
		k := min(n, elementPiece)
		v, err := l.children[child].next(k, nil, k)
		if err != nil {
			return nil, err
		}
		if err := l.packed.Grow(vector.PackedBytes(v)); err != nil {
			return nil, err
		}
		if all == nil {
			all = vector.New(v.Type, 0)
		}
		all.AppendFrom(v, nil)
		n -= k
	}
	return all, nil
}

func (l *listNode) pick(n int, rows []int32) (*vector.Vector, error) {
	v, err := l.next(n, nil, n)
	return l.pickFrom(v, err, rows)
}

func (l *listNode) skip(n int) error {
	live, err := l.presence.skip(n)
	if err != nil {
		return err
	}
	for live > 0 {
		k := min(live, vector.BatchRows)
		l.tmp = grow(l.tmp, k)
		if err := l.lengths.next(l.tmp[:k]); err != nil {
			return err
		}
		total := int64(0)
		for _, x := range l.tmp[:k] {
			if x < 0 || x > math.MaxInt32 {
				return errList
			}
			total += x
		}
		for _, c := range l.children {
			if err := c.skip(int(total)); err != nil {
				return err
			}
		}
		live -= k
	}
	return nil
}

func (l *listNode) seek(index func(uint32) (positions, error)) error {
	at, err := l.presence.seek(index)
	if err != nil {
		return err
	}
	if err := l.lengths.seek(&at); err != nil {
		return err
	}
	return l.seekChildren(index)
}

// unionNode is a union, read as a struct of its alternatives: a tag a row that is not
// null says which of them has the row.
type unionNode struct {
	branch
	tags  byteReader
	tmp   []byte
	masks []vector.Bitmap
}

const errTag = formatError("a union has a wrong tag")

func (u *unionNode) next(n int, mask vector.Bitmap, ones int) (*vector.Vector, error) {
	live, valid, err := u.read(n, mask, ones)
	if err != nil {
		return nil, err
	}
	u.tmp = grow(u.tmp, n)
	if err := u.tags.next(u.tmp[:live]); err != nil {
		return nil, err
	}
	if valid != nil {
		spread(u.tmp[:n], valid, n, live)
	}
	words := (n + 63) / 64
	counts := make([]int, len(u.children))
	for k := range u.children {
		if len(u.masks) <= k {
			u.masks = append(u.masks, nil)
		}
		u.masks[k] = grow(u.masks[k], words)
		clear(u.masks[k])
	}
	for i, t := range u.tmp[:n] {
		if !valid.Get(i) {
			continue
		}
		if int(t) >= len(u.children) {
			return nil, errTag
		}
		u.masks[t].Set(i)
		counts[t]++
	}
	fields := make([]*vector.Vector, len(u.children))
	for k, c := range u.children {
		if fields[k], err = c.next(n, u.masks[k], counts[k]); err != nil {
			return nil, err
		}
	}
	return u.packStructs(fields, n, valid)
}

func (u *unionNode) pick(n int, rows []int32) (*vector.Vector, error) {
	v, err := u.next(n, nil, n)
	return u.pickFrom(v, err, rows)
}

func (u *unionNode) skip(n int) error {
	live, err := u.presence.skip(n)
	if err != nil {
		return err
	}
	for live > 0 {
		k := min(live, vector.BatchRows)
		u.tmp = grow(u.tmp, k)
		if err := u.tags.next(u.tmp[:k]); err != nil {
			return err
		}
		counts := make([]int, len(u.children))
		for _, t := range u.tmp[:k] {
			if int(t) >= len(counts) {
				return errTag
			}
			counts[t]++
		}
		for i, c := range u.children {
			if err := c.skip(counts[i]); err != nil {
				return err
			}
		}
		live -= k
	}
	return nil
}

func (u *unionNode) seek(index func(uint32) (positions, error)) error {
	at, err := u.presence.seek(index)
	if err != nil {
		return err
	}
	if err := u.tags.seek(&at); err != nil {
		return err
	}
	return u.seekChildren(index)
}

// castNode reads a leaf of a nested column as another type.
type castNode struct {
	node
	caster widen.Caster
}

func (c *castNode) next(n int, mask vector.Bitmap, ones int) (*vector.Vector, error) {
	v, err := c.node.next(n, mask, ones)
	if err != nil {
		return nil, err
	}
	return c.caster.Apply(v)
}

func (c *castNode) pick(n int, rows []int32) (*vector.Vector, error) {
	v, err := c.node.pick(n, rows)
	if err != nil {
		return nil, err
	}
	return c.caster.Apply(v)
}

// nullNode is a field that the file lacks.
type nullNode struct {
	typ sqltype.Type
	out vector.Vector
}

func (z *nullNode) next(n int, _ vector.Bitmap, _ int) (*vector.Vector, error) {
	z.out.Type = z.typ
	z.out.SetAllNull(n)
	return &z.out, nil
}

func (z *nullNode) pick(_ int, rows []int32) (*vector.Vector, error) {
	return z.next(len(rows), nil, 0)
}
func (z *nullNode) skip(int) error                             { return nil }
func (z *nullNode) seek(func(uint32) (positions, error)) error { return nil }
func (z *nullNode) columns(dst []uint32) []uint32              { return dst }
func (z *nullNode) close()                                     {}
