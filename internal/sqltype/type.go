// Package sqltype names the types of SQL values and how each is laid out in memory.
//
// A Type says nothing about nullability: that belongs to columns and expressions.
package sqltype

import (
	"fmt"
	"strings"
	"sync"
)

// Kind is the family of a type.
type Kind uint8

// The kinds. Null is the type of a bare NULL literal and coerces to everything.
const (
	Null      Kind = iota
	Boolean        // shown as 0 and 1
	TinyInt        // 8-bit signed
	SmallInt       // 16
	Int            // 32
	BigInt         // 64
	LargeInt       // 128
	Float          // IEEE 32
	Double         // IEEE 64
	Decimal        // Precision 1..38, Scale 0..Precision
	Date           // days since 1970-01-01, proleptic Gregorian, int32
	DateTime       // microseconds since 1970-01-01 00:00:00 without a zone, int64; Scale is the digits shown, 0..6
	Timestamp      // microseconds of an instant, UTC; Scale as DateTime
	Time           // signed microseconds, MySQL's TIME
	Char           // Length in bytes
	Varchar        // Length in bytes, 0 = no limit
	String
	Binary
	JSON
	Array
	Map
	Struct
	Bitmap
	HLL
)

// Physical is the layout of a flat vector's values.
type Physical uint8

// Physical layouts, with the Go type that vector.Values takes.
const (
	PhysNone    Physical = iota // Null: no values at all
	PhysBool                    // bool, one byte a value (Arrow's bitmap is made at the boundary)
	PhysInt8                    // int8
	PhysInt16                   // int16
	PhysInt32                   // int32
	PhysInt64                   // int64
	PhysInt128                  // int128.Int
	PhysFloat32                 // float32
	PhysFloat64                 // float64
	PhysString                  // vector.View, 16 bytes; also the encoded values of nested types
)

// Type is one SQL type. Types compare with ==: NestedOf gives equal nested types one pointer.
type Type struct {
	Kind      Kind
	Precision uint8
	Scale     uint8
	Length    int32
	Nested    *Nested // ARRAY, MAP, STRUCT only; made by NestedOf
}

// Nested holds the element types: one for ARRAY, key and value for MAP, one a field for STRUCT.
type Nested struct {
	Elems  []Type
	Fields []string
}

// MaxDecimalPrecision is the widest DECIMAL; values up to MaxShortDecimal digits are int64.
const (
	MaxDecimalPrecision = 38
	MaxShortDecimal     = 18
)

// T makes a type without parameters.
func T(k Kind) Type { return Type{Kind: k} }

// DecimalOf makes DECIMAL(p, s).
func DecimalOf(p, s int) Type { return Type{Kind: Decimal, Precision: uint8(p), Scale: uint8(s)} }

// DateTimeOf makes DATETIME(scale).
func DateTimeOf(scale int) Type { return Type{Kind: DateTime, Scale: uint8(scale)} }

// VarcharOf makes VARCHAR(n).
func VarcharOf(n int) Type { return Type{Kind: Varchar, Length: int32(n)} }

// ArrayOf makes ARRAY<elem>.
func ArrayOf(elem Type) Type { return NestedOf(Array, []Type{elem}, nil) }

// MapOf makes MAP<key, value>.
func MapOf(key, value Type) Type { return NestedOf(Map, []Type{key, value}, nil) }

// StructOf makes STRUCT<fields[i]: elems[i], …>.
func StructOf(fields []string, elems []Type) Type { return NestedOf(Struct, elems, fields) }

// interned maps the text of a nested type to its *Nested.
var interned sync.Map

// NestedOf makes a nested type whose Nested is shared by all equal types of the process, so
// that == compares deeply. Neither slice may change afterwards.
func NestedOf(kind Kind, elems []Type, fields []string) Type {
	n := &Nested{Elems: elems, Fields: fields}
	var key strings.Builder
	for i, e := range elems {
		if fields != nil {
			fmt.Fprintf(&key, "%q:", fields[i])
		}
		// Scalar types by their parameters, nested ones by their pointer, which is theirs alone.
		fmt.Fprintf(&key, "%d,%d,%d,%d,%p;", e.Kind, e.Precision, e.Scale, e.Length, e.Nested)
	}
	shared, _ := interned.LoadOrStore(key.String(), n)
	return Type{Kind: kind, Nested: shared.(*Nested)}
}

