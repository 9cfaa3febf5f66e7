package parquet

import (
	"fmt"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/widen"
)

// nestedColumn reads a nested column forwards: the leaves that are needed, each with its
// levels, put together to vectors of nested values. One goroutine uses it.
type nestedColumn struct {
	root   *assembly
	leaves []*leafStream
	next   int64 // row
	file   *File
	name   string
	packed budget.Claim // what the values of the last read take
}

// assembly is a node as it is read: its type may be wider than the file's.
type assembly struct {
	node     *node
	typ      sqltype.Type
	children []*assembly // by the type's parts; nil: NULLs, a struct field that the file lacks or the values of a set
	stream   *leafStream // of the leaf, or of the node's first one
	cast     *widen.Caster
}

func newNestedColumn(f *File, file storage.File, n *node, to sqltype.Type, g int, mem *memory, counters *storage.ScanCounters) (*nestedColumn, error) {
	c := &nestedColumn{file: f, name: n.name, packed: budget.Claim{Of: mem.budget}}
	open := func(l *node) (*leafStream, error) {
		for _, s := range c.leaves {
			if s.node == l {
				return s, nil
			}
		}
		s, err := newLeafStream(f, file, l, g, mem, counters)
		if err != nil {
			return nil, err
		}
		c.leaves = append(c.leaves, s)
		return s, nil
	}
	var build func(n *node, to sqltype.Type) (*assembly, error)
	build = func(n *node, to sqltype.Type) (a *assembly, err error) {
		a = &assembly{node: n, typ: to}
		if n.shape == shapeLeaf && n.typ != to {
			a.cast = &widen.Caster{From: n.typ, To: to, Place: fmt.Sprintf("column %s of %s", c.name, f.path)}
		}
		for i := 0; n.shape != shapeLeaf && i < len(to.Nested.Elems); i++ {
			var child *node
			switch {
			case n.shape == shapeStruct:
				child = n.field(to.Nested.Fields[i])
			case i < len(n.children):
				child = n.children[i]
			}
			var part *assembly
			if child != nil {
				if part, err = build(child, to.Nested.Elems[i]); err != nil {
					return nil, err
				}
			}
			a.children = append(a.children, part)
		}
		// A list's slots are counted on the leaf that its element is read from anyway.
		for _, part := range a.children {
			if part != nil && a.stream == nil {
				a.stream = part.stream
			}
		}
		if a.stream == nil {
			a.stream, err = open(n.first())
		}
		return a, err
	}
	var err error
	if c.root, err = build(n, to); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *nestedColumn) close() {
	for _, s := range c.leaves {
		s.column.close()
		s.held.Release()
	}
	c.packed.Release()
}

// read returns rows [row, row+n), where row is not before what was read.
func (c *nestedColumn) read(row int64, n int) (*vector.Vector, error) {
	c.packed.Release()
	for _, s := range c.leaves {
		if row > c.next {
			if err := s.skip(c.next, row); err != nil {
				return nil, s.column.fail(err)
			}
		}
		if err := s.readRows(n); err != nil {
			return nil, s.column.fail(err)
		}
	}
	c.next = row + int64(n)
	v, err := c.root.vector(&c.packed)
	if err != nil {
		return nil, err
	}
	if v.Len != n {
		return nil, sqlerr.New(sqlerr.CorruptFile, "corrupt Parquet file %s: column %s has %d rows where %d are", c.file.path, c.name, v.Len, n)
	}
	return v, nil
}

