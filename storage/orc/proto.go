package orc

import (
	"encoding/binary"
	"math"
)

// Wire types of protocol buffers.
const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

const errProto = formatError("a protobuf message is malformed")

// message walks the fields of one protobuf message. Nothing is copied: data refers to the
// message's memory. After an error next returns false and err is set.
type message struct {
	b   []byte
	pos int
	err error

	field int
	wire  int
	value uint64 // varints and fixed widths
	data  []byte // length-delimited fields
}

// next moves to the next field.
func (m *message) next() bool {
	if m.err != nil || m.pos == len(m.b) {
		return false
	}
	tag, ok := m.varint()
	if !ok || tag>>3 == 0 || tag>>3 > math.MaxInt32 {
		return m.fail()
	}
	m.field, m.wire = int(tag>>3), int(tag&7)
	m.value, m.data = 0, nil
	switch m.wire {
	case wireVarint:
		if m.value, ok = m.varint(); !ok {
			return m.fail()
		}
	case wireFixed8:
		if len(m.b)-m.pos < 8 {
			return m.fail()
		}
		m.value = binary.LittleEndian.Uint64(m.b[m.pos:])
		m.pos += 8
	case wireFixed4:
		if len(m.b)-m.pos < 4 {
			return m.fail()
		}
		m.value = uint64(binary.LittleEndian.Uint32(m.b[m.pos:]))
		m.pos += 4
	case wireBytes:
		n, ok := m.varint()
		if !ok || n > uint64(len(m.b)-m.pos) {
			return m.fail()
		}
		m.data = m.b[m.pos : m.pos+int(n) : m.pos+int(n)]
		m.pos += int(n)
	default:
		return m.fail()
	}
	return true
}

func (m *message) fail() bool {
	if m.err == nil {
		m.err = errProto
	}
	return false
}

func (m *message) varint() (uint64, bool) {
	x, n := binary.Uvarint(m.b[m.pos:])
	if n <= 0 {
		return 0, false
	}
	m.pos += n
	return x, true
}

// uint is the current field as a number.
func (m *message) uint() uint64 {
	if m.wire == wireBytes {
		m.fail()
	}
	return m.value
}

// sint is the current field as a zigzag number.
func (m *message) sint() int64 { return unzigzag(m.uint()) }

// double is the current field as a double.
func (m *message) double() float64 {
	if m.wire != wireFixed8 {
		m.fail()
	}
	return math.Float64frombits(m.value)
}

// bytes is the current field as bytes, within the message's memory.
func (m *message) bytes() []byte {
	if m.wire != wireBytes {
		m.fail()
	}
	return m.data
}

// text is the current field as a string of its own.
func (m *message) text() string { return string(m.bytes()) }

// uints appends the current field, packed or not.
func (m *message) uints(dst []uint64) []uint64 {
	if m.wire != wireBytes {
		return append(dst, m.value)
	}
	for p := m.data; len(p) > 0; {
		x, n := binary.Uvarint(p)
		if n <= 0 {
			m.fail()
			return dst
		}
		dst = append(dst, x)
		p = p[n:]
	}
	return dst
}

func unzigzag(x uint64) int64 { return int64(x>>1) ^ -int64(x&1) }

func zigzag(x int64) uint64 { return uint64(x<<1) ^ uint64(x>>63) }

// protoWriter builds a message.
type protoWriter struct{ b []byte }

func (w *protoWriter) tag(field, wire int) {
	w.b = binary.AppendUvarint(w.b, uint64(field)<<3|uint64(wire))
}

func (w *protoWriter) uint(field int, x uint64) {
	w.tag(field, wireVarint)
	w.b = binary.AppendUvarint(w.b, x)
}

func (w *protoWriter) sint(field int, x int64) { w.uint(field, zigzag(x)) }

func (w *protoWriter) bool(field int, x bool) {
	if x {
		w.uint(field, 1)
	} else {
		w.uint(field, 0)
	}
}

func (w *protoWriter) double(field int, x float64) {
	w.tag(field, wireFixed8)
	w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(x))
}

func (w *protoWriter) bytes(field int, p []byte) {
	w.tag(field, wireBytes)
	w.b = binary.AppendUvarint(w.b, uint64(len(p)))
	w.b = append(w.b, p...)
}

func (w *protoWriter) text(field int, s string) { w.bytes(field, []byte(s)) }

func (w *protoWriter) packed(field int, vals []uint64) {
	var p []byte
	for _, x := range vals {
		p = binary.AppendUvarint(p, x)
	}
	w.bytes(field, p)
}
