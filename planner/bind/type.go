package bind

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
)

// plainTypes are type names that take no arguments (display widths of integers are ignored).
var plainTypes = map[string]sqltype.Kind{
	"boolean": sqltype.Boolean, "bool": sqltype.Boolean,
	"tinyint": sqltype.TinyInt, "smallint": sqltype.SmallInt, "mediumint": sqltype.Int, "int": sqltype.Int, "integer": sqltype.Int,
	"bigint": sqltype.BigInt, "signed": sqltype.BigInt, "largeint": sqltype.LargeInt, "unsigned": sqltype.LargeInt,
	"float": sqltype.Float, "real": sqltype.Double, "double": sqltype.Double,
	"date": sqltype.Date, "datev1": sqltype.Date, "datev2": sqltype.Date,
	"string": sqltype.String, "text": sqltype.String, "tinytext": sqltype.String, "mediumtext": sqltype.String, "longtext": sqltype.String,
	"binary": sqltype.Binary, "varbinary": sqltype.Binary, "blob": sqltype.Binary,
	"json": sqltype.JSON, "jsonb": sqltype.JSON, "bitmap": sqltype.Bitmap, "hll": sqltype.HLL,
}

// Limits of character types, and the types of a bare DECIMAL and of CAST(… AS CHAR).
const (
	maxCharLength    = 255
	maxVarcharLength = 65533
)

// Type is the type that a type name means, in CAST as in CREATE TABLE.
func Type(t *ast.TypeName) (sqltype.Type, error) {
	if kind, ok := plainTypes[t.Name]; ok {
		if t.Unsigned && kind >= sqltype.TinyInt && kind <= sqltype.BigInt {
			return sqltype.Type{}, sqlerr.Unsupported("UNSIGNED").At(t.Position())
		}
		return sqltype.T(kind), nil
	}
	switch t.Name {
	case "decimal", "numeric", "dec", "decimalv2", "decimalv3":
		return decimalType(t)
	case "datetime", "datetimev1", "datetimev2", "timestamp", "timestampntz", "timestamptz", "timestampltz", "time", "timev2":
		return temporalType(t)
	case "char", "character", "nchar":
		if len(t.Args) == 0 { // CAST(x AS CHAR) has no limit
			return sqltype.T(sqltype.String), nil
		}
		return lengthType(t, sqltype.Char, maxCharLength)
	case "varchar", "nvarchar":
		if len(t.Args) == 0 {
			return sqltype.T(sqltype.Varchar), nil
		}
		return lengthType(t, sqltype.Varchar, maxVarcharLength)
	case "array", "map", "struct":
		var elems []sqltype.Type
		for _, e := range t.Elems {
			et, err := Type(e)
			if err != nil {
				return et, err
			}
			if et.IsOpaque() {
				return et, sqlerr.Unsupported(et.String() + " inside of " + t.Name).At(e.Position())
			}
			elems = append(elems, et)
		}
		kind := map[string]sqltype.Kind{"array": sqltype.Array, "map": sqltype.Map, "struct": sqltype.Struct}[t.Name]
		return sqltype.NestedOf(kind, elems, t.Fields), nil
	}
	return sqltype.Type{}, sqlerr.Unsupported("Type " + t.Name).At(t.Position())
}

// HiveType is the type that a type name means in the definition of a table of Hive: moments have microseconds (Hive's have
// nanoseconds) and DECIMAL alone is DECIMAL(10,0).
func HiveType(t *ast.TypeName) (sqltype.Type, error) { return Type(hiveName(t)) }

func hiveName(t *ast.TypeName) *ast.TypeName {
	n := *t
	switch n.Name {
	case "timestamp", "timestamptz", "timestampltz":
		if len(n.Args) == 0 {
			n.Args = []int64{6}
		}
	case "decimal", "numeric", "dec":
		if len(n.Args) == 0 {
			n.Args = []int64{10}
		}
	}
	n.Elems = nil
	for _, e := range t.Elems {
		n.Elems = append(n.Elems, hiveName(e))
	}
	return &n
}

func decimalType(t *ast.TypeName) (sqltype.Type, error) {
	p, s := int64(38), int64(9)
	if len(t.Args) > 0 {
		p, s = t.Args[0], 0
	}
	if len(t.Args) > 1 {
		s = t.Args[1]
	}
	if p < 1 || p > sqltype.MaxDecimalPrecision || s < 0 || s > p {
		return sqltype.Type{}, sqlerr.New(sqlerr.WrongFieldSpec, "Incorrect precision or scale: decimal(%d,%d)", p, s).At(t.Position()).
			WithHint("Precision is 1 to %d, scale 0 to the precision", sqltype.MaxDecimalPrecision)
	}
	return sqltype.DecimalOf(int(p), int(s)), nil
}

func temporalType(t *ast.TypeName) (sqltype.Type, error) {
	out := sqltype.T(sqltype.DateTime)
	switch t.Name {
	case "time", "timev2":
		out.Kind = sqltype.Time
	case "timestamptz", "timestampltz":
		out.Kind = sqltype.Timestamp
	}
	if len(t.Args) > 0 {
		if t.Args[0] < 0 || t.Args[0] > 6 {
			return out, sqlerr.New(sqlerr.WrongFieldSpec, "Incorrect precision: %s(%d)", t.Name, t.Args[0]).At(t.Position()).WithHint("It is 0 to 6")
		}
		out.Scale = uint8(t.Args[0])
	}
	return out, nil
}

func lengthType(t *ast.TypeName, kind sqltype.Kind, most int64) (sqltype.Type, error) {
	n := t.Args[0]
	if n < 0 || n > most {
		return sqltype.Type{}, sqlerr.New(sqlerr.WrongFieldSpec, "Incorrect length: %s(%d)", t.Name, n).At(t.Position()).
			WithHint("It is at most %d; use STRING for longer text", most)
	}
	return sqltype.Type{Kind: kind, Length: int32(n)}, nil
}
