package ast

import (
	"regexp"
	"strconv"
	"strings"
)

// Format prints n as SQL on one line. Parsing the text gives a tree Equal to n, under
// the same settings that n was parsed with. A nil node prints as "".
func Format(n Node) string {
	f := &formatter{}
	f.node(n)
	return f.b.String()
}

// formatter collects the text. Its methods are named after what they print.
type formatter struct {
	b strings.Builder
}

func (f *formatter) text(parts ...string) {
	for _, s := range parts {
		f.b.WriteString(s)
	}
}

// when prints parts if cond holds.
func (f *formatter) when(cond bool, parts ...string) {
	if cond {
		f.text(parts...)
	}
}

// list prints n elements with commas.
func (f *formatter) list(n int, element func(i int)) {
	for i := range n {
		f.when(i > 0, ", ")
		element(i)
	}
}

func (f *formatter) node(n Node) {
	switch n := n.(type) {
	case nil:
	case Expr:
		f.expr(n)
	case TableExpr:
		f.table(n)
	case Statement:
		f.statement(n)
	}
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// quotedWords are the words that mean something of their own where a name may stand,
// so that a name spelled like them needs quotes.
var quotedWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`
		ADD ALL ALTER ANALYZE AND ANTI ANY ARRAY AS ASC ASOF AUTO BEGIN BETWEEN BINARY BUCKET BUCKETS BUILTIN BY CASE CAST CHANGE CHARACTER CHARSET CHECK CLUSTER CLUSTERED
		COLLATE COLUMN COLUMNS COMPUTE CONCATENATE CONNECTION CONSTRAINT CONVERT CREATE CROSS CUBE CURRENT CURRENT_CATALOG CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP
		CURRENT_USER DATABASE DEFAULT DELAYED DELETE DESC DESCRIBE DISTINCT DISTINCTROW DISTRIBUTE DISTRIBUTED DIV DROP DUAL ELSE END ENGINE ESCAPE EXCEPT EXISTS EXPLAIN EXTENDED EXTERNAL
		FALSE FETCH FILTER FIRST FOLLOWING FOR FORCE FOREIGN FORMATTED FROM FULL FUNCTION GENERATED GLOBAL GRANT GROUP GROUPING GROUPS HAVING HIGH_PRIORITY IF IGNORE IN INDEX INNER INSERT INTERSECT INTERVAL INTO IS JOIN
		KEY KEYS KILL LATERAL LEFT LIKE LIMIT LOCAL LOCALTIME LOCALTIMESTAMP LOCATION LOCK LOW_PRIORITY MAP MATCH MAXVALUE MINUS MOD MODIFY NAMES NATURAL NOT NULL NULLS OFFSET ON ONLY OR ORDER OUTER OUTFILE OVER OVERWRITE
		PARTITION PARTITIONED PARTITIONS PASSWORD PERSIST PIVOT PRECEDING PREPARE PRIMARY PRIOR PROPERTIES PROPERTY QUALIFY QUERY RANGE RECURSIVE REGEXP RENAME REPLACE RESPECT RIGHT RLIKE ROLE ROLLUP ROW ROWS SAFE_CAST
		SCHEMA SELECT SEMI SEPARATOR SESSION SESSION_USER SET SETS SHOW SKEWED SOME SORT SORTED SQL_BIG_RESULT SQL_BUFFER_RESULT SQL_CACHE SQL_CALC_FOUND_ROWS SQL_NO_CACHE SQL_SMALL_RESULT STORED STRAIGHT_JOIN STRUCT TABLE TABLESAMPLE
		TABLET TBLPROPERTIES TEMPORARY THEN TO TRANSACTION TRUE TRY_CAST UNBOUNDED UNION UNIQUE UNKNOWN UNPIVOT UPDATE USE USING UTC_DATE UTC_TIME UTC_TIMESTAMP VALUES VIEW WHEN WHERE WINDOW WITH WITHIN WORK XOR
		RESOURCE LDAP_ADMIN_PASSWORD PLAN VERBOSE GRAPH TREE FORMAT PARSED ANALYZED REWRITTEN OPTIMIZED PHYSICAL LOGICAL SHAPE MEMO`) {
		m[w] = true
	}
	return m
}()

