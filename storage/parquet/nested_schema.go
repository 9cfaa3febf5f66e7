package parquet

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
)

// shape is what a node of a nested column is.
type shape uint8

const (
	shapeLeaf shape = iota
	shapeList       // children: the element
	shapeMap        // children: key, value (the value may be missing)
	shapeStruct
)

// node is a nested column of the schema, or a part of one. Levels are those of Dremel: a value
// of the node is there when the definition level is at least def, and a new slot of the node
// begins where the repetition level is at most rep.
//
// Source: parquet-format, LogicalTypes.md (lists, maps) and Melnik et al., Dremel, 2010.
type node struct {
	shape    shape
	name     string
	typ      sqltype.Type
	def, rep uint8
	// slot is the definition level from which on an entry is a slot of this node's vector: that
	// of the repeated group around it.
	slot     uint8
	children []*node
	leaf     *leaf // shapeLeaf
	// maxDef and maxRep are the levels of a leaf.
	maxDef, maxRep uint8
}

// nestedSchema reads the element at *pos of the flattened schema, and what is below it, into a node;
// *chunk counts leaves. outer are the levels around it.
type nestedSchema struct {
	schema []schemaElement
	pos    int
	chunk  int
	// unsupported and broken are the first reasons why the column cannot be read.
	unsupported, broken string
}

// levels are those that a node starts from.
type levels struct{ def, rep, slot uint8 }

// read makes a node of the element at pos. A repeated element that no list annotates is a
// required list of required elements, unless element says that a list around it took the
// repetition already.
func (s *nestedSchema) read(at levels, element bool) *node {
	e := &s.schema[s.pos]
	if !element && e.rep == repRepeated {
		list := &node{shape: shapeList, name: e.name, def: at.def, rep: at.rep, slot: at.slot}
		inner := levels{at.def + 1, at.rep + 1, at.def + 1}
		list.children = []*node{s.read(inner, true)}
		list.typ = sqltype.ArrayOf(list.children[0].typ)
		return list
	}
	if !element && e.rep == repOptional {
		at.def++
	}
	s.pos++
	n := &node{name: e.name, def: at.def, rep: at.rep, slot: at.slot}
	if e.typ >= 0 && e.children == 0 {
		s.readLeaf(n, e)
		return n
	}
	switch {
	case e.isMap() && s.looksLikeMap(e):
		s.readMap(n, at)
	case e.isList() && e.children == 1 && s.schema[s.pos].rep == repRepeated:
		s.readList(n, e, at)
	default:
		s.readStruct(n, e, at)
	}
	return n
}

func (e *schemaElement) isMap() bool {
	return e.logical.kind == logicalMap || e.logical.kind == logicalNone && (e.converted == convMap || e.converted == convMapKeyValue)
}

func (e *schemaElement) isList() bool {
	return e.logical.kind == logicalList || e.logical.kind == logicalNone && e.converted == convList
}

func (s *nestedSchema) readLeaf(n *node, e *schemaElement) {
	l := &leaf{index: s.chunk, elem: *e}
	s.chunk++
	l.Name, l.Nullable = e.name, true
	l.mapLeaf()
	if l.unsupported != "" && s.unsupported == "" {
		s.unsupported = l.unsupported
	}
	if l.broken != "" && s.broken == "" {
		s.broken = l.broken
	}
	n.shape, n.leaf, n.typ, n.maxDef, n.maxRep = shapeLeaf, l, l.Type, n.def, n.rep
}

func (s *nestedSchema) readStruct(n *node, e *schemaElement, at levels) {
	n.shape = shapeStruct
	var names []string
	var types []sqltype.Type
	for range e.children {
		c := s.read(at, false)
		n.children = append(n.children, c)
		names, types = append(names, c.name), append(types, c.typ)
	}
	if len(names) == 0 && s.unsupported == "" {
		s.unsupported = "empty struct"
	}
	n.typ = sqltype.StructOf(names, types)
}

// readList reads the repeated child of a list. By the rules of the format's older writers the
// repeated field itself is the element when it is no group, a group of several fields or of a
// repeated one, a list or map itself, or named array or like the list with _tuple.
func (s *nestedSchema) readList(n *node, e *schemaElement, at levels) {
	n.shape = shapeList
	inner := levels{at.def + 1, at.rep + 1, at.def + 1}
	r := &s.schema[s.pos]
	isElement := r.typ >= 0 && r.children == 0 || r.children != 1 || r.isList() || r.isMap() ||
		s.schema[s.pos+1].rep == repRepeated || r.name == "array" || r.name == e.name+"_tuple"
	if !isElement {
		s.pos++ // the middle group
	}
	n.children = []*node{s.read(inner, isElement)}
	n.typ = sqltype.ArrayOf(n.children[0].typ)
}

// looksLikeMap reports a repeated group of a key and at most one value.
func (s *nestedSchema) looksLikeMap(e *schemaElement) bool {
	if e.children != 1 || s.pos >= len(s.schema) {
		return false
	}
	kv := &s.schema[s.pos]
	return kv.rep == repRepeated && (kv.children == 1 || kv.children == 2) && s.pos+1 < len(s.schema) && s.schema[s.pos+1].children == 0
}

func (s *nestedSchema) readMap(n *node, at levels) {
	inner := levels{at.def + 1, at.rep + 1, at.def + 1}
	kv := &s.schema[s.pos]
	s.pos++
	n.children = []*node{s.read(inner, false)}
	n.shape = shapeMap
	if kv.children == 1 { // a set: all values are NULL
		n.typ = sqltype.MapOf(n.children[0].typ, sqltype.T(sqltype.String))
		return
	}
	n.children = append(n.children, s.read(inner, false))
	n.typ = sqltype.MapOf(n.children[0].typ, n.children[1].typ)
}

// first is the leaf that tells the node's slots and lengths.
func (n *node) first() *node {
	for n.shape != shapeLeaf {
		n = n.children[0]
	}
	return n
}

// readable reports whether values of n can be read as to: leaves widen, struct fields are
// found by name, those that the file lacks are NULL.
func (n *node) readable(to sqltype.Type) bool {
	switch {
	case n.shape == shapeLeaf:
		return !to.IsNested() && canCast(n.typ, to)
	case n.typ.Kind != to.Kind:
		return false
	case n.shape == shapeStruct:
		for i, name := range to.Nested.Fields {
			if c := n.field(name); c != nil && !c.readable(to.Nested.Elems[i]) {
				return false
			}
		}
		return true
	}
	for i, c := range n.children {
		if !c.readable(to.Nested.Elems[i]) {
			return false
		}
	}
	return true
}

// field is the child of a struct by name, exactly or else without regard to case.
func (n *node) field(name string) *node {
	var folded *node
	for _, c := range n.children {
		if c.name == name {
			return c
		}
		if folded == nil && strings.EqualFold(c.name, name) {
			folded = c
		}
	}
	return folded
}

// readable reports whether the column can be read as to.
func (l *leaf) readable(to sqltype.Type) bool {
	if l.nested != nil {
		return l.nested.readable(to)
	}
	return canCast(l.Type, to) || !lossless(l.Type, to)
}

// flat reports whether l is one column chunk that can be read.
func (l *leaf) flat() bool { return l.nested == nil && l.unsupported == "" }