// Physical is the layout of t's values.
func (t Type) Physical() Physical {
	switch t.Kind {
	case Null:
		return PhysNone
	case Boolean:
		return PhysBool
	case TinyInt:
		return PhysInt8
	case SmallInt:
		return PhysInt16
	case Int, Date:
		return PhysInt32
	case BigInt, DateTime, Timestamp, Time:
		return PhysInt64
	case LargeInt:
		return PhysInt128
	case Float:
		return PhysFloat32
	case Double:
		return PhysFloat64
	case Decimal:
		if t.Precision <= MaxShortDecimal {
			return PhysInt64
		}
		return PhysInt128
	default:
		return PhysString
	}
}

// Size is the bytes of one value of the layout; 0 for layouts without fixed values.
func (p Physical) Size() int {
	switch p {
	case PhysBool, PhysInt8:
		return 1
	case PhysInt16:
		return 2
	case PhysInt32, PhysFloat32:
		return 4
	case PhysInt64, PhysFloat64:
		return 8
	case PhysInt128, PhysString:
		return 16
	}
	return 0
}

// Equal is ==, by name. VARCHAR lengths count.
func (t Type) Equal(u Type) bool { return t == u }

// IsInteger reports TINYINT … LARGEINT.
func (t Type) IsInteger() bool { return t.Kind >= TinyInt && t.Kind <= LargeInt }

// IsFloat reports FLOAT and DOUBLE.
func (t Type) IsFloat() bool { return t.Kind == Float || t.Kind == Double }

// IsNumeric reports integers, floats and decimals; BOOLEAN is not numeric but coerces.
func (t Type) IsNumeric() bool { return t.Kind >= TinyInt && t.Kind <= Decimal }

// IsString reports the text types; BINARY and JSON are not among them.
func (t Type) IsString() bool { return t.Kind == Char || t.Kind == Varchar || t.Kind == String }

// IsTemporal reports DATE, DATETIME and TIMESTAMP.
func (t Type) IsTemporal() bool { return t.Kind == Date || t.Kind == DateTime || t.Kind == Timestamp }

// IsNested reports ARRAY, MAP and STRUCT.
func (t Type) IsNested() bool { return t.Kind == Array || t.Kind == Map || t.Kind == Struct }

// IsOpaque reports BITMAP and HLL: values that only functions of their own understand, which cannot be compared or shown.
func (t Type) IsOpaque() bool { return t.Kind == Bitmap || t.Kind == HLL }

var kindNames = [...]string{
	Null: "null", Boolean: "boolean", TinyInt: "tinyint", SmallInt: "smallint", Int: "int", BigInt: "bigint",
	LargeInt: "largeint", Float: "float", Double: "double", Decimal: "decimal", Date: "date", DateTime: "datetime",
	Timestamp: "timestamp", Time: "time", Char: "char", Varchar: "varchar", String: "string", Binary: "binary", JSON: "json",
	Array: "array", Map: "map", Struct: "struct", Bitmap: "bitmap", HLL: "hll",
}

// String is the type as DESC prints it: decimal(15,2), varchar(20), array<int>.
func (t Type) String() string {
	name := kindNames[t.Kind]
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case DateTime, Timestamp, Time:
		if t.Scale > 0 {
			return fmt.Sprintf("%s(%d)", name, t.Scale)
		}
	case Char, Varchar:
		if t.Length > 0 {
			return fmt.Sprintf("%s(%d)", name, t.Length)
		}
	case Array, Map, Struct:
		if t.Nested == nil {
			return name
		}
		parts := make([]string, len(t.Nested.Elems))
		for i, e := range t.Nested.Elems {
			parts[i] = e.String()
			if t.Kind == Struct {
				parts[i] = t.Nested.Fields[i] + ":" + parts[i]
			}
		}
		return name + "<" + strings.Join(parts, ",") + ">"
	}
	return name
}
