package mysql

import (
	"encoding/binary"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

type dateCell struct {
	place
	vals []int32
}

func (c *dateCell) bind(v *vector.Vector) { c.vals = vector.Values[int32](c.set(v)) }

func (c *dateCell) text(dst []byte, row int) []byte {
	i, ok := c.at(row)
	if !ok {
		return append(dst, nullCell)
	}
	dst = append(dst, 0)
	return short(vector.AppendDate(dst, c.vals[i]), len(dst))
}

func (c *dateCell) binary(dst []byte, row int) []byte {
	i, _ := c.at(row)
	return appendBinaryDate(append(dst, 4), c.vals[i])
}

func appendBinaryDate(dst []byte, days int32) []byte {
	y, m, d := sqltype.CivilFromDays(days)
	return append(dst, byte(y), byte(y>>8), byte(m), byte(d))
}

// datetimeCell is DATETIME and TIMESTAMP; scale is the number of fractional digits shown.
type datetimeCell struct {
	place
	vals  []int64
	scale int
}

func (c *datetimeCell) bind(v *vector.Vector) { c.vals = vector.Values[int64](c.set(v)) }

func (c *datetimeCell) text(dst []byte, row int) []byte {
	i, ok := c.at(row)
	if !ok {
		return append(dst, nullCell)
	}
	dst = append(dst, 0)
	return short(vector.AppendDateTime(dst, c.vals[i], c.scale), len(dst))
}

// binary writes the length, then as much of date, clock and microseconds as is not zero.
func (c *datetimeCell) binary(dst []byte, row int) []byte {
	i, _ := c.at(row)
	v := c.vals[i]
	days := v / sqltype.MicrosPerDay
	rest := v % sqltype.MicrosPerDay
	if rest < 0 {
		days--
		rest += sqltype.MicrosPerDay
	}
	seconds, micros := rest/sqltype.MicrosPerSecond, shown(rest%sqltype.MicrosPerSecond, c.scale)
	switch {
	case micros != 0:
		dst = appendBinaryDate(append(dst, 11), int32(days))
		dst = appendBinaryClock(dst, seconds)
		return binary.LittleEndian.AppendUint32(dst, uint32(micros))
	case seconds != 0:
		return appendBinaryClock(appendBinaryDate(append(dst, 7), int32(days)), seconds)
	}
	return appendBinaryDate(append(dst, 4), int32(days))
}

// shown cuts microseconds to the digits that the type shows.
func shown(micros int64, scale int) int64 {
	unit := int64(1)
	for range 6 - scale {
		unit *= 10
	}
	return micros - micros%unit
}

// appendBinaryClock appends hour, minute and second of seconds within a day.
func appendBinaryClock(dst []byte, seconds int64) []byte {
	return append(dst, byte(seconds/3600), byte(seconds/60%60), byte(seconds%60))
}

type timeCell struct {
	place
	vals  []int64
	scale int
}

func (c *timeCell) bind(v *vector.Vector) { c.vals = vector.Values[int64](c.set(v)) }

func (c *timeCell) text(dst []byte, row int) []byte {
	i, ok := c.at(row)
	if !ok {
		return append(dst, nullCell)
	}
	dst = append(dst, 0)
	return short(vector.AppendTime(dst, c.vals[i], c.scale), len(dst))
}

func (c *timeCell) binary(dst []byte, row int) []byte {
	i, _ := c.at(row)
	v, sign := c.vals[i], byte(0)
	if v < 0 {
		v, sign = -v, 1
	}
	micros := shown(v%sqltype.MicrosPerSecond, c.scale)
	v = v/sqltype.MicrosPerSecond*sqltype.MicrosPerSecond + micros
	if v == 0 {
		return append(dst, 0)
	}
	length := byte(8)
	if micros != 0 {
		length = 12
	}
	dst = append(dst, length, sign)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(v/sqltype.MicrosPerDay))
	dst = appendBinaryClock(dst, v%sqltype.MicrosPerDay/sqltype.MicrosPerSecond)
	if micros != 0 {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(micros))
	}
	return dst
}
