// Package sqlgen makes random tables and random queries over them: nulls, duplicates,
// extremes, empty and unicode strings, every join kind, subqueries, grouping, set
// operations. The same seed gives the same text.
package sqlgen

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// kind is a family of types that compare with each other.
type kind int

const (
	number kind = iota
	text
	date
	boolean
)

type column struct {
	name string
	kind kind
	sql  string
}

var columns = []column{
	{"i", number, "INT"}, {"b", number, "BIGINT"}, {"d", number, "DECIMAL(10,2)"}, {"f", number, "DOUBLE"},
	{"s", text, "VARCHAR(40)"}, {"u", text, "STRING"}, {"dt", date, "DATE"}, {"o", boolean, "BOOLEAN"},
}

// Tables are the statements that make tables t0, t1, t2 of up to rows rows each.
func Tables(r *rand.Rand, rows int) []string {
	var out []string
	for t := range 3 {
		var defs []string
		for _, c := range columns {
			defs = append(defs, c.name+" "+c.sql)
		}
		out = append(out, fmt.Sprintf("CREATE TABLE t%d (%s)", t, strings.Join(defs, ", ")))
		n := r.IntN(rows + 1)
		if t == 2 && r.IntN(3) == 0 {
			n = 0
		}
		if n == 0 {
			continue
		}
		var vals []string
		for range n {
			var row []string
			for _, c := range columns {
				row = append(row, literal(r, c))
			}
			vals = append(vals, "("+strings.Join(row, ", ")+")")
		}
		out = append(out, fmt.Sprintf("INSERT INTO t%d VALUES %s", t, strings.Join(vals, ", ")))
	}
	return out
}

func pick[T any](r *rand.Rand, items ...T) T { return items[r.IntN(len(items))] }

var words = []string{"", "a", "A", "ab", "abc", "b%", "été", "数据", "a string longer than twelve", "a string longer than twelve bytes", "z", "12", " -3.5 ", " a b "}

// literal is a value for a column; a sixth are NULL.
func literal(r *rand.Rand, c column) string {
	if r.IntN(6) == 0 {
		return "NULL"
	}
	switch c.name {
	case "i":
		if r.IntN(20) == 0 {
			return pick(r, "2147483647", "-2147483648")
		}
		return fmt.Sprint(r.IntN(12) - 3)
	case "b":
		if r.IntN(20) == 0 {
			return pick(r, "4611686018427387904", "-4611686018427387904")
		}
		return fmt.Sprint(r.IntN(12) - 3)
	case "d":
		if r.IntN(20) == 0 {
			return pick(r, "99999999.99", "-99999999.99")
		}
		return fmt.Sprintf("%d.%02d", r.IntN(9)-3, r.IntN(3)*25)
	case "f":
		return fmt.Sprintf("%g", float64(r.IntN(40)-12)/4)
	case "s", "u":
		return "'" + pick(r, words...) + "'"
	case "dt":
		return "'" + pick(r, "1970-01-01", "1995-02-28", "1996-02-29", "2000-12-31", "0001-01-01", "9999-12-31") + "'"
	}
	return pick(r, "true", "false")
}

// Gen makes queries.
type Gen struct {
	r     *rand.Rand
	scope []ref // columns that can be named here, inner scopes last
	next  int   // alias numbers
	depth int
	ctes  []cte
	// numbered: a window function of the SELECT that is being made tells rows apart that are equal.
	numbered bool
}

// cte is a shared query with outputs c0, c1, …
type cte struct {
	name  string
	kinds []kind
}

type ref struct {
	name string
	kind kind
}

// Query is one random query. Its rows have a defined order when it has ORDER BY outside of
// parentheses, see Ordered.
func Query(r *rand.Rand) (sql string) {
	sql, _ = Ordered(r)
	return sql
}

// Ordered is one random query; ordered says that the order of its rows is defined.
func Ordered(r *rand.Rand) (sql string, ordered bool) {
	g := &Gen{r: r}
	for range max(0, r.IntN(6)-3) {
		g.depth++
		q, kinds := g.query(nil)
		g.depth--
		w := fmt.Sprintf("w%d", len(g.ctes))
		g.ctes = append(g.ctes, cte{w, kinds})
		sql += strings.Repeat(", ", min(1, len(g.ctes)-1)) + w + " AS (" + q + ")"
	}
	if sql != "" {
		sql = "WITH " + sql + " "
	}
	q, kinds := g.query(nil)
	sql += q
	if r.IntN(4) == 0 {
		return sql + g.order(kinds), true
	}
	return sql, false
}

