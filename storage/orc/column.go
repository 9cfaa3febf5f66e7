package orc

import (
	"errors"
	"fmt"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// column reads one top-level column of a stripe forwards: rows are read (all of a window,
// or some of it) or passed over. One goroutine uses it.
type column struct {
	f      *File
	name   string
	stripe int
	root   node
	in     *input
	footer *stripeFooter
	row    int64 // next row to read
	// index are the row groups of every column of the tree, nil where one has none.
	index      map[uint32][]indexEntry
	triedIndex bool
	packed     budget.Claim // what nested values of the last read take
}

// newColumn opens column c of a stripe, to be read as t: the file's type, or for nested
// columns what it can be read as. Nothing is read yet.
func newColumn(f *File, c *fileColumn, t sqltype.Type, stripe int, footer *stripeFooter, in *input) (*column, error) {
	if c.unsupported != "" {
		return nil, sqlerr.Unsupported(fmt.Sprintf("reading %s of column %s of %s", c.unsupported, c.Name, f.path))
	}
	out := &column{f: f, name: c.Name, stripe: stripe, in: in, footer: footer, packed: budget.Claim{Of: in.mem.budget}}
	b := builder{f: f, in: in, footer: footer, rows: f.stripes[stripe].rows, packed: &out.packed}
	b.most = leastElements + min(f.stripes[stripe].dataLength, mostElements/elementsPerByte)*elementsPerByte
	var err error
	if out.root, err = b.node(c.id, t); err != nil {
		return nil, out.fail(err)
	}
	return out, nil
}

// fail names the place of an error. Errors that are ours already stay as they are.
func (c *column) fail(err error) error {
	var e *sqlerr.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return sqlerr.New(sqlerr.CorruptFile, "corrupt ORC file %s: stripe %d, column %s: %s", c.f.path, c.stripe, c.name, err)
}

// read returns rows [row, row+n) of the stripe, where row is not before what was read.
func (c *column) read(row int64, n int) (*vector.Vector, error) {
	if err := c.skipTo(row); err != nil {
		return nil, c.fail(err)
	}
	c.in.elements = 0
	c.packed.Release()
	v, err := c.root.next(n, nil, n)
	c.row += int64(n)
	return v, c.fail(err)
}

// pick returns the rows at the positions rows (ascending, below n) of the window
// [row, row+n), densely packed.
func (c *column) pick(row int64, rows []int32) (*vector.Vector, error) {
	first, last := rows[0], rows[len(rows)-1]
	if err := c.skipTo(row + int64(first)); err != nil {
		return nil, c.fail(err)
	}
	if first > 0 {
		shifted := make([]int32, len(rows))
		for i, r := range rows {
			shifted[i] = r - first
		}
		rows = shifted
	}
	n := int(last-first) + 1
	c.in.elements = 0
	c.packed.Release()
	v, err := c.root.pick(n, rows)
	c.row += int64(n)
	return v, c.fail(err)
}

// skipTo passes over rows up to row: to the start of a row group by the index, where that
// is ahead, and from there on value by value.
func (c *column) skipTo(row int64) error {
	if row <= c.row {
		return nil
	}
	stride := c.f.tail.stride
	if stride > 0 {
		if group := row / stride; group*stride > c.row {
			done, err := c.jump(int(group))
			if err != nil {
				return err
			}
			if done {
				c.row = group * stride
			}
		}
	}
	for c.row < row {
		n := min(row-c.row, 1<<20)
		if err := c.root.skip(int(n)); err != nil {
			return err
		}
		c.row += n
	}
	return nil
}

// jump goes to the start of a row group; false where there is no index for it.
func (c *column) jump(group int) (bool, error) {
	c.loadIndex()
	if c.index == nil {
		return false, nil
	}
	for _, entries := range c.index {
		if group >= len(entries) {
			return false, nil
		}
	}
	return true, c.root.seek(func(id uint32) (positions, error) {
		return positions{c.index[id][group].positions}, nil
	})
}

// loadIndex reads the row index of every column of the tree, once. An index that cannot be
// read is not used.
func (c *column) loadIndex() {
	if c.triedIndex {
		return
	}
	c.triedIndex = true
	index := map[uint32][]indexEntry{}
	for _, id := range c.root.columns(nil) {
		entries, err := c.rowIndex(id)
		if err != nil || entries == nil {
			return
		}
		index[id] = entries
	}
	c.index = index
}

// What index streams may expand to: so much, and so many times their bytes.
const (
	leastIndexBytes = 1 << 20
	mostBloomBytes  = 64 << 20
	indexRatio      = 1024
)

// rowIndex reads the row index of a column; nil when there is none.
func (c *column) rowIndex(id uint32) ([]indexEntry, error) {
	m := c.footer.find(id, streamRowIndex)
	if m == nil || m.length == 0 || c.f.tail.stride == 0 {
		return nil, nil
	}
	s := newStream(c.in, m, false)
	defer s.close()
	b, err := s.readAll(leastIndexBytes + indexRatio*m.length)
	if err != nil {
		return nil, err
	}
	return decodeRowIndex(b)
}

func (c *column) close() {
	c.root.close()
	c.packed.Release()
}

// stripeFooter reads the footer of a stripe, or takes it from the file's cache.
func (f *File) stripeFooter(file storage.File, stripe int) (*stripeFooter, error) {
	if x := f.footers[stripe].Load(); x != nil {
		return x, nil
	}
	s := &f.stripes[stripe]
	raw := make([]byte, s.footerLength)
	if err := readFull(file, raw, s.offset+s.indexLength+s.dataLength, f.path); err != nil {
		return nil, err
	}
	b, err := expandAll(f.tail.codec, f.tail.block, raw)
	if err == nil {
		var x *stripeFooter
		if x, err = decodeStripeFooter(b, s, len(f.types)); err == nil {
			f.footers[stripe].Store(x)
			return x, nil
		}
	}
	return nil, corrupt(f.path, fmt.Errorf("footer of stripe %d: %w", stripe, err))
}
