package orc

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/widen"
)

// fileColumn is a top-level column of a file.
type fileColumn struct {
	storage.Column
	id uint32 // of its type
	// unsupported is what the column is, when it cannot be read ("list").
	unsupported string
}

const (
	// maxSchemaDepth bounds the nesting that is read.
	maxSchemaDepth = 256
	// typeAttribute restores types that the format has no kind for, as our writer puts it.
	typeAttribute = "basalt.type"
	sparkType     = "spark.sql.catalyst.type"
)

// mapSchema derives the columns of a file: the fields of a struct, or one column where the
// root is something else.
func mapSchema(types []typeMeta) []fileColumn {
	root := &types[0]
	if root.kind != kindStruct {
		return []fileColumn{mapColumn(types, 0, "_col0")}
	}
	out := make([]fileColumn, len(root.children))
	for i, id := range root.children {
		out[i] = mapColumn(types, id, root.names[i])
	}
	return out
}

func mapColumn(types []typeMeta, id uint32, name string) fileColumn {
	c := fileColumn{id: id}
	c.Name, c.Nullable = name, true
	c.Type, c.unsupported = typeOf(types, id, 0)
	if c.unsupported != "" {
		c.Comment = "not readable yet: " + c.unsupported
	}
	return c
}

// typeOf is the SQL type of a node of the type tree; unsupported says what of it cannot be
// read.
func typeOf(types []typeMeta, id uint32, depth int) (t sqltype.Type, unsupported string) {
	x := &types[id]
	if depth > maxSchemaDepth {
		return sqltype.T(sqltype.String), "a type nested too deeply"
	}
	switch x.kind {
	case kindBoolean:
		return sqltype.T(sqltype.Boolean), ""
	case kindByte:
		return sqltype.T(sqltype.TinyInt), ""
	case kindShort:
		return sqltype.T(sqltype.SmallInt), ""
	case kindInt:
		return sqltype.T(sqltype.Int), ""
	case kindLong:
		if x.attributes[sparkType] == "timestamp_ntz" {
			return sqltype.DateTimeOf(6), ""
		}
		return x.restore(sqltype.T(sqltype.BigInt)), ""
	case kindFloat:
		return sqltype.T(sqltype.Float), ""
	case kindDouble:
		return sqltype.T(sqltype.Double), ""
	case kindString, kindBinary:
		if x.kind == kindBinary {
			return x.restore(sqltype.T(sqltype.Binary)), ""
		}
		return x.restore(sqltype.T(sqltype.String)), ""
	case kindVarchar:
		return x.restore(sqltype.Type{Kind: sqltype.Varchar, Length: int32(x.length)}), ""
	case kindChar:
		return x.restore(sqltype.Type{Kind: sqltype.Char, Length: int32(x.length)}), ""
	case kindTimestamp:
		return x.restore(sqltype.DateTimeOf(6)), ""
	case kindTimestampInstant:
		return x.restore(sqltype.Type{Kind: sqltype.Timestamp, Scale: 6}), ""
	case kindDate:
		return sqltype.T(sqltype.Date), ""
	case kindDecimal:
		switch {
		case x.precision == 0: // Hive 0.11 had no limits
			return sqltype.DecimalOf(38, 18), ""
		case x.precision > sqltype.MaxDecimalPrecision || x.scale > x.precision:
			return sqltype.DecimalOf(38, 0), fmt.Sprintf("decimal(%d,%d)", x.precision, x.scale)
		}
		return x.restore(sqltype.DecimalOf(int(x.precision), int(x.scale))), ""
	case kindGeometry, kindGeography:
		return sqltype.T(sqltype.Binary), ""
	case kindList:
		return nestedType(types, x, sqltype.Array, nil, depth)
	case kindMap:
		return nestedType(types, x, sqltype.Map, nil, depth)
	case kindStruct:
		return nestedType(types, x, sqltype.Struct, x.names, depth)
	case kindUnion: // a struct of the alternatives, all but one of them NULL
		return nestedType(types, x, sqltype.Struct, unionNames(x), depth)
	}
	return sqltype.T(sqltype.String), "a column of an unknown type"
}

