package sqlgen

import "fmt"

// function calls one of the scalar functions that the reference evaluator knows.
func (g *Gen) function(k kind, depth int) string {
	a, b := g.expr(k, depth-1), g.column(k)
	n := func() string { return fmt.Sprint(g.r.IntN(7) - 2) }
	switch g.r.IntN(8) {
	case 0:
		return fmt.Sprintf("if(%s, %s, %s)", g.cond(depth-1), a, b)
	case 1:
		if k != boolean {
			return fmt.Sprintf("%s(%s, %s)", pick(g.r, "greatest", "least"), a, b)
		}
	case 2:
		return fmt.Sprintf("ifnull(%s, %s)", a, b)
	}
	switch k {
	case number:
		text, day := g.column(text), g.column(date)
		return pick(g.r,
			fmt.Sprintf("(%s * %s)", a, pick(g.r, "2", "0.5", "-1", "0")),
			fmt.Sprintf("(%s / %s)", a, pick(g.r, "2", "0.5", "-4", "0")),
			fmt.Sprintf("(%s %% %s)", a, pick(g.r, "2", "3", "-4", "0", b)),
			fmt.Sprintf("(%s div %s)", a, pick(g.r, "2", "3", "-4", "0", b)),
			fmt.Sprintf("(- %s)", a),
			fmt.Sprintf("%s(%s)", pick(g.r, "year", "month", "day", "quarter", "dayofweek"), day),
			fmt.Sprintf("datediff(%s, %s)", day, g.column(date)),
			fmt.Sprintf("%s(%s)", pick(g.r, "length", "char_length"), text),
			fmt.Sprintf("instr(%s, %s)", text, g.constant(kind(1))),
			fmt.Sprintf("CAST(%s AS %s)", a, pick(g.r, "INT", "BIGINT", "DOUBLE", "DECIMAL(12,1)", "DECIMAL(20,4)")),
			fmt.Sprintf("CAST(%s AS %s)", text, pick(g.r, "INT", "BIGINT")),
			fmt.Sprintf("%s(%s)", pick(g.r, "floor", "ceil", "round"), g.exact()),
			fmt.Sprintf("round(%s, %s)", g.exact(), pick(g.r, "0", "1", "-1")),
		)
	case text:
		return pick(g.r,
			fmt.Sprintf("%s(%s)", pick(g.r, "upper", "lower", "trim", "ltrim", "reverse"), a),
			fmt.Sprintf("substring(%s, %s, %s)", a, n(), n()),
			fmt.Sprintf("substring(%s, %s)", a, n()),
			fmt.Sprintf("%s(%s, %s)", pick(g.r, "left", "right"), a, n()),
			fmt.Sprintf("replace(%s, %s, %s)", a, g.constant(k), g.constant(k)),
			fmt.Sprintf("CAST(%s AS STRING)", pick(g.r, g.exact(), g.column(date))),
			fmt.Sprintf("concat(%s, CAST(%s AS STRING))", a, g.exact()),
		)
	case date:
		return pick(g.r,
			fmt.Sprintf("%s(%s, INTERVAL %s %s)", pick(g.r, "date_add", "date_sub"), a, n(), pick(g.r, "DAY", "MONTH", "YEAR")),
			fmt.Sprintf("last_day(%s)", a),
		)
	}
	return fmt.Sprintf("(%s) IS %s%s", g.cond(depth-1), pick(g.r, "", "NOT "), pick(g.r, "TRUE", "FALSE", "NULL"))
}

// exact names a number column that is no float, or gives a constant.
func (g *Gen) exact() string {
	var fit []string
	for _, c := range g.scope {
		if n := len(c.name); n > 2 && (c.name[n-2:] == ".i" || c.name[n-2:] == ".d" || c.name[n-2:] == ".b") {
			fit = append(fit, c.name)
		}
	}
	if len(fit) == 0 {
		return pick(g.r, "2.5", "-2.5", "-7", "1.25")
	}
	return pick(g.r, fit...)
}
