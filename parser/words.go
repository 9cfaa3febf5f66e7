package parser

// set is a set of upper-case words.
type set map[string]struct{}

func words(ws ...string) set {
	s := make(set, len(ws))
	for _, w := range ws {
		s[w] = struct{}{}
	}
	return s
}

func (s set) has(w string) bool { _, ok := s[w]; return ok }

// reserved words begin no operand and are no alias without AS.
var reserved = words("ALL", "ALTER", "AND", "ANALYZE", "AS", "ASC", "BETWEEN", "BY", "CASE", "CHECK", "COLLATE", "CREATE", "CROSS", "CUBE",
	"DELETE", "DESC", "DESCRIBE", "DISTINCT", "DIV", "DROP", "ELSE", "EXCEPT", "EXISTS", "EXPLAIN",
	"FETCH", "FOR", "FROM", "GRANT", "GROUP", "GROUPING", "HAVING", "IN", "INNER", "INTERSECT", "INTO", "IS", "JOIN",
	"LATERAL", "LIKE", "LIMIT", "NATURAL", "NOT", "NULL", "ON", "OR", "ORDER", "OUTER", "OVER",
	"PARTITION", "REGEXP", "RLIKE", "SELECT", "SEPARATOR", "STRAIGHT_JOIN", "TABLESAMPLE", "THEN", "UNION", "UPDATE", "USING",
	"WHEN", "WHERE", "WINDOW", "WITH", "XOR")

// notOperand are the reserved words that cannot begin an operand even before a bracket.
var notOperand = words("AND", "AS", "ASC", "BETWEEN", "BY", "COLLATE", "CROSS", "DELETE", "DESC", "DISTINCT", "DIV", "ELSE", "END", "FETCH",
	"FOR", "FROM", "GROUP", "HAVING", "IN", "INNER", "INTO", "IS", "JOIN", "LIMIT", "NATURAL", "ON", "OR", "ORDER", "OUTER",
	"PARTITION", "REGEXP", "RLIKE", "SELECT", "SEPARATOR", "STRAIGHT_JOIN", "TABLESAMPLE", "THEN", "UNION", "UPDATE", "USING",
	"WHEN", "WHERE", "WINDOW", "WITH", "XOR", "EXCEPT", "INTERSECT", "LIKE", "LATERAL", "OVER", "ALL")

// niladic functions are called without brackets.
var niladic = words("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "LOCALTIME", "LOCALTIMESTAMP",
	"UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "SESSION_USER", "CURRENT_CATALOG")

// units of INTERVAL, EXTRACT and TIMESTAMPDIFF.
var units = words("MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR",
	"SECOND_MICROSECOND", "MINUTE_MICROSECOND", "MINUTE_SECOND", "HOUR_MICROSECOND", "HOUR_SECOND", "HOUR_MINUTE",
	"DAY_MICROSECOND", "DAY_SECOND", "DAY_MINUTE", "DAY_HOUR", "YEAR_MONTH", "DOW", "DOY", "EPOCH", "DAYOFWEEK", "DAYOFYEAR", "WEEKDAY",
	"SECONDS", "MINUTES", "HOURS", "DAYS", "WEEKS", "MONTHS", "QUARTERS", "YEARS", "MICROSECONDS", "MILLISECONDS", "NANOSECOND")

// higherOrder functions take lambdas, so an arrow in their first argument is never a JSON path.
var higherOrder = words("ARRAY_MAP", "ARRAY_FILTER", "ARRAY_SORTBY", "ARRAY_SORT", "ARRAY_EXISTS", "ARRAY_FIRST", "ARRAY_LAST",
	"ARRAY_FIRST_INDEX", "ARRAY_LAST_INDEX", "ARRAY_COUNT", "ARRAY_MATCH_ALL", "ARRAY_MATCH_ANY", "ARRAY_SPLIT", "ARRAY_REVERSE_SPLIT",
	"TRANSFORM", "FILTER", "AGGREGATE", "REDUCE", "MAP_FILTER", "TRANSFORM_KEYS", "TRANSFORM_VALUES", "ZIP_WITH", "ANY_MATCH", "ALL_MATCH")
