package orc

import (
	"fmt"
	"math"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// appendTypes appends the types of a column of type t, in pre-order, and returns its id.
func appendTypes(types []typeMeta, t sqltype.Type) ([]typeMeta, uint32, error) {
	if len(types) >= math.MaxInt32/2 {
		return nil, 0, sqlerr.Unsupported("so many columns in ORC")
	}
	id := uint32(len(types))
	x, err := writtenType(t)
	if err != nil {
		return nil, 0, err
	}
	types = append(types, x)
	if t.Nested == nil {
		return types, id, nil
	}
	for i, e := range t.Nested.Elems {
		var child uint32
		if types, child, err = appendTypes(types, e); err != nil {
			return nil, 0, err
		}
		types[id].children = append(types[id].children, child)
		if t.Kind == sqltype.Struct {
			types[id].names = append(types[id].names, t.Nested.Fields[i])
		}
	}
	return types, id, nil
}

// writtenType is the format's type for t. What it has no word for is kept in an attribute.
func writtenType(t sqltype.Type) (typeMeta, error) {
	plain := func(k typeKind) (typeMeta, error) { return typeMeta{kind: k}, nil }
	named := func(x typeMeta) (typeMeta, error) {
		x.attributes = map[string]string{typeAttribute: t.String()}
		return x, nil
	}
	switch t.Kind {
	case sqltype.Boolean:
		return plain(kindBoolean)
	case sqltype.TinyInt:
		return plain(kindByte)
	case sqltype.SmallInt:
		return plain(kindShort)
	case sqltype.Int:
		return plain(kindInt)
	case sqltype.BigInt:
		return plain(kindLong)
	case sqltype.LargeInt:
		return named(typeMeta{kind: kindDecimal, precision: 38})
	case sqltype.Float:
		return plain(kindFloat)
	case sqltype.Double:
		return plain(kindDouble)
	case sqltype.Decimal:
		return typeMeta{kind: kindDecimal, precision: uint32(t.Precision), scale: uint32(t.Scale)}, nil
	case sqltype.Date:
		return plain(kindDate)
	case sqltype.DateTime, sqltype.Timestamp:
		x := typeMeta{kind: kindTimestamp}
		if t.Kind == sqltype.Timestamp {
			x.kind = kindTimestampInstant
		}
		if t.Scale == 6 {
			return x, nil
		}
		return named(x)
	case sqltype.Time:
		return named(typeMeta{kind: kindLong})
	case sqltype.Char: // not CHAR, whose statistics do not prune
		return named(typeMeta{kind: kindVarchar, length: uint32(max(t.Length, 1))})
	case sqltype.Varchar:
		if t.Length > 0 {
			return typeMeta{kind: kindVarchar, length: uint32(t.Length)}, nil
		}
		return named(typeMeta{kind: kindString})
	case sqltype.String:
		return plain(kindString)
	case sqltype.JSON:
		return named(typeMeta{kind: kindString})
	case sqltype.Binary:
		return plain(kindBinary)
	case sqltype.Bitmap, sqltype.HLL:
		return named(typeMeta{kind: kindBinary})
	case sqltype.Array:
		return plain(kindList)
	case sqltype.Map:
		return plain(kindMap)
	case sqltype.Struct:
		return plain(kindStruct)
	}
	return typeMeta{}, sqlerr.Unsupported(fmt.Sprintf("writing a column of type %s to ORC", t))
}

func (x *typeMeta) encode() []byte {
	var w protoWriter
	w.uint(1, uint64(x.kind))
	if len(x.children) > 0 {
		list := make([]uint64, len(x.children))
		for i, c := range x.children {
			list[i] = uint64(c)
		}
		w.packed(2, list)
	}
	for _, n := range x.names {
		w.text(3, n)
	}
	if x.length > 0 {
		w.uint(4, uint64(x.length))
	}
	if x.kind == kindDecimal {
		w.uint(5, uint64(x.precision))
		w.uint(6, uint64(x.scale))
	}
	for k, v := range x.attributes { // there is one at most
		var p protoWriter
		p.text(1, k)
		p.text(2, v)
		w.bytes(7, p.b)
	}
	return w.b
}
