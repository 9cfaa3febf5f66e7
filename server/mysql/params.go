package mysql

import (
	"math"
	"strings"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Params decodes the parameters of one prepared statement. It remembers the types of the
// last execution that bound them, since clients need not send them again, and the values
// that came ahead by COM_STMT_SEND_LONG_DATA. One goroutine uses it.
type Params struct {
	types []paramType
	bound bool
	long  [][]byte // nil: not sent ahead
	size  int      // of all long data
	err   error    // of long data, which has no answer of its own: told by the next Decode
	room  *int     // bytes of long data that the connection's statements may still keep
}

type paramType struct {
	code     byte
	unsigned bool
}

// NewParams is for a statement of n parameters, whose long data takes of room, which the statements of a connection share.
func NewParams(n int, room *int) *Params {
	return &Params{types: make([]paramType, n), long: make([][]byte, n), room: room}
}

// Len is the number of parameters.
func (p *Params) Len() int { return len(p.types) }

// AddLong appends data to a parameter's value. The data is copied. What is wrong with it is
// told by the next Decode, as the command has no answer.
func (p *Params) AddLong(param int, data []byte) {
	switch {
	case p.err != nil:
	case param >= len(p.long):
		p.err = sqlerr.New(sqlerr.WrongParamCount, "Incorrect arguments to COM_STMT_SEND_LONG_DATA: parameter %d of %d", param+1, len(p.long))
	case len(data) > *p.room:
		p.err = sqlerr.New(sqlerr.PacketTooLarge, "Parameter of prepared statement which is set through mysql_send_long_data() is longer than 'max_allowed_packet' bytes, together with those of other statements (%d more)", *p.room)
	default:
		if p.long[param] == nil {
			p.long[param] = []byte{}
		}
		p.long[param] = append(p.long[param], data...)
		p.size += len(data)
		*p.room -= len(data)
	}
}

// Reset forgets long data, as COM_STMT_RESET, COM_STMT_CLOSE and the end of an execution do.
func (p *Params) Reset() {
	clear(p.long)
	*p.room += p.size
	p.size, p.err = 0, nil
}

// Decode reads the values: the part of COM_STMT_EXECUTE behind the iteration count. The
// values share nothing with data.
func (p *Params) Decode(data []byte) ([]vector.Value, error) {
	defer p.Reset()
	if p.err != nil {
		return nil, p.err
	}
	if len(p.types) == 0 {
		return nil, nil
	}
	c := cursor{data: data}
	nulls := c.bytes((len(p.types) + 7) / 8)
	if c.u8() == 1 {
		for i := range p.types {
			t := c.u16()
			p.types[i] = paramType{byte(t), t>>8&0x80 != 0}
		}
		p.bound = !c.short
	}
	if c.short {
		return nil, malformed("parameters of COM_STMT_EXECUTE")
	}
	if !p.bound {
		return nil, sqlerr.New(sqlerr.WrongParamCount, "Incorrect arguments to EXECUTE: the parameters were never bound")
	}
	values := make([]vector.Value, len(p.types))
	for i := range values {
		switch {
		case p.long[i] != nil:
			values[i] = stringParam(p.long[i])
		case nulls[i/8]>>(i%8)&1 != 0:
			values[i] = nullParam
		default:
			v, err := p.types[i].read(&c)
			if err == nil && c.short {
				err = malformed("parameters of COM_STMT_EXECUTE")
			}
			if err != nil {
				return nil, err
			}
			values[i] = v
		}
	}
	return values, nil
}

var nullParam = vector.NullOf(sqltype.T(sqltype.Null))

func stringParam(b []byte) vector.Value {
	return vector.StringValue(sqltype.T(sqltype.String), string(b))
}

// read takes one value. Running out of bytes shows in c.
func (t paramType) read(c *cursor) (vector.Value, error) {
	switch t.code {
	case gomysql.MYSQL_TYPE_NULL:
		return nullParam, nil
	case gomysql.MYSQL_TYPE_TINY:
		v := c.u8()
		return t.integer(int64(int8(v)), uint64(v)), nil
	case gomysql.MYSQL_TYPE_SHORT, gomysql.MYSQL_TYPE_YEAR:
		v := c.u16()
		return t.integer(int64(int16(v)), uint64(v)), nil
	case gomysql.MYSQL_TYPE_LONG, gomysql.MYSQL_TYPE_INT24:
		v := c.u32()
		return t.integer(int64(int32(v)), uint64(v)), nil
	case gomysql.MYSQL_TYPE_LONGLONG:
		v := c.u64()
		return t.integer(int64(v), v), nil
	case gomysql.MYSQL_TYPE_FLOAT:
		return vector.FloatValue(float64(math.Float32frombits(c.u32()))), nil
	case gomysql.MYSQL_TYPE_DOUBLE:
		return vector.FloatValue(math.Float64frombits(c.u64())), nil
	case gomysql.MYSQL_TYPE_DECIMAL, gomysql.MYSQL_TYPE_NEWDECIMAL:
		return decimalParam(c.lenencBytes()), nil
	case gomysql.MYSQL_TYPE_DATE, gomysql.MYSQL_TYPE_NEWDATE, gomysql.MYSQL_TYPE_DATETIME, gomysql.MYSQL_TYPE_TIMESTAMP,
		gomysql.MYSQL_TYPE_DATETIME2, gomysql.MYSQL_TYPE_TIMESTAMP2:
		return t.date(c)
	case gomysql.MYSQL_TYPE_TIME, gomysql.MYSQL_TYPE_TIME2:
		return timeParam(c)
	case gomysql.MYSQL_TYPE_VARCHAR, gomysql.MYSQL_TYPE_VAR_STRING, gomysql.MYSQL_TYPE_STRING, gomysql.MYSQL_TYPE_ENUM,
		gomysql.MYSQL_TYPE_SET, gomysql.MYSQL_TYPE_TINY_BLOB, gomysql.MYSQL_TYPE_MEDIUM_BLOB, gomysql.MYSQL_TYPE_LONG_BLOB,
		gomysql.MYSQL_TYPE_BLOB, gomysql.MYSQL_TYPE_BIT, gomysql.MYSQL_TYPE_JSON, gomysql.MYSQL_TYPE_GEOMETRY:
		return stringParam(c.lenencBytes()), nil
	}
	return vector.Value{}, sqlerr.New(sqlerr.WrongParamCount, "Incorrect arguments to EXECUTE: unknown parameter type %d", t.code)
}

func (t paramType) integer(signed int64, unsigned uint64) vector.Value {
	switch {
	case !t.unsigned:
		return vector.IntValue(sqltype.T(sqltype.BigInt), signed)
	case unsigned > math.MaxInt64:
		return vector.Value{Type: sqltype.T(sqltype.LargeInt), I: int128.FromUint64(unsigned)}
	}
	return vector.IntValue(sqltype.T(sqltype.BigInt), int64(unsigned))
}

// decimalParam reads plain decimals exactly; what has an exponent or too many digits stays
// a string, which the engine converts by the rules of SQL.
func decimalParam(b []byte) vector.Value {
	text := string(b)
	whole, fraction, _ := strings.Cut(text, ".")
	digits := strings.TrimLeft(whole, "+-0")
	precision := max(len(digits)+len(fraction), len(fraction), 1)
	x, ok := int128.Parse(whole + fraction)
	if !ok || precision > sqltype.MaxDecimalPrecision || strings.ContainsAny(fraction, "+-") {
		return stringParam(b)
	}
	return vector.Value{Type: sqltype.DecimalOf(precision, len(fraction)), I: x}
}

// date reads a length byte and as much of year, month, day, clock and microseconds as it says.
func (t paramType) date(c *cursor) (vector.Value, error) {
	n := c.u8()
	var year, month, day int
	var micros int64
	switch n {
	case 0:
	case 4, 7, 11:
		year, month, day = int(c.u16()), int(c.u8()), int(c.u8())
		if n >= 7 {
			micros = clockParam(c)
		}
		if n == 11 {
			micros += int64(c.u32())
		}
	default:
		c.short = true
	}
	if c.short {
		return vector.Value{}, malformed("date parameter")
	}
	if year > 9999 || month < 1 || month > 12 || day < 1 || day > sqltype.DaysInMonth(year, month) || micros >= sqltype.MicrosPerDay {
		return vector.Value{}, sqlerr.New(sqlerr.WrongValue, "Incorrect datetime value of a parameter: %04d-%02d-%02d", year, month, day)
	}
	days := int64(sqltype.DaysFromCivil(year, month, day))
	if t.code == gomysql.MYSQL_TYPE_DATE || t.code == gomysql.MYSQL_TYPE_NEWDATE {
		return vector.IntValue(sqltype.T(sqltype.Date), days), nil
	}
	return vector.IntValue(sqltype.DateTimeOf(6), days*sqltype.MicrosPerDay+micros), nil
}

func clockParam(c *cursor) int64 {
	h, m, s := int64(c.u8()), int64(c.u8()), int64(c.u8())
	return (h*3600 + m*60 + s) * sqltype.MicrosPerSecond
}

// maxTime bounds TIME; longer ones become it, as in MySQL.
const maxTime = 839*3600*sqltype.MicrosPerSecond - 1

func timeParam(c *cursor) (vector.Value, error) {
	n := c.u8()
	var micros int64
	switch n {
	case 0:
	case 8, 12:
		negative := c.u8() == 1
		micros = min(int64(c.u32()), 1000)*sqltype.MicrosPerDay + clockParam(c)
		if n == 12 {
			micros += int64(c.u32())
		}
		micros = min(micros, maxTime)
		if negative {
			micros = -micros
		}
	default:
		c.short = true
	}
	if c.short {
		return vector.Value{}, malformed("time parameter")
	}
	return vector.IntValue(sqltype.Type{Kind: sqltype.Time, Scale: 6}, micros), nil
}
