package orc

import (
	"math"
	"math/bits"
	"sync"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// node reads one type of the file's tree forwards. One goroutine uses it. Vectors that it
// returns are its own and valid until its next read.
type node interface {
	// next reads n rows. Those whose bits are clear in mask (nil: none) are not in the node's
	// streams, because their parent is null: they come out as NULL. ones is the number of
	// the others.
	next(n int, mask vector.Bitmap, ones int) (*vector.Vector, error)
	// pick reads the rows at the positions rows (ascending) among the next n, and passes over
	// all of them.
	pick(n int, rows []int32) (*vector.Vector, error)
	// skip passes over n rows of the node's streams.
	skip(n int) error
	// seek jumps to the row group whose positions index gives.
	seek(index func(column uint32) (positions, error)) error
	// columns appends the column ids of the node and all below it.
	columns(dst []uint32) []uint32
	close()
}

// presence is what every node has: its column and which of its rows are not null.
type presence struct {
	id      uint32
	present *bitReader // nil: no row is null
	// spare is how many positions of the row index may belong to a PRESENT stream that is
	// listed but has no bytes, and own how many follow.
	spare, own int
	streams    []*stream
	valid      vector.Bitmap
	bits       vector.Bitmap // of the rows in the streams, where the parent has a mask
}

// read finds out which of n rows are not null and returns how many. valid is set when some
// are null.
func (p *presence) read(n int, mask vector.Bitmap, ones int) (live int, valid vector.Bitmap, err error) {
	words := (n + 63) / 64
	switch {
	case p.present == nil && mask == nil:
		return n, nil, nil
	case p.present == nil:
		p.valid = grow(p.valid, words)
		copy(p.valid[:words], mask[:words])
		return ones, p.valid[:words], nil
	case mask == nil:
		p.valid = grow(p.valid, words)
		live, err = p.present.next(p.valid, n)
	default:
		p.bits = grow(p.bits, words)
		p.valid = grow(p.valid, words)
		if live, err = p.present.next(p.bits, ones); err == nil {
			deposit(p.valid, p.bits, mask, n)
		}
	}
	if err != nil || live == n {
		return live, nil, err
	}
	return live, p.valid[:words], nil
}

// skip passes over n rows of the streams and returns how many are not null.
func (p *presence) skip(n int) (int, error) {
	if p.present == nil {
		return n, nil
	}
	return p.present.skip(n)
}

// seek takes the node's own positions up to those of PRESENT.
func (p *presence) seek(index func(uint32) (positions, error)) (positions, error) {
	at, err := index(p.id)
	if err != nil {
		return at, err
	}
	if p.present != nil {
		err = p.present.seek(&at)
	} else if p.spare > 0 && len(at.list) == p.spare+p.own {
		at.list = at.list[p.spare:]
	}
	return at, err
}

func (p *presence) columns(dst []uint32) []uint32 { return append(dst, p.id) }

func (p *presence) close() {
	for _, s := range p.streams {
		s.close()
	}
}

// workspace is the memory of a leaf's vectors. It is pooled: readers are short-lived where
// stripes are small.
type workspace struct {
	data     []byte // flat values
	codes    []int32
	ordinals []int32
	picked   vector.Bitmap
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// leaf is a node of a scalar type.
type leaf struct {
	presence
	typ    sqltype.Type
	width  int
	values values        // nil: codes
	text   *stringValues // values, where they are strings
	codes  *codeValues
	dict   *dictionary
	out    vector.Vector
	*workspace
}

func (l *leaf) begin(n int) {
	if l.text != nil {
		l.text.begin()
	}
	l.out = vector.Vector{Type: l.typ, Len: n}
	if l.codes != nil {
		l.workspace.codes = grow(l.workspace.codes, n)
		return
	}
	if len(l.data) < n*l.width {
		l.data = alignedBytes(max(n, vector.BatchRows) * l.width)
	}
}

func (l *leaf) next(n int, mask vector.Bitmap, ones int) (*vector.Vector, error) {
	live, valid, err := l.read(n, mask, ones)
	if err != nil {
		return nil, err
	}
	l.begin(n)
	if l.codes != nil {
		if err := l.dict.load(); err != nil {
			return nil, err
		}
		codes := l.workspace.codes[:n]
		if err := l.codes.next(codes[:live], l.dict.vec.Len); err != nil {
			return nil, err
		}
		if live < n {
			spread(codes, valid, n, live)
		}
		return l.finishCodes(n, live, valid), nil
	}
	if err := l.values.next(l.data, live); err != nil {
		return nil, err
	}
	spreadFixed(l.data, l.width, valid, n, live)
	return l.finish(n, valid), nil
}

func (l *leaf) finish(n int, valid vector.Bitmap) *vector.Vector {
	l.out.Data, l.out.Valid = l.data[:n*l.width], valid
	if l.text != nil {
		l.out.Bufs = l.text.bufs
	}
	return &l.out
}

func (l *leaf) finishCodes(n, live int, valid vector.Bitmap) *vector.Vector {
	if live == 0 { // there may be no dictionary at all
		l.out.SetAllNull(n)
		return &l.out
	}
	l.out.Form, l.out.Codes, l.out.Dict, l.out.Valid = vector.Dictionary, l.workspace.codes[:n], l.dict.vec, valid
	return &l.out
}

func (l *leaf) pick(n int, rows []int32) (*vector.Vector, error) {
	live, valid, err := l.read(n, nil, n)
	if err != nil {
		return nil, err
	}
	total := len(rows)
	l.begin(total)
	idx, picked := rows, vector.Bitmap(nil)
	if valid != nil {
		idx, picked = l.rank(rows, valid)
	}
	if l.codes != nil {
		if err := l.dict.load(); err != nil {
			return nil, err
		}
		codes := l.workspace.codes[:total]
		if err := l.codes.pick(codes, idx, live, l.dict.vec.Len); err != nil {
			return nil, err
		}
		if len(idx) < total {
			spread(codes, picked, total, len(idx))
		}
		return l.finishCodes(total, len(idx), picked), nil
	}
	if len(idx) == 0 {
		err = l.values.skip(live)
		clear(l.data[:total*l.width])
	} else {
		err = l.values.pick(l.data, idx, live)
	}
	if err != nil {
		return nil, err
	}
	spreadFixed(l.data, l.width, picked, total, len(idx))
	return l.finish(total, picked), nil
}

// rank finds the position among the non-null values of every row that is not null, and
// which rows those are; picked is nil when all are.
func (l *leaf) rank(rows []int32, valid vector.Bitmap) (idx []int32, picked vector.Bitmap) {
	if cap(l.ordinals) < len(rows) {
		l.ordinals = make([]int32, 0, max(len(rows), vector.BatchRows))
	}
	words := (len(rows) + 63) / 64
	l.picked = grow(l.picked, words)
	picked = l.picked[:words]
	clear(picked)
	idx = l.ordinals[:0]
	word, before := 0, 0
	for i, r := range rows {
		for word < int(r)>>6 {
			before += bits.OnesCount64(valid[word])
			word++
		}
		x, bit := valid[word], uint(r)&63
		if x>>bit&1 == 0 {
			continue
		}
		picked.Set(i)
		idx = append(idx, int32(before+bits.OnesCount64(x&(1<<bit-1))))
	}
	if len(idx) == len(rows) {
		return idx, nil
	}
	return idx, picked
}

func (l *leaf) skip(n int) error {
	live, err := l.presence.skip(n)
	if err != nil || live == 0 {
		return err
	}
	if l.codes != nil {
		return l.codes.r.skip(live)
	}
	return l.values.skip(live)
}

func (l *leaf) seek(index func(uint32) (positions, error)) error {
	at, err := l.presence.seek(index)
	if err != nil {
		return err
	}
	if l.codes != nil {
		return l.codes.r.seek(&at)
	}
	return l.values.seek(&at)
}

func (l *leaf) close() {
	l.presence.close()
	if l.dict != nil {
		l.dict.close()
	}
	if w := l.workspace; w != nil {
		l.workspace = nil
		workspaces.Put(w)
	}
}

// dictionary is the dictionary of one column of a stripe. It gets memory of its own that
// is never reused, so that whoever caches results by its address is right.
type dictionary struct {
	typ      sqltype.Type
	size     uint64 // entries
	lengths  *stream
	blob     *stream
	v2, trim bool
	vec      *vector.Vector
	charged  int64
	rows     int64 // of the stripe: more entries than values make no sense
}

// load reads the dictionary, once.
func (d *dictionary) load() error {
	if d.vec != nil {
		return nil
	}
	if d.size > uint64(d.rows) || d.size > math.MaxInt32 {
		return formatError("a dictionary has more entries than its stripe rows")
	}
	n := int(d.size)
	if err := d.charge(int64(n) * 16); err != nil {
		return err
	}
	r := newIntReader(d.lengths, false, d.v2)
	var lengths []int64
	total := int64(0)
	for len(lengths) < n { // memory grows as lengths really come
		at, k := len(lengths), min(n-len(lengths), 1<<14)
		lengths = append(lengths, make([]int64, k)...)
		if err := r.next(lengths[at:]); err != nil {
			return err
		}
		for _, x := range lengths[at:] {
			if x < 0 || x > maxString {
				return formatError("a dictionary entry has a wrong length")
			}
			total += x
		}
	}
	if total > maxString*2 {
		return formatError("a dictionary is larger than 2 GiB")
	}
	blob, err := d.blob.readAll(maxString * 2)
	if err != nil {
		return err
	}
	if int64(len(blob)) < total {
		return formatError("a dictionary is shorter than its lengths say")
	}
	if err := d.charge(int64(cap(blob))); err != nil {
		return err
	}
	vec := &vector.Vector{Type: d.typ, Len: n, Data: alignedBytes(n * 16)}
	views := slice[vector.View](vec.Data, n)
	pos := 0
	for i, x := range lengths {
		b := blob[pos : pos+int(x)]
		end := len(b)
		for d.trim && end > 0 && b[end-1] == ' ' {
			end--
		}
		views[i] = vector.MakeView(b[:end], 0, pos)
		pos += int(x)
	}
	vec.Bufs = [][]byte{blob}
	d.vec = vec
	d.lengths.close()
	d.blob.close()
	return nil
}

func (d *dictionary) charge(n int64) error {
	if err := d.blob.in.mem.budget.Grow(n); err != nil {
		return err
	}
	d.charged += n
	return nil
}

func (d *dictionary) close() {
	d.blob.in.mem.budget.Shrink(d.charged)
	d.charged = 0
}