// order sorts by all outputs, so that a LIMIT keeps a defined set of rows.
func (g *Gen) order(kinds []kind) string {
	var keys []string
	for i := range kinds {
		keys = append(keys, fmt.Sprintf("c%d%s", i, pick(g.r, "", "", " DESC", " ASC")))
	}
	g.r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	s := " ORDER BY " + strings.Join(keys, ", ")
	switch g.r.IntN(4) {
	case 0:
		s += fmt.Sprintf(" LIMIT %d OFFSET %d", g.r.IntN(9), g.r.IntN(4))
	case 1, 2:
		s += fmt.Sprintf(" LIMIT %d", g.r.IntN(12))
	}
	return s
}

// query makes a query whose output kinds are want (nil: any) and returns them.
func (g *Gen) query(want []kind) (string, []kind) {
	g.depth++
	defer func() { g.depth-- }()
	if want == nil {
		for range 1 + g.r.IntN(3) {
			want = append(want, kind(g.r.IntN(4)))
		}
	}
	if g.depth < 3 && g.r.IntN(8) == 0 {
		a, _ := g.selectBlock(want)
		b, _ := g.selectBlock(want)
		return a + pick(g.r, " UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT ") + b, want
	}
	return g.selectBlock(want)
}

func (g *Gen) selectBlock(want []kind) (string, []kind) {
	outer := len(g.scope)
	numbered := g.numbered
	defer func() { g.scope, g.numbered = g.scope[:outer], numbered }()
	from := g.from()
	g.numbered = false
	mine := g.scope[outer:]
	var b strings.Builder
	grouped := g.r.IntN(3) == 0
	b.WriteString("SELECT ")
	if !grouped && g.r.IntN(6) == 0 {
		b.WriteString("DISTINCT ")
	}
	var keys []string
	var items []string
	windowed := false
	if grouped {
		keyKinds := map[string]kind{}
		for range g.r.IntN(3) {
			k := pick(g.r, mine...)
			if g.r.IntN(5) == 0 {
				k = ref{g.expr(k.kind, 1), k.kind}
				if strings.Contains(k.name, "SELECT") || !strings.Contains(k.name, ".") {
					continue // an uncorrelated key is a constant or an ordinal
				}
			}
			if _, dup := keyKinds[k.name]; !dup {
				keyKinds[k.name] = k.kind
				keys = append(keys, k.name)
			}
		}
		for _, k := range want {
			if g.r.IntN(8) == 0 {
				items, windowed = append(items, g.groupedWindow(k, mine, keys, keyKinds)), true
				continue
			}
			items = append(items, g.grouped(k, mine, keys, keyKinds))
		}
	} else {
		for _, k := range want {
			if len(mine) > 0 && g.r.IntN(7) == 0 {
				items, windowed = append(items, g.window(k, mine)), true
				continue
			}
			items = append(items, g.expr(k, 2))
		}
	}
	for i, it := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s AS c%d", it, i)
	}
	b.WriteString(" FROM " + from)
	if g.r.IntN(3) > 0 {
		b.WriteString(" WHERE " + g.cond(2))
	}
	if len(keys) > 0 {
		list := strings.Join(keys, ", ")
		switch g.r.IntN(14) {
		case 0:
			list += " WITH ROLLUP"
		case 1:
			list = "ROLLUP(" + list + ")"
		case 2:
			list = "CUBE(" + list + ")"
		case 3:
			list = fmt.Sprintf("GROUPING SETS ((%s), (%s), ())", list, keys[0])
		}
		b.WriteString(" GROUP BY " + list)
	}
	if grouped && g.r.IntN(3) == 0 {
		b.WriteString(" HAVING count(*) " + pick(g.r, ">", "<", "=") + " " + fmt.Sprint(g.r.IntN(4)))
	}
	if windowed && !grouped && g.r.IntN(4) == 0 {
		b.WriteString(" QUALIFY " + g.window(number, mine) + pick(g.r, " <= ", " = ", " < ", " > ") + fmt.Sprint(1+g.r.IntN(3)))
	}
	return b.String(), want
}

