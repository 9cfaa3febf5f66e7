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
	// noTables is SELECT * without FROM.
	noTables = sqlerr.Code{Number: 1096, SQLState: "HY000"}
)

// equalName compares column names: without case.
func equalName(a, b string) bool { return strings.EqualFold(a, b) }
