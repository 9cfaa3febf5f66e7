package parquet

import "encoding/binary"

// thriftWriter appends Thrift's compact protocol to b. Fields of a struct must be written
// in ascending order.
type thriftWriter struct {
	b    []byte
	last int16
	up   []int16 // last field of the enclosing structs
}

func (w *thriftWriter) header(id int16, typ byte) {
	if d := id - w.last; d > 0 && d < 16 {
		w.b = append(w.b, byte(d)<<4|typ)
	} else {
		w.b = append(w.b, typ)
		w.zigzag(int64(id))
	}
	w.last = id
}

func (w *thriftWriter) zigzag(v int64) {
	w.b = binary.AppendUvarint(w.b, uint64(v)<<1^uint64(v>>63))
}

func (w *thriftWriter) i32(id int16, v int32) {
	w.header(id, thriftI32)
	w.zigzag(int64(v))
}

func (w *thriftWriter) i64(id int16, v int64) {
	w.header(id, thriftI64)
	w.zigzag(v)
}

func (w *thriftWriter) i8(id int16, v int8) {
	w.header(id, thriftByte)
	w.b = append(w.b, byte(v))
}

func (w *thriftWriter) bool(id int16, v bool) {
	if v {
		w.header(id, thriftTrue)
	} else {
		w.header(id, thriftFalse)
	}
}

func (w *thriftWriter) raw(p []byte) {
	w.b = binary.AppendUvarint(w.b, uint64(len(p)))
	w.b = append(w.b, p...)
}

func (w *thriftWriter) binary(id int16, p []byte) {
	w.header(id, thriftBinary)
	w.raw(p)
}

func (w *thriftWriter) string(id int16, s string) {
	w.header(id, thriftBinary)
	w.b = binary.AppendUvarint(w.b, uint64(len(s)))
	w.b = append(w.b, s...)
}

// list begins a list field; its n elements follow.
func (w *thriftWriter) list(id int16, elem byte, n int) {
	w.header(id, thriftList)
	if n < 15 {
		w.b = append(w.b, byte(n)<<4|elem)
		return
	}
	w.b = append(w.b, 0xf0|elem)
	w.b = binary.AppendUvarint(w.b, uint64(n))
}

// open begins a struct that is a field.
func (w *thriftWriter) open(id int16) {
	w.header(id, thriftStruct)
	w.elem()
}

// elem begins a struct that is an element of a list.
func (w *thriftWriter) elem() {
	w.up = append(w.up, w.last)
	w.last = 0
}

// close ends a struct.
func (w *thriftWriter) close() {
	w.b = append(w.b, thriftStop)
	w.last = w.up[len(w.up)-1]
	w.up = w.up[:len(w.up)-1]
}

// empty is a field that is a struct without fields.
func (w *thriftWriter) empty(id int16) {
	w.open(id)
	w.close()
}
