package ast

import (
	"fmt"
	"strings"
)

// Binding strength, weakest first. What binds weaker than its place gets brackets.
const (
	bindOr = iota + 1
	bindXor
	bindAnd
	bindNot
	bindCompare // comparisons, IS, IN, LIKE, BETWEEN
	bindBitOr
	bindBitAnd
	bindShift
	bindAdd
	bindMul
	bindBitXor
	bindConcat // || under PIPES_AS_CONCAT
	bindUnary
	bindPrimary
)

var bindings = map[string]int{
	"OR": bindOr, "XOR": bindXor, "AND": bindAnd,
	"=": bindCompare, "<=>": bindCompare, "<>": bindCompare, "<": bindCompare, "<=": bindCompare, ">": bindCompare, ">=": bindCompare,
	"|": bindBitOr, "&": bindBitAnd, "<<": bindShift, ">>": bindShift, "+": bindAdd, "-": bindAdd,
	"*": bindMul, "/": bindMul, "DIV": bindMul, "%": bindMul, "^": bindBitXor, "||": bindConcat,
	"->": bindPrimary, "->>": bindPrimary,
}

func binding(e Expr) int {
	switch e := e.(type) {
	case *Binary:
		return bindings[e.Op]
	case *Unary:
		if e.Op == "NOT" {
			return bindNot
		}
		return bindUnary
	case *IsNull, *IsTruth, *Between, *In, *Like, *Quantified:
		return bindCompare
	case *Lambda:
		return 0
	}
	return bindPrimary
}

// operand prints e, in brackets when it binds weaker than least.
func (f *formatter) operand(e Expr, least int) {
	if binding(e) >= least {
		f.expr(e)
		return
	}
	f.text("(")
	f.expr(e)
	f.text(")")
}

func (f *formatter) exprs(list []Expr) {
	f.list(len(list), func(i int) { f.expr(list[i]) })
}

func (f *formatter) expr(e Expr) {
	switch e := e.(type) {
	case *Column:
		f.column(e)
	case *Literal:
		f.literal(e)
	case *Interval:
		f.text("INTERVAL ")
		f.operand(e.Value, bindPrimary)
		f.text(" ", e.Unit)
	case *Param:
		f.text("?")
	case *Variable:
		f.variable(e)
	case *Unary:
		f.when(e.Op == "NOT", "NOT ")
		f.when(e.Op != "NOT", e.Op)
		if e.Op == "NOT" {
			f.operand(e.X, bindNot)
		} else {
			f.operand(e.X, bindPrimary)
		}
	case *Binary:
		f.binary(e)
	case *IsNull:
		f.operand(e.X, bindBitOr)
		f.text(" IS ")
		f.when(e.Not, "NOT ")
		f.text("NULL")
	case *IsTruth:
		f.operand(e.X, bindBitOr)
		f.text(" IS ")
		f.when(e.Not, "NOT ")
		f.when(e.True, "TRUE")
		f.when(!e.True, "FALSE")
	case *Between:
		f.operand(e.X, bindBitOr)
		f.when(e.Not, " NOT")
		f.text(" BETWEEN ")
		f.operand(e.Lo, bindBitOr)
		f.text(" AND ")
		f.operand(e.Hi, bindBitOr)
	case *In:
		f.in(e)
	case *Like:
		f.like(e)
	case *Exists:
		f.text("EXISTS ")
		f.subquery(e.Query)
	case *Subquery:
		f.subquery(e.Query)
	case *Quantified:
		f.operand(e.X, bindBitOr)
		f.text(" ", e.Op)
		f.when(e.All, " ALL ")
		f.when(!e.All, " ANY ")
		f.subquery(e.Query)
	default:
		f.compound(e)
	}
}

