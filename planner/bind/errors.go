package bind

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Codes that only the binder raises.
var (
	// mixedAggregates is a bare column beside aggregates without GROUP BY.
	mixedAggregates = sqlerr.Code{Number: 1140, SQLState: "42000"}
	// columnListMismatch is a list of column names that does not fit the query's columns.
	columnListMismatch = sqlerr.Code{Number: 1353, SQLState: "HY000"}
	// orderNotSelected is an ORDER BY of a DISTINCT query by something that it does not select.
	orderNotSelected = sqlerr.Code{Number: 3065, SQLState: "HY000"}
	// invalidView is a view whose text no longer binds.
	invalidView = sqlerr.Code{Number: 1356, SQLState: "HY000"}
	// duplicateInsertColumn is a column named twice in INSERT.
	duplicateInsertColumn = sqlerr.Code{Number: 1110, SQLState: "42000"}
	// Of windows; see windows.go.
	windowUnknown       = sqlerr.Code{Number: 3579, SQLState: "HY000"}
	windowCircular      = sqlerr.Code{Number: 3580, SQLState: "HY000"}
	windowRepartitioned = sqlerr.Code{Number: 3581, SQLState: "HY000"}
	windowHasFrame      = sqlerr.Code{Number: 3582, SQLState: "HY000"}
	windowReordered     = sqlerr.Code{Number: 3583, SQLState: "HY000"}
	frameStart          = sqlerr.Code{Number: 3584, SQLState: "HY000"}
	frameEnd            = sqlerr.Code{Number: 3585, SQLState: "HY000"}
	frameOffset         = sqlerr.Code{Number: 3586, SQLState: "HY000"}
	rangeKeys           = sqlerr.Code{Number: 3587, SQLState: "HY000"}
	rangeNeedsInterval  = sqlerr.Code{Number: 3588, SQLState: "HY000"}
	rangeNeedsNumber    = sqlerr.Code{Number: 3589, SQLState: "HY000"}
	frameNotConstant    = sqlerr.Code{Number: 3590, SQLState: "HY000"}
	windowTwice         = sqlerr.Code{Number: 3591, SQLState: "HY000"}
	windowMisplaced     = sqlerr.Code{Number: 3593, SQLState: "HY000"}
	windowAlias         = sqlerr.Code{Number: 3594, SQLState: "HY000"}
	windowNested        = sqlerr.Code{Number: 3595, SQLState: "HY000"}
	rowsInterval        = sqlerr.Code{Number: 3596, SQLState: "HY000"}
	// noTables is SELECT * without FROM.
	noTables = sqlerr.Code{Number: 1096, SQLState: "HY000"}
)

// equalName compares column names: without case.
func equalName(a, b string) bool { return strings.EqualFold(a, b) }
