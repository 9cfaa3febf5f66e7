package parquet

// thriftReader decodes Thrift's compact protocol from memory. Errors stick: after the
// first one every call returns zero, so callers check err once at the end. Nothing is
// allocated here; lists are bounded by the bytes that are left.
type thriftReader struct {
	b   []byte
	pos int
	err error
}

// Compact protocol types.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// maxThriftDepth bounds the nesting of skipped structures.
const maxThriftDepth = 32

const (
	// errShort says that the bytes end too early; a page header may continue behind them.
	errShort = formatError("thrift data ends early")
	errList  = formatError("thrift list is longer than its data")
)

func (r *thriftReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.pos = len(r.b)
}

func (r *thriftReader) byte() byte {
	if r.pos >= len(r.b) {
		r.fail(errShort)
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

func (r *thriftReader) uvarint() uint64 {
	var x uint64
	for shift := uint(0); shift < 70; shift += 7 {
		c := r.byte()
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x
		}
	}
	r.fail(formatError("thrift integer is too long"))
	return 0
}

func (r *thriftReader) int() int64 {
	x := r.uvarint()
	return int64(x>>1) ^ -int64(x&1)
}

// int32 reads an integer that must fit 32 bits.
func (r *thriftReader) int32() int32 {
	v := r.int()
	if int64(int32(v)) != v {
		r.fail(formatError("thrift integer is out of range"))
		return 0
	}
	return int32(v)
}

// binary returns bytes that alias the input, never nil without an error.
func (r *thriftReader) binary() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)-r.pos) {
		r.fail(errShort)
		return nil
	}
	out := r.b[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return out
}

func (r *thriftReader) string() string { return string(r.binary()) }

// field reads a field header after the field last; ok is false at the end of the struct.
func (r *thriftReader) field(last int16) (id int16, typ byte, ok bool) {
	h := r.byte()
	typ = h & 15
	if r.err != nil || typ == thriftStop {
		return 0, 0, false
	}
	if d := h >> 4; d != 0 {
		return last + int16(d), typ, true
	}
	return int16(r.int()), typ, r.err == nil
}

// list reads a list header.
func (r *thriftReader) list() (n int, elem byte) {
	h := r.byte()
	n, elem = int(h>>4), h&15
	if n == 15 {
		u := r.uvarint()
		if u > uint64(len(r.b)) {
			r.fail(errList)
			return 0, 0
		}
		n = int(u)
	}
	if n > len(r.b)-r.pos { // every element takes a byte at least
		r.fail(errList)
		return 0, 0
	}
	return n, elem
}

// structs reads a list of structs, calling one for each.
func (r *thriftReader) structs(typ byte, one func()) {
	if typ != thriftList {
		r.skip(typ)
		return
	}
	n, elem := r.list()
	for i := 0; i < n && r.err == nil; i++ {
		if elem != thriftStruct {
			r.skipElem(elem, 0)
			continue
		}
		one()
	}
}

// atLeast refuses a structure, begun at start, that is too small to mean anything: lists of
// such would take hundreds of times their bytes.
func (r *thriftReader) atLeast(start int) {
	if r.pos-start < 4 {
		r.fail(formatError("the footer has an empty structure"))
	}
}

// skip passes over a field's value.
func (r *thriftReader) skip(typ byte) { r.skipDepth(typ, 0) }

func (r *thriftReader) skipDepth(typ byte, depth int) {
	if depth > maxThriftDepth {
		r.fail(formatError("thrift data is nested too deeply"))
		return
	}
	switch typ {
	case thriftTrue, thriftFalse:
	case thriftByte:
		r.byte()
	case thriftI16, thriftI32, thriftI64:
		r.uvarint()
	case thriftDouble:
		if len(r.b)-r.pos < 8 {
			r.fail(errShort)
			return
		}
		r.pos += 8
	case thriftBinary:
		r.binary()
	case thriftList, thriftSet:
		n, elem := r.list()
		for i := 0; i < n && r.err == nil; i++ {
			r.skipElem(elem, depth+1)
		}
	case thriftMap:
		n := r.uvarint()
		if n == 0 {
			return
		}
		if n > uint64(len(r.b)-r.pos) {
			r.fail(errList)
			return
		}
		kv := r.byte()
		for i := uint64(0); i < n && r.err == nil; i++ {
			r.skipElem(kv>>4, depth+1)
			r.skipElem(kv&15, depth+1)
		}
	case thriftStruct:
		var last int16
		for {
			id, t, ok := r.field(last)
			if !ok {
				return
			}
			r.skipDepth(t, depth+1)
			last = id
		}
	default:
		r.fail(formatError("unknown thrift type"))
	}
}

// skipElem passes over an element of a container, where booleans take a byte.
func (r *thriftReader) skipElem(typ byte, depth int) {
	if typ == thriftTrue || typ == thriftFalse {
		r.byte()
		return
	}
	r.skipDepth(typ, depth)
}

// want passes over the value and reports false when the field has another type than the
// format says.
func (r *thriftReader) want(typ, expected byte) bool {
	if typ == expected {
		return true
	}
	r.skip(typ)
	return false
}

// formatError is a fact about broken bytes; the reader wraps it with file, row group and
// column into sqlerr.CorruptFile.
type formatError string

func (e formatError) Error() string { return string(e) }
