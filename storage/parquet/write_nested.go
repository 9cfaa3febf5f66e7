package parquet

import (
	"encoding/binary"
	"math/bits"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// leafLevels are the levels of the buffered entries of a nested column's leaf. The leaf's
// columnWriter counts entries as rows.
type leafLevels struct {
	path           []string
	maxDef, maxRep uint8
	def, rep       []uint8
}

// values counts the entries [from, to) that have a value.
func (l *leafLevels) values(from, to int) int {
	n := 0
	for _, d := range l.def[from:to] {
		if d == l.maxDef {
			n++
		}
	}
	return n
}

// records counts the rows that begin among the entries [from, to).
func (l *leafLevels) records(from, to int) int {
	n := 0
	for _, r := range l.rep[from:to] {
		if r == 0 {
			n++
		}
	}
	return n
}

// wholeRecords makes m entries from row on end with a row.
func (l *leafLevels) wholeRecords(row, m int) int {
	for row+m < len(l.rep) && l.rep[row+m] != 0 {
		m++
	}
	return m
}

// nestedWriter cuts the values of a nested column into the entries of its leaves.
type nestedWriter struct {
	root   *node
	leaves map[*node]*columnWriter
	order  []*columnWriter // as in the schema
}

// newNestedWriter prepares the column: its parts are optional, but the keys of maps.
func newNestedWriter(c storage.Column) (*nestedWriter, error) {
	w := &nestedWriter{leaves: map[*node]*columnWriter{}}
	at := levels{}
	if c.Nullable {
		at.def = 1
	}
	var err error
	w.root, err = w.part(c.Name, c.Type, at, nil)
	return w, err
}

// part is the node of a part of type t whose own levels are at.
func (w *nestedWriter) part(name string, t sqltype.Type, at levels, path []string) (n *node, err error) {
	n = &node{name: name, typ: t, def: at.def, rep: at.rep, slot: at.slot}
	path = append(path[:len(path):len(path)], name)
	optional := func(a levels) levels { return levels{a.def + 1, a.rep, a.slot} }
	add := func(name string, t sqltype.Type, at levels, path []string) {
		var child *node
		if child, err = w.part(name, t, at, path); err == nil {
			n.children = append(n.children, child)
		}
	}
	repeated := levels{at.def + 1, at.rep + 1, at.def + 1}
	switch t.Kind {
	case sqltype.Array:
		n.shape = shapeList
		add("element", t.Nested.Elems[0], optional(repeated), append(path, "list"))
	case sqltype.Map:
		n.shape = shapeMap
		path = append(path, "key_value")
		if add("key", t.Nested.Elems[0], repeated, path); err == nil {
			add("value", t.Nested.Elems[1], optional(repeated), path)
		}
	case sqltype.Struct:
		n.shape = shapeStruct
		for i, f := range t.Nested.Fields {
			if err == nil {
				add(f, t.Nested.Elems[i], optional(at), path)
			}
		}
	default:
		var leaf *columnWriter
		if leaf, err = newColumnWriter(storage.Column{Name: name, Type: t}); err == nil {
			leaf.nested = &leafLevels{path: path, maxDef: at.def, maxRep: at.rep}
			n.shape, n.maxDef, n.maxRep = shapeLeaf, at.def, at.rep
			w.leaves[n] = leaf
			w.order = append(w.order, leaf)
		}
	}
	return n, err
}

// slots are places for values of a node: idx is where the value is in the node's vector, or
// -1 where there is none, and def says then how far it is defined; rep is where it repeats.
type slots struct {
	idx      []int32
	def, rep []uint8
}

func (s *slots) add(idx int32, def, rep uint8) {
	s.idx, s.def, s.rep = append(s.idx, idx), append(s.def, def), append(s.rep, rep)
}

// append buffers n rows of v, those of sel (nil: all).
func (w *nestedWriter) append(v *vector.Vector, sel []int32, n int) error {
	v = v.Flatten(sel, &vector.Vector{})
	s := &slots{}
	for i := range n {
		s.add(int32(i), 0, 0)
	}
	return w.shred(w.root, v, s)
}

// shred appends the entries of the node's leaves for the slots.
func (w *nestedWriter) shred(n *node, v *vector.Vector, s *slots) error {
	required := n.def == n.slot // a key, or a column that is NOT NULL
	for k, i := range s.idx {
		if i >= 0 && v.IsNull(int(i)) {
			if required {
				return sqlerr.New(sqlerr.NotNull, "Column '%s' cannot be null", n.name)
			}
			s.idx[k], s.def[k] = -1, n.def-1
		}
	}
	switch n.shape {
	case shapeLeaf:
		return w.leaf(n, v, s)
	case shapeStruct:
		for f, child := range n.children {
			part := vector.UnpackField(v, nil, f)
			inner := &slots{append([]int32(nil), s.idx...), append([]uint8(nil), s.def...), s.rep}
			if err := w.shred(child, part, inner); err != nil {
				return err
			}
		}
		return nil
	}
	var present []int32
	for _, i := range s.idx {
		if i >= 0 {
			present = append(present, i)
		}
	}
	if present == nil {
		present = []int32{} // nil would be all
	}
	for part, child := range n.children {
		elems, offsets := vector.Unpack(v, present, part)
		inner, at := &slots{}, 0
		for k, i := range s.idx {
			if i < 0 {
				inner.add(-1, s.def[k], s.rep[k])
				continue
			}
			lo, hi := offsets[at], offsets[at+1]
			at++
			if lo == hi {
				inner.add(-1, n.def, s.rep[k])
			}
			for x := lo; x < hi; x++ {
				rep := n.rep + 1
				if x == lo {
					rep = s.rep[k]
				}
				inner.add(x, 0, rep)
			}
		}
		if err := w.shred(child, elems, inner); err != nil {
			return err
		}
	}
	return nil
}

// leaf buffers the entries of a leaf.
func (w *nestedWriter) leaf(n *node, v *vector.Vector, s *slots) error {
	c := w.leaves[n]
	l := c.nested
	rows := make([]int32, 0, len(s.idx))
	for k, i := range s.idx {
		l.rep = append(l.rep, s.rep[k])
		if i < 0 {
			l.def = append(l.def, s.def[k])
			continue
		}
		l.def = append(l.def, n.maxDef)
		rows = append(rows, i)
	}
	before := c.rows
	if err := c.append(v, rows, len(rows)); err != nil {
		return err
	}
	c.rows = before + len(s.idx)
	c.nulls += len(s.idx) - len(rows)
	return nil
}

// appendNestedLevels appends the levels of entries [row, row+m), each kind with its length.
func (c *columnWriter) appendNestedLevels(dst []byte, row, m int) []byte {
	one := func(src []uint8, limit uint8) {
		if limit == 0 {
			return
		}
		if cap(c.levels) < m {
			c.levels = make([]int32, m)
		}
		values := c.levels[:m]
		for i, x := range src[row : row+m] {
			values[i] = int32(x)
		}
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		dst = appendHybrid(dst, values, uint(bits.Len8(limit)))
		binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	one(c.nested.rep, c.nested.maxRep)
	one(c.nested.def, c.nested.maxDef)
	return dst
}

// schema writes the column's SchemaElements: groups before what they hold.
func (w *nestedWriter) schema(t *thriftWriter, n *node, rep int32) {
	group := func(name string, rep, children int32, annotate func()) {
		t.elem()
		t.i32(3, rep)
		t.string(4, name)
		t.i32(5, children)
		if annotate != nil {
			annotate()
		}
		t.close()
	}
	annotation := func(converted int32, logical int16) func() {
		return func() {
			t.i32(6, converted)
			t.open(10)
			t.empty(logical)
			t.close()
		}
	}
	switch n.shape {
	case shapeLeaf:
		c := w.leaves[n]
		leaf := *c
		leaf.col.Nullable = rep == repOptional
		leaf.schema(t)
	case shapeList:
		group(n.name, rep, 1, annotation(convList, logicalList))
		group("list", repRepeated, 1, nil)
		w.schema(t, n.children[0], repOptional)
	case shapeMap:
		group(n.name, rep, 1, annotation(convMap, logicalMap))
		group("key_value", repRepeated, 2, nil)
		w.schema(t, n.children[0], repRequired)
		w.schema(t, n.children[1], repOptional)
	case shapeStruct:
		group(n.name, rep, int32(len(n.children)), nil)
		for _, c := range n.children {
			w.schema(t, c, repOptional)
		}
	}
}

// elements counts the SchemaElements of n.
func (n *node) elements() int {
	count := 1
	if n.shape == shapeList || n.shape == shapeMap {
		count++
	}
	for _, c := range n.children {
		count += c.elements()
	}
	return count
}