// quotedFunctions are the words that are no function's name before a bracket unless quoted.
var quotedFunctions = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`
		ALL AND ARRAY AS ASC BETWEEN BINARY BY CASE CAST COLLATE CONVERT CROSS DELETE DESC DISTINCT DIV ELSE END EXCEPT EXISTS FETCH FOR FROM GROUP HAVING IN INNER INTERSECT INTERVAL INTO IS
		JOIN LATERAL LIKE LIMIT MAP NATURAL NOT NULL ON OR ORDER OUTER OVER PARTITION REGEXP RLIKE ROW SAFE_CAST SELECT SEPARATOR STRAIGHT_JOIN STRUCT TABLE TABLESAMPLE THEN TRUE FALSE TRY_CAST UNION UPDATE USING
		VALUES WHEN WHERE WINDOW WITH XOR DISTINCTROW HIGH_PRIORITY SQL_BIG_RESULT SQL_BUFFER_RESULT SQL_CACHE SQL_CALC_FOUND_ROWS SQL_NO_CACHE SQL_SMALL_RESULT`) {
		m[w] = true
	}
	return m
}()

// function prints the name of a function.
func (f *formatter) function(s string) {
	if plainName.MatchString(s) && !quotedFunctions[strings.ToUpper(s)] {
		f.text(s)
		return
	}
	f.text("`", strings.ReplaceAll(s, "`", "``"), "`")
}

// name prints an identifier, in back quotes unless it is plain.
func (f *formatter) name(s string) {
	if plainName.MatchString(s) && !quotedWords[strings.ToUpper(s)] {
		f.text(s)
		return
	}
	f.text("`", strings.ReplaceAll(s, "`", "``"), "`")
}

func (f *formatter) names(list []string) {
	f.list(len(list), func(i int) { f.name(list[i]) })
}

// nameList prints (a, b).
func (f *formatter) nameList(list []string) {
	f.text("(")
	f.names(list)
	f.text(")")
}

// fullName prints [catalog.][database.]name.
func (f *formatter) fullName(n Name) {
	for _, part := range []string{n.Catalog, n.Database} {
		if part != "" {
			f.name(part)
			f.text(".")
		}
	}
	f.name(n.Name)
}

// databaseName prints [catalog.]database, as names of databases come.
func (f *formatter) databaseName(n Name) { f.fullName(n) }

var stringEscapes = strings.NewReplacer(`\`, `\\`, `'`, `''`, "\x00", `\0`)

// str prints a string literal.
func (f *formatter) str(s string) { f.text("'", stringEscapes.Replace(s), "'") }

func (f *formatter) int(n int64) { f.text(strconv.FormatInt(n, 10)) }

// properties prints ('k' = 'v', …).
func (f *formatter) properties(list []Property) {
	f.text("(")
	f.list(len(list), func(i int) {
		f.str(list[i].Key)
		f.text(" = ")
		f.str(list[i].Value)
	})
	f.text(")")
}

func (f *formatter) typeName(t *TypeName) {
	if t.Name == "timestamptz" {
		f.text("timestamp with local time zone")
		return
	}
	if plainName.MatchString(t.Name) {
		f.text(t.Name)
	} else {
		f.name(t.Name)
	}
	switch {
	case t.Name == "agg_state" && len(t.Elems) == 1:
		e := t.Elems[0]
		f.text("<")
		f.name(e.Name)
		f.text("(")
		f.list(len(e.Elems), func(i int) { f.typeName(e.Elems[i]) })
		f.text(")>")
	case len(t.Elems) > 0:
		f.text("<")
		f.list(len(t.Elems), func(i int) {
			if i < len(t.Fields) {
				f.name(t.Fields[i])
				f.text(":")
			}
			f.typeName(t.Elems[i])
		})
		f.text(">")
	case len(t.Args) > 0:
		f.text("(")
		f.list(len(t.Args), func(i int) { f.int(t.Args[i]) })
		f.text(")")
	}
	f.when(t.Unsigned, " unsigned")
}
