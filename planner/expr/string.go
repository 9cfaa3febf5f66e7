package expr

import (
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// String is e as EXPLAIN shows it: operators infix, columns by name.
func String(e Expr) string {
	var p printer
	p.expr(e, 0)
	return p.b.String()
}

// StringIDs is String with every column as name#id, for tests that look at identity.
func StringIDs(e Expr) string {
	p := printer{ids: true}
	p.expr(e, 0)
	return p.b.String()
}

// StringPlans is String where plan prints the plan of a subquery.
func StringPlans(e Expr, ids bool, plan func(Plan) string) string {
	p := printer{ids: ids, plan: plan}
	p.expr(e, 0)
	return p.b.String()
}

type printer struct {
	b    strings.Builder
	ids  bool
	plan func(Plan) string
}

// Binding strengths, weakest first; an operand is parenthesized when it binds weaker
// than its place demands.
const (
	bindOr = iota + 1
	bindAnd
	bindNot
	bindCompare
	bindBits
	bindAdd
	bindMul
	bindUnary
	bindAtom
)

var infix = map[string]int{
	"or": bindOr, "xor": bindOr, "and": bindAnd,
	"=": bindCompare, "<=>": bindCompare, "<>": bindCompare, "<": bindCompare, "<=": bindCompare, ">": bindCompare,
	">=": bindCompare, "like": bindCompare, "regexp": bindCompare,
	"|": bindBits, "&": bindBits, "^": bindBits, "<<": bindBits, ">>": bindBits,
	"+": bindAdd, "-": bindAdd, "*": bindMul, "/": bindMul, "div": bindMul, "%": bindMul,
}

func (p *printer) expr(e Expr, strength int) {
	switch e := e.(type) {
	case *Column:
		p.b.WriteString(e.Name)
		if p.ids {
			p.b.WriteString("#" + strconv.Itoa(int(e.ID)))
		}
	case *Field:
		p.b.WriteString(e.Name)
		if p.ids {
			p.b.WriteString("$" + strconv.Itoa(int(e.Index)))
		}
	case *Literal:
		p.b.WriteString(literalText(e.Value))
	case *Call:
		p.call(e, strength)
	case *Lambda:
		if len(e.Params) == 1 {
			p.b.WriteString(e.Params[0])
		} else {
			p.b.WriteString("(" + strings.Join(e.Params, ", ") + ")")
		}
		p.b.WriteString(" -> ")
		p.expr(e.open(), 0)
	case *Aggregate:
		p.aggregate(e)
	case *Window:
		p.window(e)
	case *Subquery:
		p.subquery(e)
	default:
		panic(invariant.Failed("text of %T", e))
	}
}

func (p *printer) call(e *Call, strength int) {
	name := e.Fn.Name
	own, isInfix := infix[name]
	switch {
	case isInfix && len(e.Args) >= 2:
		p.infix(e, own, strength)
		return
	case name == "not" && len(e.Args) == 1:
		p.open(bindNot < strength)
		p.b.WriteString("not ")
		p.expr(e.Args[0], bindNot)
		p.close(bindNot < strength)
		return
	case name == "neg" && len(e.Args) == 1:
		p.b.WriteString("-")
		p.expr(e.Args[0], bindUnary+1)
		return
	case (name == "is_null" || name == "is_not_null") && len(e.Args) == 1:
		p.open(bindCompare < strength)
		p.expr(e.Args[0], bindCompare+1)
		p.b.WriteString(map[string]string{"is_null": " is null", "is_not_null": " is not null"}[name])
		p.close(bindCompare < strength)
		return
	case name == "in" && len(e.Args) > 1:
		p.open(bindCompare < strength)
		p.expr(e.Args[0], bindCompare+1)
		p.b.WriteString(" in ")
		p.list(e.Args[1:])
		p.close(bindCompare < strength)
		return
	case (name == "cast" || name == "try_cast") && len(e.Args) == 1:
		p.b.WriteString(name + "(")
		p.expr(e.Args[0], 0)
		p.b.WriteString(" as " + e.Fn.Result.String() + ")")
		return
	case name == "case" && len(e.Args)%2 == 1:
		p.b.WriteString("case")
		for i := 0; i+1 < len(e.Args); i += 2 {
			p.b.WriteString(" when ")
			p.expr(e.Args[i], 0)
			p.b.WriteString(" then ")
			p.expr(e.Args[i+1], 0)
		}
		p.b.WriteString(" else ")
		p.expr(e.Args[len(e.Args)-1], 0)
		p.b.WriteString(" end")
		return
	}
	p.b.WriteString(name)
	p.list(e.Args)
}

func (p *printer) infix(e *Call, own, strength int) {
	p.open(own < strength)
	for i, a := range e.Args {
		need := own
		switch {
		case i > 0:
			p.b.WriteString(" " + e.Fn.Name + " ")
			if e.Fn.Name != "and" && e.Fn.Name != "or" {
				need = own + 1
			}
		case own == bindCompare:
			need = own + 1
		}
		p.expr(a, need)
	}
	p.close(own < strength)
}

func (p *printer) open(yes bool) {
	if yes {
		p.b.WriteByte('(')
	}
}

func (p *printer) close(yes bool) {
	if yes {
		p.b.WriteByte(')')
	}
}

func (p *printer) list(args []Expr) {
	p.b.WriteByte('(')
	for i, a := range args {
		if i > 0 {
			p.b.WriteString(", ")
		}
		p.expr(a, 0)
	}
	p.b.WriteByte(')')
}

func (p *printer) aggregate(e *Aggregate) {
	p.b.WriteString(e.Fn.Name + "(")
	if e.Distinct {
		p.b.WriteString("distinct ")
	}
	if len(e.Args) == 0 {
		p.b.WriteString("*")
	}
	for i, a := range e.Args {
		if i > 0 {
			p.b.WriteString(", ")
		}
		p.expr(a, 0)
	}
	if len(e.OrderBy) > 0 {
		p.b.WriteString(" order by ")
		p.keys(e.OrderBy)
	}
	p.b.WriteByte(')')
	if e.Filter != nil {
		p.b.WriteString(" filter (where ")
		p.expr(e.Filter, 0)
		p.b.WriteByte(')')
	}
}

func (p *printer) keys(keys []SortKey) {
	for i, k := range keys {
		if i > 0 {
			p.b.WriteString(", ")
		}
		p.expr(k.Expr, 0)
		if k.Desc {
			p.b.WriteString(" desc")
		}
		if k.NullsFirst == k.Desc { // not the default of the direction
			p.b.WriteString(map[bool]string{true: " nulls first", false: " nulls last"}[k.NullsFirst])
		}
	}
}

func (p *printer) subquery(e *Subquery) {
	if e.Negated {
		p.b.WriteString("not ")
	}
	switch e.Kind {
	case ExistsSubquery:
		p.b.WriteString("exists ")
	case InSubquery, QuantifiedSubquery:
		if len(e.Left) == 1 {
			p.expr(e.Left[0], bindCompare+1)
		} else {
			p.list(e.Left)
		}
		switch {
		case e.Kind == InSubquery:
			p.b.WriteString(" in ")
		case e.All:
			p.b.WriteString(" " + e.Op + " all ")
		default:
			p.b.WriteString(" " + e.Op + " any ")
		}
	}
	text := "subquery"
	if p.plan != nil {
		text = p.plan(e.Plan)
	}
	p.b.WriteString("(" + text + ")")
}

// KeysString is a list of sort keys as EXPLAIN shows it; directions and positions of
// NULLs are shown where they are not the default (ascending, NULLs first; descending, last).
func KeysString(keys []SortKey, ids bool) string {
	p := printer{ids: ids}
	p.keys(keys)
	return p.b.String()
}

// literalText is a constant as it could be written in SQL.
func literalText(v vector.Value) string {
	if v.Null {
		return "NULL"
	}
	switch v.Type.Kind {
	case sqltype.Boolean:
		if v.IsTrue() {
			return "TRUE"
		}
		return "FALSE"
	case sqltype.Date:
		return "DATE '" + v.Text() + "'"
	case sqltype.DateTime, sqltype.Timestamp, sqltype.Time:
		return "'" + v.Text() + "'"
	case sqltype.Char, sqltype.Varchar, sqltype.String, sqltype.Binary, sqltype.JSON:
		return "'" + strings.ReplaceAll(v.S, "'", "''") + "'"
	}
	return v.Text()
}