// compound prints the expressions that carry their own brackets.
func (f *formatter) compound(e Expr) {
	switch e := e.(type) {
	case *Case:
		f.caseExpr(e)
	case *Cast:
		f.when(e.Try, "TRY_")
		f.text("CAST(")
		f.expr(e.X)
		f.text(" AS ")
		f.typeName(e.Type)
		f.text(")")
	case *Call:
		f.call(e)
	case *Row:
		f.when(len(e.Items) < 2, "ROW")
		f.text("(")
		f.exprs(e.Items)
		f.text(")")
	case *Subscript:
		f.base(e.X)
		f.text("[")
		f.expr(e.Index)
		f.text("]")
	case *Field:
		f.base(e.X)
		f.text(".")
		f.name(e.Name)
	case *ArrayLit:
		f.text("[")
		f.exprs(e.Items)
		f.text("]")
	case *MapLit:
		f.text("{")
		f.list(len(e.Keys), func(i int) {
			if _, isColumn := e.Keys[i].(*Column); isColumn { // {a: 1} would be a struct
				f.base(e.Keys[i])
			} else {
				f.expr(e.Keys[i])
			}
			f.text(": ")
			f.expr(e.Values[i])
		})
		f.text("}")
	case *Lambda:
		f.nameList(e.Params)
		f.text(" -> ")
		f.expr(e.Body)
	case *Default:
		f.text("DEFAULT")
	case *MaxValue:
		f.text("MAXVALUE")
	default:
		panic(fmt.Sprintf("ast: no format for %T", e))
	}
}

// base prints what a subscript or a field follows. A column stands in brackets, or
// the field would be read as a part of its name; so does a number.
func (f *formatter) base(e Expr) {
	switch e.(type) {
	case *Subscript, *Field, *Call, *ArrayLit, *Subquery:
		f.expr(e)
	default:
		f.text("(")
		f.expr(e)
		f.text(")")
	}
}

func (f *formatter) column(c *Column) {
	for _, part := range []string{c.Database, c.Table} {
		if part != "" {
			f.name(part)
			f.text(".")
		}
	}
	f.name(c.Name)
}

func (f *formatter) literal(l *Literal) {
	switch l.Kind {
	case NullLit:
		f.text("NULL")
	case BoolLit:
		f.text(strings.ToUpper(l.Text))
	case StringLit:
		f.str(l.Text)
	case HexLit:
		f.text("x'", fmt.Sprintf("%x", l.Text), "'")
	case BitLit:
		f.text("b'")
		for i := range len(l.Text) {
			f.text(fmt.Sprintf("%08b", l.Text[i]))
		}
		f.text("'")
	case DateLit:
		f.text("DATE ")
		f.str(l.Text)
	case TimestampLit:
		f.text("TIMESTAMP ")
		f.str(l.Text)
	case TimeLit:
		f.text("TIME ")
		f.str(l.Text)
	default:
		f.text(l.Text)
	}
}

func (f *formatter) variable(v *Variable) {
	f.text("@")
	name := v.Name
	if v.System {
		f.text("@")
		if v.Scope != "" {
			name = v.Scope + "." + name
		}
	}
	for _, part := range strings.Split(name, ".") {
		if !plainName.MatchString(part) {
			f.text("`", strings.ReplaceAll(name, "`", "``"), "`")
			return
		}
	}
	f.text(name)
}

func (f *formatter) binary(b *Binary) {
	own := bindings[b.Op]
	switch own {
	case bindCompare:
		f.operand(b.L, bindBitOr)
		f.text(" ", b.Op, " ")
		f.operand(b.R, bindBitOr)
	case bindPrimary: // a JSON path; in brackets, or f(x -> 'a') would be a lambda
		f.text("(")
		if c, ok := b.L.(*Column); ok {
			f.column(c)
		} else {
			f.base(b.L)
		}
		f.text(" ", b.Op, " ")
		f.expr(b.R)
		f.text(")")
	default:
		f.operand(b.L, own)
		f.text(" ", b.Op, " ")
		f.operand(b.R, own+1)
	}
}

func (f *formatter) in(e *In) {
	f.operand(e.X, bindBitOr)
	f.when(e.Not, " NOT")
	f.text(" IN ")
	if e.Query != nil {
		f.subquery(e.Query)
		return
	}
	f.text("(")
	f.exprs(e.List)
	f.text(")")
}

