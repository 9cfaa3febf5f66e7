package parquet

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage/widen"
)

// lossless reports that a value of from is never NULL as to: text that is no number is, as a number.
func lossless(from, to sqltype.Type) bool { return !from.IsString() || !to.IsNumeric() }

// canCast reports whether every value of from is read as to without a loss: widening, and numbers and times as text.
// Decimals of another scale are included; a value that does not fit is an error then.
func canCast(from, to sqltype.Type) bool {
	switch {
	case from.IsInteger() && to.Kind == sqltype.Float:
		return from.Kind <= sqltype.SmallInt
	case to.IsString():
		return widen.Can(from, to)
	}
	return widen.Ordered(from, to)
}