func nestedType(types []typeMeta, x *typeMeta, kind sqltype.Kind, names []string, depth int) (sqltype.Type, string) {
	var elems []sqltype.Type
	for _, id := range x.children {
		e, unsupported := typeOf(types, id, depth+1)
		if unsupported != "" {
			return sqltype.T(kind), unsupported
		}
		elems = append(elems, e)
	}
	return sqltype.NestedOf(kind, elems, names), ""
}

// restorable are the kinds that a type's attribute may refine it to.
var restorable = map[string]sqltype.Kind{
	"largeint": sqltype.LargeInt, "char": sqltype.Char, "varchar": sqltype.Varchar, "json": sqltype.JSON,
	"datetime": sqltype.DateTime, "timestamp": sqltype.Timestamp, "time": sqltype.Time, "string": sqltype.String,
	"bitmap": sqltype.Bitmap, "hll": sqltype.HLL,
}

// restore refines the type that the format has by our attribute, where the layout is the
// same.
func (x *typeMeta) restore(was sqltype.Type) sqltype.Type {
	text, ok := x.attributes[typeAttribute]
	if !ok {
		return was
	}
	word, arg, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	kind, ok := restorable[word]
	if !ok {
		return was
	}
	t := sqltype.Type{Kind: kind}
	if arg != "" {
		n, err := strconv.ParseInt(arg, 10, 32)
		if err != nil || n < 0 {
			return was
		}
		switch kind {
		case sqltype.Char, sqltype.Varchar:
			t.Length = int32(n)
		default:
			if n > 6 {
				return was
			}
			t.Scale = uint8(n)
		}
	}
	same := false
	switch kind {
	case sqltype.LargeInt:
		same = was.Kind == sqltype.Decimal && was.Scale == 0
	case sqltype.DateTime, sqltype.Timestamp:
		same = was.Kind == kind
	case sqltype.Time:
		same = was.Kind == sqltype.BigInt
	default:
		same = was.Physical() == sqltype.PhysString
	}
	if !same || was.Physical() != t.Physical() {
		return was
	}
	return t
}

var positionalName = regexp.MustCompile(`^_col\d+$`)

// positional reports that the columns have no names of their own, as Hive before 2.0 wrote.
func (f *File) positional() bool {
	for i := range f.columns {
		if !positionalName.MatchString(f.columns[i].Name) {
			return false
		}
	}
	return len(f.columns) > 0
}

// unionNames are the fields of a union that is read as a struct.
func unionNames(x *typeMeta) []string {
	names := make([]string, len(x.children))
	for i := range names {
		names[i] = "tag" + strconv.Itoa(i)
	}
	return names
}

// fieldNamed finds a name, exactly or else without regard to case; -1 when it is not there.
func fieldNamed(names []string, name string) int {
	if i := slices.Index(names, name); i >= 0 {
		return i
	}
	return slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// readable reports whether the type with this id, which is from, can be read as to: scalars as
// package widen says, structs field by field by name, lists and maps by their elements.
func readable(types []typeMeta, id uint32, from, to sqltype.Type) bool {
	if from.Equal(to) {
		return true
	}
	if !from.IsNested() || from.Kind != to.Kind {
		return widen.Can(from, to)
	}
	x := &types[id]
	if from.Kind != sqltype.Struct {
		for i, c := range x.children {
			if !readable(types, c, from.Nested.Elems[i], to.Nested.Elems[i]) {
				return false
			}
		}
		return true
	}
	for i, name := range to.Nested.Fields {
		at := fieldNamed(from.Nested.Fields, name)
		if at >= 0 && !readable(types, x.children[at], from.Nested.Elems[at], to.Nested.Elems[i]) {
			return false
		}
	}
	return true
}
