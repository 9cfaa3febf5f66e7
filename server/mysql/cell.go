package mysql

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// nullCell is NULL in a text row.
const nullCell = 0xFB

// cell encodes the values of one column. bind points it at a batch's vector, of the layout
// that it was made for; the appenders then take physical rows of that vector. Text values
// carry their length. binary is not called for null rows.
type cell interface {
	bind(v *vector.Vector)
	null(row int) bool
	text(dst []byte, row int) []byte
	binary(dst []byte, row int) []byte
}

// place finds a row's value in a vector of any form.
type place struct {
	plain    bool // flat without nulls: a row is its own position
	constant bool
	codes    []int32
	valid    vector.Bitmap
}

// set reads v's form and returns the vector that holds the values.
func (p *place) set(v *vector.Vector) *vector.Vector {
	p.valid, p.codes, p.constant = v.Valid, nil, v.Form == vector.Constant
	p.plain = v.Form == vector.Flat && v.Valid == nil
	if v.Form == vector.Dictionary {
		p.codes = v.Codes
		return v.Dict
	}
	return v
}

// at is the position of a row's value; ok is false for NULL.
func (p *place) at(row int) (int, bool) {
	if p.plain {
		return row, true
	}
	return p.lookup(row)
}

func (p *place) lookup(row int) (int, bool) {
	if p.constant {
		return 0, p.valid.Get(0)
	}
	if !p.valid.Get(row) {
		return 0, false
	}
	if p.codes != nil {
		return int(p.codes[row]), true
	}
	return row, true
}

func (p *place) null(row int) bool {
	_, ok := p.at(row)
	return !ok
}

// newCell picks the encoder of a type; the only switch over types.
func newCell(t sqltype.Type) cell {
	switch t.Kind {
	case sqltype.Boolean:
		return &boolCell{}
	case sqltype.TinyInt:
		return &intCell[int8]{width: 1}
	case sqltype.SmallInt:
		return &intCell[int16]{width: 2}
	case sqltype.Int:
		return &intCell[int32]{width: 4}
	case sqltype.BigInt:
		return &intCell[int64]{width: 8}
	case sqltype.LargeInt:
		return &wideCell{}
	case sqltype.Float:
		return &floatCell[float32]{bits: 32}
	case sqltype.Double:
		return &floatCell[float64]{bits: 64}
	case sqltype.Decimal:
		if t.Precision > sqltype.MaxShortDecimal {
			return &wideCell{scale: int(t.Scale)}
		}
		return &decimalCell{scale: int(t.Scale), pow: int128.Pow10[t.Scale].Lo}
	case sqltype.Date:
		return &dateCell{}
	case sqltype.DateTime, sqltype.Timestamp:
		return &datetimeCell{scale: int(t.Scale)}
	case sqltype.Time:
		return &timeCell{scale: int(t.Scale)}
	case sqltype.Array, sqltype.Map, sqltype.Struct:
		return &nestedCell{}
	case sqltype.Null, sqltype.Bitmap, sqltype.HLL:
		// Doris shows the opaque types as NULL.
		return emptyCell{}
	}
	return &stringCell{}
}

// emptyCell is always NULL.
type emptyCell struct{}

func (emptyCell) bind(*vector.Vector)             {}
func (emptyCell) null(int) bool                   { return true }
func (emptyCell) text(dst []byte, _ int) []byte   { return append(dst, nullCell) }
func (emptyCell) binary(dst []byte, _ int) []byte { return dst }

// short closes a value whose length byte is before at; values written so are shorter than 251.
func short(dst []byte, at int) []byte {
	dst[at-1] = byte(len(dst) - at)
	return dst
}

type boolCell struct {
	place
	vals []bool
}

func (c *boolCell) bind(v *vector.Vector) { c.vals = vector.Values[bool](c.set(v)) }

func (c *boolCell) text(dst []byte, row int) []byte {
	i, ok := c.at(row)
	if !ok {
		return append(dst, nullCell)
	}
	if c.vals[i] {
		return append(dst, 1, '1')
	}
	return append(dst, 1, '0')
}

func (c *boolCell) binary(dst []byte, row int) []byte {
	if i, _ := c.at(row); c.vals[i] {
		return append(dst, 1)
	}
	return append(dst, 0)
}

type intCell[T int8 | int16 | int32 | int64] struct {
	place
	vals  []T
	width int
}

func (c *intCell[T]) bind(v *vector.Vector) { c.vals = vector.Values[T](c.set(v)) }

