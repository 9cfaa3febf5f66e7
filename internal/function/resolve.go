package function

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// Resolve picks the overload of a scalar function or operator for args and says which
// exact types the arguments must be cast to (Params). Errors: sqlerr.UnknownFunction,
// sqlerr.WrongArguments. Safe for concurrent use.
func Resolve(name string, args []Arg) (*Scalar, error) {
	return nil, sqlerr.New(sqlerr.UnknownFunction, "FUNCTION %s does not exist", name)
}

// ResolveAggregate picks the overload of an aggregate; name "count" with no args is count(*).
func ResolveAggregate(name string, args []Arg) (*Aggregate, error) {
	return nil, sqlerr.New(sqlerr.UnknownFunction, "FUNCTION %s does not exist", name)
}

// IsAggregate reports whether name (lower case) is an aggregate function.
func IsAggregate(name string) bool { return false }

// Cast is the conversion from one type to another, nil when they are equal in memory and
// meaning. Explicit casts and implicit ones are the same function; text that does not
// parse gives NULL (Doris, non-strict).
func Cast(from, to sqltype.Type) (*Scalar, error) {
	return nil, sqlerr.Unsupported("CAST")
}

// CommonType is the type that both operands of a comparison, or all branches of CASE,
// COALESCE, UNION and IN, are cast to. ok is false when there is none.
func CommonType(a, b sqltype.Type) (t sqltype.Type, ok bool) {
	return a, a == b
}