// vector puts together the slots of the window; what they take is claimed.
func (a *assembly) vector(packed *budget.Claim) (*vector.Vector, error) {
	n, s := a.node, a.stream
	switch n.shape {
	case shapeLeaf:
		v := s.spaced()
		if a.cast != nil {
			return a.cast.Apply(v)
		}
		return v, nil
	case shapeStruct:
		slots, valid := s.slots(n)
		fields := make([]*vector.Vector, len(a.children))
		for i, part := range a.children {
			if part == nil {
				fields[i] = vector.NewConstant(vector.NullOf(a.typ.Nested.Elems[i]), slots)
				continue
			}
			v, err := part.vector(packed)
			if err != nil {
				return nil, err
			}
			if v.Len != slots {
				return nil, s.column.fail(formatError("the leaves of a group have different lengths"))
			}
			fields[i] = v
		}
		if err := packed.Grow(vector.PackedBytes(fields...)); err != nil {
			return nil, err
		}
		return vector.PackStructs(a.typ, fields, slots, valid), nil
	}
	offsets, valid := s.lengths(n)
	var parts [2]*vector.Vector
	for i, part := range a.children {
		if part == nil { // the values of a set
			parts[i] = vector.NewConstant(vector.NullOf(a.typ.Nested.Elems[i]), int(offsets[len(offsets)-1]))
			continue
		}
		v, err := part.vector(packed)
		if err != nil {
			return nil, err
		}
		if v.Len != int(offsets[len(offsets)-1]) {
			return nil, s.column.fail(formatError("the leaves of a repeated group have different lengths"))
		}
		parts[i] = v
	}
	if err := packed.Grow(vector.PackedBytes(parts[:len(a.children)]...)); err != nil {
		return nil, err
	}
	if n.shape == shapeMap {
		return vector.PackMaps(a.typ, parts[0], parts[1], offsets, valid), nil
	}
	return vector.PackArrays(a.typ, parts[0], offsets, valid), nil
}

// leafStream reads a leaf with its levels, in pieces. What was decoded behind the window
// waits for the next one.
type leafStream struct {
	node   *node
	column *column
	rows   int64 // of the row group

	def, rep []uint8        // levels from the window's start on
	values   *vector.Vector // the values among them, in order
	n        int            // levels in the window
	scratch  []int32
	jumped   bool // by the offset index: the levels before are not counted
	held     budget.Claim
}

func newLeafStream(f *File, file storage.File, l *node, g int, mem *memory, counters *storage.ScanCounters) (*leafStream, error) {
	c, err := newLevelColumn(f, file, l, g, mem, counters)
	if err != nil {
		return nil, err
	}
	return &leafStream{node: l, column: c, rows: f.meta.groups[g].rows, values: vector.New(l.leaf.Type, 0), held: budget.Claim{Of: mem.budget}}, nil
}

// drop forgets the window.
func (s *leafStream) drop() error {
	values := 0
	for _, d := range s.def[:s.n] {
		if d == s.node.maxDef {
			values++
		}
	}
	s.def, s.rep = s.def[:copy(s.def, s.def[s.n:])], s.rep[:copy(s.rep, s.rep[s.n:])]
	s.n = 0
	rest := vector.New(s.values.Type, 0)
	if values < s.values.Len {
		rest.AppendFrom(s.values.Slice(values, s.values.Len), nil)
	}
	s.values = rest
	s.held.Release()
	return s.held.Grow(2*int64(len(s.def)) + vector.PackedBytes(rest))
}