func (c *intCell[T]) text(dst []byte, row int) []byte {
	i, ok := c.at(row)
	if !ok {
		return append(dst, nullCell)
	}
	dst = append(dst, 0)
	return short(strconv.AppendInt(dst, int64(c.vals[i]), 10), len(dst))
}

func (c *intCell[T]) binary(dst []byte, row int) []byte {
	i, _ := c.at(row)
	switch v := c.vals[i]; c.width {
	case 1:
		return append(dst, byte(v))
	case 2:
		return binary.LittleEndian.AppendUint16(dst, uint16(v))
	case 4:
		return binary.LittleEndian.AppendUint32(dst, uint32(v))
	default:
		return binary.LittleEndian.AppendUint64(dst, uint64(v))
	}
}

// wideCell is LARGEINT and the decimals of more than 18 digits: text in both protocols.
type wideCell struct {
	place
	vals  []int128.Int
	scale int
}

func (c *wideCell) bind(v *vector.Vector) { c.vals = vector.Values[int128.Int](c.set(v)) }

func (c *wideCell) text(dst []byte, row int) []byte {
	i, ok := c.at(row)
	if !ok {
		return append(dst, nullCell)
	}
	dst = append(dst, 0)
	return short(int128.AppendDecimal(dst, c.vals[i], c.scale), len(dst))
}

func (c *wideCell) binary(dst []byte, row int) []byte { return c.text(dst, row) }

// decimalCell is the decimals of up to 18 digits: text in both protocols.
type decimalCell struct {
	place
	vals  []int64
	scale int
	pow   uint64 // 10^scale
}

func (c *decimalCell) bind(v *vector.Vector) { c.vals = vector.Values[int64](c.set(v)) }

func (c *decimalCell) text(dst []byte, row int) []byte {
	i, ok := c.at(row)
	if !ok {
		return append(dst, nullCell)
	}
	dst = append(dst, 0)
	at := len(dst)
	v := c.vals[i]
	if c.scale == 0 {
		return short(strconv.AppendInt(dst, v, 10), at)
	}
	u := uint64(v)
	if v < 0 {
		dst, u = append(dst, '-'), -u
	}
	whole := u / c.pow
	dst = strconv.AppendUint(dst, whole, 10)
	dst = append(dst, ".000000000000000000"[:c.scale+1]...)
	for k, rest := len(dst)-1, u-whole*c.pow; rest > 0; k-- {
		dst[k] = byte('0' + rest%10)
		rest /= 10
	}
	return short(dst, at)
}

func (c *decimalCell) binary(dst []byte, row int) []byte { return c.text(dst, row) }

type floatCell[T float32 | float64] struct {
	place
	vals []T
	bits int
}

func (c *floatCell[T]) bind(v *vector.Vector) { c.vals = vector.Values[T](c.set(v)) }

func (c *floatCell[T]) text(dst []byte, row int) []byte {
	i, ok := c.at(row)
	if !ok {
		return append(dst, nullCell)
	}
	dst = append(dst, 0)
	return short(vector.AppendFloat(dst, float64(c.vals[i]), c.bits), len(dst))
}

func (c *floatCell[T]) binary(dst []byte, row int) []byte {
	i, _ := c.at(row)
	if c.bits == 32 {
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(c.vals[i])))
	}
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(c.vals[i])))
}

type stringCell struct {
	place
	vals []vector.View
	bufs [][]byte
}

func (c *stringCell) bind(v *vector.Vector) {
	v = c.set(v)
	c.vals, c.bufs = vector.Values[vector.View](v), v.Bufs
}

func (c *stringCell) text(dst []byte, row int) []byte {
	i, ok := c.at(row)
	if !ok {
		return append(dst, nullCell)
	}
	return appendText(dst, c.vals[i].Bytes(c.bufs))
}

func (c *stringCell) binary(dst []byte, row int) []byte { return c.text(dst, row) }

// nestedCell is what has no layout of its own on the wire: text in both protocols.
type nestedCell struct {
	v       *vector.Vector
	scratch []byte
}

func (c *nestedCell) bind(v *vector.Vector) { c.v = v }
func (c *nestedCell) null(row int) bool     { return c.v.IsNull(row) }

func (c *nestedCell) text(dst []byte, row int) []byte {
	if c.v.IsNull(row) {
		return append(dst, nullCell)
	}
	c.scratch = vector.AppendText(c.scratch[:0], c.v, row)
	return appendText(dst, c.scratch)
}

func (c *nestedCell) binary(dst []byte, row int) []byte { return c.text(dst, row) }