// from makes FROM and brings its columns into scope.
func (g *Gen) from() string {
	start := len(g.scope)
	s := g.table()
	for range g.r.IntN(3) {
		left := len(g.scope)
		kind := pick(g.r, "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "JOIN", "CROSS JOIN")
		if g.depth > 2 && kind != "JOIN" {
			kind = "JOIN"
		}
		right := g.table()
		if left-start == len(columns) && g.has(start, left, ".i") && g.has(left, len(g.scope), ".i") && g.r.IntN(4) == 0 {
			s = fmt.Sprintf("%s %sJOIN %s USING (%s)", s, pick(g.r, "", "LEFT ", "RIGHT ", "FULL "), right, pick(g.r, "i", "s", "dt, o", "d", "u"))
			continue
		}
		s = s + " " + kind + " " + right
		if kind != "CROSS JOIN" {
			s += " ON " + g.joinCond(left)
		}
		if strings.Contains(kind, "SEMI") || strings.Contains(kind, "ANTI") {
			g.scope = g.scope[:left]
		}
	}
	if g.r.IntN(6) == 0 {
		return g.lateralView(s)
	}
	return s
}

// lateralView adds the elements of an array or the parts of a text to FROM.
func (g *Gen) lateralView(from string) string {
	for range 1 + g.r.IntN(2) {
		k, a, outer := kind(g.r.IntN(2)), g.alias(), pick(g.r, "", "OUTER ")
		array := g.array(k)
		depth := g.depth
		g.depth = 9 // no subqueries here
		call := pick(g.r, fmt.Sprintf("explode(%s) %s AS c0", array, a), fmt.Sprintf("posexplode(%s) %s AS p, c0", array, a),
			fmt.Sprintf("explode(CASE WHEN %s THEN %s END) %s AS c0", g.cond(1), array, a))
		if k == text && g.r.IntN(2) == 0 {
			call = fmt.Sprintf("explode_split(%s, 'a') %s AS c0", g.column(text), a)
		}
		g.depth = depth
		from += " LATERAL VIEW " + outer + call
		g.scope = append(g.scope, ref{a + ".c0", k})
		if strings.HasPrefix(call, "pos") {
			g.scope = append(g.scope, ref{a + ".p", number})
		}
	}
	return from
}

// array is an array of up to four elements of a kind, at times changed by a lambda.
func (g *Gen) array(k kind) string {
	items := []string{g.column(k)}
	for range g.r.IntN(4) {
		items = append(items, pick(g.r, g.column(k), g.column(k), "NULL"))
	}
	a := "array(" + strings.Join(items, ", ") + ")"
	if g.r.IntN(3) == 0 {
		a = fmt.Sprintf("array_filter(e -> e %s %s, %s)", pick(g.r, "<", ">", "<>"), g.column(k), a)
	}
	if g.r.IntN(4) == 0 {
		a = fmt.Sprintf("array_map(e -> coalesce(e, %s), %s)", g.column(k), a)
	}
	return a
}

// ofArray is a value computed from an array.
func (g *Gen) ofArray(k kind) string {
	switch {
	case k == boolean:
		of := kind(g.r.IntN(2))
		return fmt.Sprintf("any_match(%s, e -> e > %s)", g.array(of), g.column(of))
	case k == number && g.r.IntN(2) == 0:
		return "size(" + g.array(text) + ")"
	case g.r.IntN(2) == 0:
		return fmt.Sprintf("array_first(e -> e <> %s, %s)", g.column(k), g.array(k))
	}
	return fmt.Sprintf("element_at(%s, %d)", g.array(k), g.r.IntN(5)-2)
}

// has reports whether one of the columns from lo to hi in scope has a name that ends so. The
// columns of a stored table have.
func (g *Gen) has(lo, hi int, suffix string) bool {
	return slices.ContainsFunc(g.scope[lo:hi], func(c ref) bool { return strings.HasSuffix(c.name, suffix) })
}

// joinCond is an equality of both sides mostly, with extras at times.
func (g *Gen) joinCond(left int) string {
	l, r := g.scope[:left], g.scope[left:]
	for range 20 {
		a, b := pick(g.r, l...), pick(g.r, r...)
		if a.kind == b.kind {
			op := pick(g.r, "=", "=", "=", "=", "<=>", "<")
			c := a.name + " " + op + " " + b.name
			if g.r.IntN(4) == 0 {
				depth := g.depth
				g.depth = 9 // no subqueries here
				c += " AND " + g.cond(1)
				g.depth = depth
			}
			return c
		}
	}
	return "true"
}

func (g *Gen) alias() string { g.next++; return fmt.Sprintf("x%d", g.next) }

func (g *Gen) table() string {
	a := g.alias()
	if g.depth < 3 && g.r.IntN(6) == 0 {
		saved := g.scope
		g.scope = nil // derived tables see nothing outside
		q, kinds := g.query(nil)
		g.scope = saved
		if g.r.IntN(4) == 0 {
			q += g.order(kinds)
		}
		g.outputs(a, kinds)
		return "(" + q + ") " + a
	}
	if len(g.ctes) > 0 && g.r.IntN(3) == 0 {
		c := pick(g.r, g.ctes...)
		g.outputs(a, c.kinds)
		return c.name + " " + a
	}
	if g.r.IntN(15) == 0 {
		return g.values(a)
	}
	for _, c := range columns {
		g.scope = append(g.scope, ref{a + "." + c.name, c.kind})
	}
	return fmt.Sprintf("t%d %s", g.r.IntN(3), a)
}

// outputs brings the outputs of a derived table into scope.
func (g *Gen) outputs(alias string, kinds []kind) {
	for i, k := range kinds {
		g.scope = append(g.scope, ref{fmt.Sprintf("%s.c%d", alias, i), k})
	}
}

// values is a table of constants.
func (g *Gen) values(alias string) string {
	var kinds []kind
	var names, rows []string
	for i := range 1 + g.r.IntN(2) {
		kinds = append(kinds, kind(g.r.IntN(4)))
		names = append(names, fmt.Sprintf("c%d", i))
	}
	for i := range 1 + g.r.IntN(4) {
		var row []string
		for _, k := range kinds {
			c := g.constant(k)
			if i > 0 && g.r.IntN(4) == 0 {
				c = "NULL"
			}
			row = append(row, c)
		}
		rows = append(rows, "("+strings.Join(row, ", ")+")")
	}
	g.outputs(alias, kinds)
	return fmt.Sprintf("(VALUES %s) %s(%s)", strings.Join(rows, ", "), alias, strings.Join(names, ", "))
}

// column names one of the kind in scope, or gives a literal.
func (g *Gen) column(k kind) string {
	var fit []string
	for _, c := range g.scope {
		if c.kind == k {
			fit = append(fit, c.name)
		}
	}
	if len(fit) == 0 || g.r.IntN(6) == 0 {
		return g.constant(k)
	}
	return pick(g.r, fit...)
}

func (g *Gen) constant(k kind) string {
	switch k {
	case number:
		return pick(g.r, "0", "1", "2", "-1", "0.5", "3")
	case text:
		return "'" + pick(g.r, words...) + "'"
	case date:
		return pick(g.r, "date '1995-02-28'", "date '1996-02-29'", "date '1970-01-01'")
	}
	return pick(g.r, "true", "false")
}

func (g *Gen) expr(k kind, depth int) string {
	if depth == 0 || g.r.IntN(3) == 0 {
		return g.column(k)
	}
	if g.r.IntN(6) == 0 {
		return fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", g.cond(depth-1), g.expr(k, depth-1), g.expr(k, depth-1))
	}
	if k != date && g.r.IntN(16) == 0 {
		return g.ofArray(k)
	}
	if g.r.IntN(8) == 0 {
		return fmt.Sprintf("coalesce(%s, %s)", g.expr(k, depth-1), g.expr(k, depth-1))
	}
	if g.depth < 3 && g.r.IntN(10) == 0 {
		return g.scalarSubquery(k)
	}
	if g.r.IntN(3) == 0 {
		return g.function(k, depth)
	}
	switch k {
	case number:
		switch g.r.IntN(5) {
		case 0:
			return fmt.Sprintf("(%s + %s)", g.expr(k, depth-1), g.column(k))
		case 1:
			return fmt.Sprintf("(%s - %s)", g.expr(k, depth-1), g.column(k))
		case 2:
			return fmt.Sprintf("abs(%s)", g.expr(k, depth-1))
		case 3:
			return fmt.Sprintf("length(%s)", g.column(text))
		}
		return fmt.Sprintf("nullif(%s, %s)", g.column(k), g.column(k))
	case text:
		if g.r.IntN(2) == 0 {
			return fmt.Sprintf("concat(%s, %s)", g.expr(k, depth-1), g.column(k))
		}
	case boolean:
		return "(" + g.cond(depth-1) + ")"
	}
	return g.column(k)
}

// scalarSubquery yields one value always: an aggregate without GROUP BY.
func (g *Gen) scalarSubquery(k kind) string {
	outer := len(g.scope)
	defer func() { g.scope = g.scope[:outer] }()
	g.depth++
	defer func() { g.depth-- }()
	from := g.from()
	mine := g.scope[outer:]
	agg := "min"
	if k == number {
		agg = pick(g.r, "min", "max", "count")
	}
	arg := g.ofKind(mine, k)
	q := fmt.Sprintf("(SELECT %s(%s) FROM %s", agg, arg, from)
	if g.r.IntN(4) > 0 {
		q += " WHERE " + g.cond(1)
	}
	return q + ")"
}

// ofKind names a column of the kind among refs, or gives a constant.
func (g *Gen) ofKind(refs []ref, k kind) string {
	var fit []string
	for _, c := range refs {
		if c.kind == k {
			fit = append(fit, c.name)
		}
	}
	if len(fit) == 0 {
		return g.constant(k)
	}
	return pick(g.r, fit...)
}

// grouped is an output of a grouped query: a key, or an aggregate of its kind.
func (g *Gen) grouped(k kind, mine []ref, keys []string, kinds map[string]kind) string {
	var fit []string
	for _, name := range keys {
		if kinds[name] == k {
			fit = append(fit, name)
		}
	}
	if len(fit) > 0 && g.r.IntN(2) == 0 {
		return pick(g.r, fit...)
	}
	if k == number {
		switch g.r.IntN(9) {
		case 0:
			return "count(*)"
		case 4:
			return fmt.Sprintf("%s(DISTINCT %s)", pick(g.r, "sum", "avg"), g.ofKind(mine, number))
		case 5:
			return fmt.Sprintf("count(DISTINCT %s, %s)", g.ofKind(mine, kind(g.r.IntN(4))), g.ofKind(mine, kind(g.r.IntN(4))))
		case 6:
			return fmt.Sprintf("%s(if(%s IS NULL, %s, 1))", pick(g.r, "sum", "count", "min"), g.ofKind(mine, kind(g.r.IntN(4))), g.ofKind(mine, number))
		case 1:
			return fmt.Sprintf("count(DISTINCT %s)", g.ofKind(mine, kind(g.r.IntN(3))))
		case 2:
			return fmt.Sprintf("sum(%s)", g.ofKind(mine, number))
		case 3:
			return fmt.Sprintf("avg(%s)", g.ofKind(mine, number))
		}
	}
	return fmt.Sprintf("%s(%s)", pick(g.r, "min", "max"), g.ofKind(mine, k))
}

func (g *Gen) cond(depth int) string {
	if depth > 0 {
		switch g.r.IntN(7) {
		case 0:
			return fmt.Sprintf("(%s AND %s)", g.cond(depth-1), g.cond(depth-1))
		case 1:
			return fmt.Sprintf("(%s OR %s)", g.cond(depth-1), g.cond(depth-1))
		case 2:
			return fmt.Sprintf("NOT (%s)", g.cond(depth-1))
		case 3:
			if g.depth < 3 {
				return g.subqueryCond()
			}
		}
	}
	k := kind(g.r.IntN(3))
	switch g.r.IntN(6) {
	case 0:
		return fmt.Sprintf("%s IS %sNULL", g.column(k), pick(g.r, "", "NOT "))
	case 1:
		list := g.constant(k)
		for range 1 + g.r.IntN(3) {
			list += ", " + pick(g.r, g.constant(k), g.constant(k), g.constant(k), g.constant(k), "NULL", g.column(k))
		}
		return fmt.Sprintf("%s %sIN (%s)", g.column(k), pick(g.r, "", "NOT "), list)
	case 2:
		return fmt.Sprintf("%s BETWEEN %s AND %s", g.column(k), g.column(k), g.column(k))
	case 3:
		return fmt.Sprintf("%s LIKE '%s'", g.column(text), pick(g.r, "a%", "%b%", "_", "%", "%e", "a_c"))
	}
	return fmt.Sprintf("%s %s %s", g.expr(k, 1), pick(g.r, "=", "<>", "<", "<=", ">", ">=", "<=>"), g.column(k))
}

// subqueryCond is EXISTS, IN or a quantified comparison, correlated at times.
func (g *Gen) subqueryCond() string {
	k := kind(g.r.IntN(3))
	left := g.column(k)
	if g.r.IntN(3) == 0 {
		q, _ := g.query(nil)
		return pick(g.r, "", "NOT ") + "EXISTS (" + q + ")"
	}
	q, _ := g.query([]kind{k})
	if g.r.IntN(4) == 0 {
		return fmt.Sprintf("%s %s %s (%s)", left, pick(g.r, "=", "<", ">=", "<>"), pick(g.r, "ANY", "ALL"), q)
	}
	return fmt.Sprintf("%s %sIN (%s)", left, pick(g.r, "", "NOT "), q)
}
