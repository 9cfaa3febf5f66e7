package mysql

import (
	"encoding/binary"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt/internal/sqltype"
)

// Column describes a result column to a client.
type Column struct {
	Schema, Table string // "" for expressions
	Name          string
	Type          sqltype.Type
	NotNull       bool
}

const (
	charsetUTF8   = 45 // utf8mb4_general_ci: every client knows it
	charsetBinary = 63
	bytesPerChar  = 4
	// maxVarchar is the longest VARCHAR of Doris, in bytes: what VARCHAR without a length tells.
	maxVarchar = 65533
	// maxString is the length that STRING tells: what a LONGTEXT tells.
	maxString = 1<<32 - 1
	// notFixed tells that a float has no fixed number of decimals.
	notFixed = 31
)

// wireType is how a SQL type shows on the wire.
type wireType struct {
	code     byte
	charset  uint16
	length   uint32 // display width in bytes
	flags    uint16
	decimals byte
}

// wireTypeOf is the mapping of types that Doris's clients expect: BOOLEAN is TINYINT(1),
// LARGEINT and everything nested are strings.
func wireTypeOf(t sqltype.Type) wireType {
	number := func(code byte, length uint32) wireType {
		return wireType{code, charsetBinary, length, gomysql.BINARY_FLAG | gomysql.NUM_FLAG, 0}
	}
	text := func(code byte, length uint32) wireType { return wireType{code, charsetUTF8, length, 0, 0} }
	clock := func(code byte, length uint32) wireType {
		w := wireType{code, charsetBinary, length, gomysql.BINARY_FLAG, t.Scale}
		if t.Scale > 0 {
			w.length += 1 + uint32(t.Scale)
		}
		return w
	}
	switch t.Kind {
	case sqltype.Null:
		return wireType{gomysql.MYSQL_TYPE_NULL, charsetBinary, 0, gomysql.BINARY_FLAG, 0}
	case sqltype.Boolean:
		return number(gomysql.MYSQL_TYPE_TINY, 1)
	case sqltype.TinyInt:
		return number(gomysql.MYSQL_TYPE_TINY, 4)
	case sqltype.SmallInt:
		return number(gomysql.MYSQL_TYPE_SHORT, 6)
	case sqltype.Int:
		return number(gomysql.MYSQL_TYPE_LONG, 11)
	case sqltype.BigInt:
		return number(gomysql.MYSQL_TYPE_LONGLONG, 20)
	case sqltype.LargeInt:
		return text(gomysql.MYSQL_TYPE_VAR_STRING, 40*bytesPerChar)
	case sqltype.Float:
		w := number(gomysql.MYSQL_TYPE_FLOAT, 12)
		w.decimals = notFixed
		return w
	case sqltype.Double:
		w := number(gomysql.MYSQL_TYPE_DOUBLE, 22)
		w.decimals = notFixed
		return w
	case sqltype.Decimal:
		w := number(gomysql.MYSQL_TYPE_NEWDECIMAL, uint32(t.Precision)+1) // digits and sign
		if w.decimals = t.Scale; t.Scale > 0 {
			w.length++ // the point
		}
		return w
	case sqltype.Date:
		return wireType{gomysql.MYSQL_TYPE_DATE, charsetBinary, 10, gomysql.BINARY_FLAG, 0}
	case sqltype.DateTime:
		return clock(gomysql.MYSQL_TYPE_DATETIME, 19)
	case sqltype.Timestamp:
		return clock(gomysql.MYSQL_TYPE_TIMESTAMP, 19)
	case sqltype.Time:
		return clock(gomysql.MYSQL_TYPE_TIME, 10)
	case sqltype.Char:
		return text(gomysql.MYSQL_TYPE_STRING, uint32(max(t.Length, 1))*bytesPerChar)
	case sqltype.Varchar:
		n := uint32(t.Length)
		if t.Length <= 0 {
			n = maxVarchar
		}
		return text(gomysql.MYSQL_TYPE_VAR_STRING, n*bytesPerChar)
	case sqltype.Binary:
		return wireType{gomysql.MYSQL_TYPE_VAR_STRING, charsetBinary, maxString, gomysql.BINARY_FLAG, 0}
	case sqltype.JSON:
		return wireType{gomysql.MYSQL_TYPE_JSON, charsetUTF8, maxString, gomysql.BINARY_FLAG, 0}
	}
	return text(gomysql.MYSQL_TYPE_VAR_STRING, maxString)
}

// AppendColumn appends a column definition.
func AppendColumn(dst []byte, c Column) []byte {
	w := wireTypeOf(c.Type)
	if c.NotNull {
		w.flags |= gomysql.NOT_NULL_FLAG
	}
	dst = appendText(dst, "def")
	dst = appendText(dst, c.Schema)
	dst = appendText(dst, c.Table)
	dst = appendText(dst, c.Table)
	dst = appendText(dst, c.Name)
	if c.Table == "" {
		dst = appendText(dst, "")
	} else {
		dst = appendText(dst, c.Name)
	}
	dst = append(dst, 0x0C)
	dst = binary.LittleEndian.AppendUint16(dst, w.charset)
	dst = binary.LittleEndian.AppendUint32(dst, w.length)
	dst = append(dst, w.code)
	dst = binary.LittleEndian.AppendUint16(dst, w.flags)
	return append(dst, w.decimals, 0, 0)
}

// AppendListedColumn appends a column definition as COM_FIELD_LIST wants it: with a default
// value, NULL.
func AppendListedColumn(dst []byte, c Column) []byte {
	return append(AppendColumn(dst, c), nullCell)
}

// ParamColumn is the definition that a statement's parameters are described with: their
// types are not known before they are bound.
func ParamColumn() Column { return Column{Name: "?", Type: sqltype.VarcharOf(0)} }

// AppendColumnCount appends the packet that opens a result set.
func AppendColumnCount(dst []byte, n int) []byte { return appendLenenc(dst, uint64(n)) }