// readRows makes the next n rows the window.
func (s *leafStream) readRows(n int) error {
	if err := s.drop(); err != nil {
		return err
	}
	at, begun := 0, 0 // levels looked at, rows that begin among them
	for {
		for at < len(s.rep) {
			if s.rep[at] == 0 {
				if begun == n {
					s.n = at
					return nil
				}
				begun++
			} else if begun == 0 {
				return formatError("a row group begins inside of a row")
			}
			at++
		}
		more, err := s.nextLevels(n)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	if begun < n {
		return formatError("the column chunk has fewer rows than its row group")
	}
	s.n = at
	return nil
}

// A few bytes of runs can hold any number of elements. The levels of one window, besides one a row, are at most
// leastPending, and pendingPerByte for each byte of the chunk; never more than mostPending.
const (
	leastPending   = 1 << 20
	pendingPerByte = 1 << 17
	mostPending    = 1 << 27
	levelPiece     = 1 << 14 // levels decoded at once
)

// nextLevels appends the next levels of the chunk, for rows rows, and their values; false at its end.
func (s *leafStream) nextLevels(rows int) (bool, error) {
	c := s.column
	p := &c.page
	if p.left == 0 {
		if c.ahead >= c.rows || s.jumped && c.next >= c.start+c.meta.compressed {
			return false, nil
		}
		if err := c.nextPage(readAhead); err != nil {
			return false, err
		}
		if err := c.load(); err != nil {
			return false, err
		}
	}
	n := min(p.left, levelPiece)
	if most := leastPending + min(c.meta.compressed, mostPending/pendingPerByte)*pendingPerByte; int64(len(s.def)-rows) > most {
		return false, sqlerr.New(sqlerr.NotSupported, "a row of column %s of %s has too many elements", s.node.name, c.file.path)
	}
	if err := s.held.Grow(2 * int64(n)); err != nil {
		return false, err
	}
	if err := s.decode(&p.reps, n, s.node.maxRep, &s.rep); err != nil {
		return false, err
	}
	before := len(s.def)
	if err := s.decode(&p.levels, n, s.node.maxDef, &s.def); err != nil {
		return false, err
	}
	ones := 0
	for _, d := range s.def[before:] {
		if d == s.node.maxDef {
			ones++
		}
	}
	for ones > 0 {
		m := min(ones, vector.BatchRows)
		v, err := c.pageValues(m)
		if err != nil {
			return false, err
		}
		if err := s.held.Grow(vector.PackedBytes(v)); err != nil {
			return false, err
		}
		s.values.AppendFrom(v, nil)
		ones -= m
	}
	p.left -= n
	return true, nil
}

// decode appends n levels of at most limit.
func (s *leafStream) decode(h *hybrid, n int, limit uint8, to *[]uint8) error {
	if limit == 0 {
		*to = append(*to, make([]uint8, n)...)
		return nil
	}
	if cap(s.scratch) < n {
		s.scratch = make([]int32, n)
	}
	raw := s.scratch[:n]
	if err := h.codes(raw, int(limit)+1); err != nil {
		return errLevel
	}
	for _, x := range raw {
		*to = append(*to, uint8(x))
	}
	return nil
}

// skip passes over rows [from, to): whole pages by the offset index, the rest by reading.
func (s *leafStream) skip(from, to int64) error {
	if err := s.drop(); err != nil {
		return err
	}
	c := s.column
	if len(s.rep) == 0 && c.page.left == 0 {
		c.loadPages()
		for _, p := range c.pages {
			if p.row > from && p.row <= to {
				c.next, from, s.jumped = p.offset, p.row, true
			}
		}
	}
	for from < to {
		n := min(to-from, vector.BatchRows)
		if err := s.readRows(int(n)); err != nil {
			return err
		}
		from += n
	}
	return nil
}

// spaced is the leaf's vector: a row a slot, NULL where the value is missing.
func (s *leafStream) spaced() *vector.Vector {
	rows := make([]int32, 0, s.n)
	value := int32(0)
	for _, d := range s.def[:s.n] {
		switch {
		case d == s.node.maxDef:
			rows = append(rows, value)
			value++
		case d >= s.node.slot:
			rows = append(rows, -1)
		}
	}
	out := &vector.Vector{Type: s.values.Type}
	return s.values.Gather(rows, out)
}

// slots counts the slots of struct n and tells which of them are there.
func (s *leafStream) slots(n *node) (count int, valid vector.Bitmap) {
	valid = make(vector.Bitmap, s.n/64+1)
	for i, d := range s.def[:s.n] {
		if d >= n.slot && s.rep[i] <= n.rep {
			if d >= n.def {
				valid.Set(count)
			}
			count++
		}
	}
	return count, valid
}

// lengths are the offsets of the elements of list or map n, slot by slot, and which slots are there.
func (s *leafStream) lengths(n *node) (offsets []int32, valid vector.Bitmap) {
	valid = make(vector.Bitmap, s.n/64+1)
	elements, slots := int32(0), 0
	for i, d := range s.def[:s.n] {
		if d < n.slot || s.rep[i] > n.rep+1 {
			continue
		}
		if s.rep[i] <= n.rep {
			offsets = append(offsets, elements)
			if d >= n.def {
				valid.Set(slots)
			}
			slots++
		}
		if d > n.def { // an element: the repeated group's level
			elements++
		}
	}
	return append(offsets, elements), valid
}
