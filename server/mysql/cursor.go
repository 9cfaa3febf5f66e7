package mysql

import (
	"bytes"
	"encoding/binary"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// cursor reads fields off the front of a packet. Reading past the end sets short and gives
// zero values from then on, so that a decoder asks once, at its end.
type cursor struct {
	data  []byte
	short bool
}

func (c *cursor) bytes(n int) []byte {
	if c.short || n < 0 || n > len(c.data) {
		c.short = true
		return nil
	}
	b := c.data[:n:n]
	c.data = c.data[n:]
	return b
}

func (c *cursor) u8() byte {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if b := c.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// nul reads up to a zero byte and drops it; without one, the rest.
func (c *cursor) nul() string {
	i := bytes.IndexByte(c.data, 0)
	if i < 0 {
		return string(c.bytes(len(c.data)))
	}
	b := c.bytes(i)
	c.bytes(1)
	return string(b)
}

// lenenc reads a length-encoded integer. NULL (0xFB) is not a length: it counts as short.
func (c *cursor) lenenc() uint64 {
	switch first := c.u8(); first {
	case 0xFB, 0xFF:
		c.short = true
		return 0
	case 0xFC:
		return uint64(c.u16())
	case 0xFD:
		b := c.bytes(3)
		if b == nil {
			return 0
		}
		return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16
	case 0xFE:
		return c.u64()
	default:
		return uint64(first)
	}
}

// lenencBytes reads a length-encoded string.
func (c *cursor) lenencBytes() []byte {
	n := c.lenenc()
	if n > uint64(len(c.data)) {
		c.short = true
		return nil
	}
	return c.bytes(int(n))
}

func malformed(what string) *sqlerr.Error {
	return sqlerr.New(sqlerr.MalformedPacket, "Malformed communication packet: %s", what)
}

// appendLenenc appends a length-encoded integer.
func appendLenenc(dst []byte, n uint64) []byte {
	switch {
	case n < 0xFB:
		return append(dst, byte(n))
	case n < 1<<16:
		return append(dst, 0xFC, byte(n), byte(n>>8))
	case n < 1<<24:
		return append(dst, 0xFD, byte(n), byte(n>>8), byte(n>>16))
	}
	return binary.LittleEndian.AppendUint64(append(dst, 0xFE), n)
}

// appendText appends a length-encoded string.
func appendText[S string | []byte](dst []byte, s S) []byte {
	return append(appendLenenc(dst, uint64(len(s))), s...)
}