func (f *formatter) like(e *Like) {
	f.operand(e.X, bindBitOr)
	f.when(e.Not, " NOT")
	f.when(e.Regexp, " REGEXP ")
	f.when(!e.Regexp, " LIKE ")
	f.operand(e.Pattern, bindPrimary)
	if e.Escape != "" {
		f.text(" ESCAPE ")
		f.str(e.Escape)
	}
}

func (f *formatter) caseExpr(e *Case) {
	f.text("CASE")
	if e.Operand != nil {
		f.text(" ")
		f.operand(e.Operand, bindOr)
	}
	for _, w := range e.Whens {
		f.text(" WHEN ")
		f.expr(w.Cond)
		f.text(" THEN ")
		f.expr(w.Then)
	}
	if e.Else != nil {
		f.text(" ELSE ")
		f.expr(e.Else)
	}
	f.text(" END")
}

func (f *formatter) call(c *Call) {
	if c.Database != "" {
		f.name(c.Database)
		f.text(".")
	}
	if c.Database == "" && c.Name == "convert" && len(c.Args) == 2 {
		if charset, ok := c.Args[1].(*Literal); ok {
			f.text("convert(")
			f.expr(c.Args[0])
			f.text(" USING ")
			f.str(charset.Text)
			f.text(")")
			return
		}
	}
	f.function(c.Name)
	f.text("(")
	f.when(c.Distinct, "DISTINCT ")
	f.when(c.Star, "*")
	f.list(len(c.Args), func(i int) {
		if i == 0 && c.Name == "position" {
			f.operand(c.Args[i], bindPrimary) // IN would end the argument
			return
		}
		f.expr(c.Args[i])
	})
	if len(c.OrderBy) > 0 {
		f.when(len(c.Args) > 0, " ")
		f.text("ORDER BY ")
		f.orderItems(c.OrderBy)
	}
	if c.Separator != nil {
		f.text(" SEPARATOR ")
		f.str(*c.Separator)
	}
	f.when(c.IgnoreNulls, " IGNORE NULLS")
	f.text(")")
	if c.Filter != nil {
		f.text(" FILTER (WHERE ")
		f.expr(c.Filter)
		f.text(")")
	}
	if c.Over != nil {
		f.text(" OVER ")
		f.window(c.Over)
	}
}

func (f *formatter) orderItems(list []OrderItem) {
	f.list(len(list), func(i int) {
		f.expr(list[i].Expr)
		f.when(list[i].Desc, " DESC")
		f.when(list[i].Nulls == NullsFirst, " NULLS FIRST")
		f.when(list[i].Nulls == NullsLast, " NULLS LAST")
	})
}

// window prints a name or ( … ).
func (f *formatter) window(w *WindowSpec) {
	f.text("(")
	sep := ""
	if w.Ref != "" {
		f.name(w.Ref)
		sep = " "
	}
	if len(w.PartitionBy) > 0 {
		f.text(sep, "PARTITION BY ")
		f.exprs(w.PartitionBy)
		sep = " "
	}
	if len(w.OrderBy) > 0 {
		f.text(sep, "ORDER BY ")
		f.orderItems(w.OrderBy)
		sep = " "
	}
	if w.Frame != nil {
		f.text(sep, w.Frame.Unit, " BETWEEN ")
		f.frameBound(w.Frame.Start)
		f.text(" AND ")
		f.frameBound(w.Frame.End)
	}
	f.text(")")
}

func (f *formatter) frameBound(b FrameBound) {
	switch b.Kind {
	case UnboundedPreceding:
		f.text("UNBOUNDED PRECEDING")
	case UnboundedFollowing:
		f.text("UNBOUNDED FOLLOWING")
	case CurrentRow:
		f.text("CURRENT ROW")
	case Preceding:
		f.operand(b.N, bindBitOr)
		f.text(" PRECEDING")
	case Following:
		f.operand(b.N, bindBitOr)
		f.text(" FOLLOWING")
	}
}
