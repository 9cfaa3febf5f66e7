package parser

import (
	"sort"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	tast "github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/opcode"
)

// converter turns a tree of the TiDB parser into ours and puts back what the marks
// hold. It goes with the parser whose marks the tree names.
//
// Positions come from the marks: each converted expression is returned with its first
// token, and an operator is the token before its right operand.
type converter struct {
	p     *parser
	depth int
}

func (c *converter) enter() {
	c.depth++
	if c.depth > maxDepth {
		panic(bail{sqlerr.New(sqlerr.Syntax, "an expression is nested too deeply (more than %d levels)", maxDepth).At(0)})
	}
}

// lost reports a shape that rewriting never emits.
func (c *converter) lost(tok int) {
	c.p.failAt(min(tok, len(c.p.toks)-1), "")
}

// expr converts n and returns the first token of it.
func (c *converter) expr(n tast.ExprNode) (ast.Expr, int) {
	c.enter()
	defer func() { c.depth-- }()
	switch n := n.(type) {
	case *tast.ColumnNameExpr:
		_, m := c.p.markOf(n.Name.Name.O)
		if m != nil {
			if e, ok := m.payload.(ast.Expr); ok {
				return e, m.tok
			}
		}
		c.lost(0)
	case *tast.FuncCallExpr:
		return c.call(n)
	case *tast.ParenthesesExpr:
		return c.expr(n.Expr)
	case *tast.BinaryOperationExpr:
		return c.binary(n)
	case *tast.UnaryOperationExpr:
		return c.unary(n)
	case *tast.IsNullExpr:
		x, first := c.expr(n.Expr)
		return &ast.IsNull{Pos: c.pos(first), X: x, Not: n.Not}, first
	case *tast.IsTruthExpr:
		x, first := c.expr(n.Expr)
		return &ast.IsTruth{Pos: c.pos(first), X: x, Not: n.Not, True: n.True != 0}, first
	case *tast.BetweenExpr:
		x, first := c.expr(n.Expr)
		lo, _ := c.expr(n.Left)
		hi, _ := c.expr(n.Right)
		return &ast.Between{Pos: c.pos(first), X: x, Lo: lo, Hi: hi, Not: n.Not}, first
	case *tast.PatternInExpr:
		return c.in(n)
	case *tast.PatternLikeOrIlikeExpr:
		x, first := c.expr(n.Expr)
		pattern, _ := c.expr(n.Pattern)
		l := &ast.Like{Pos: c.pos(first), X: x, Pattern: pattern, Not: n.Not}
		if n.EscapeExplicit && n.Escape != '\\' {
			l.Escape = string(rune(n.Escape))
		}
		return l, first
	case *tast.PatternRegexpExpr:
		x, first := c.expr(n.Expr)
		pattern, _ := c.expr(n.Pattern)
		return &ast.Like{Pos: c.pos(first), X: x, Pattern: pattern, Not: n.Not, Regexp: true}, first
	case *tast.RowExpr:
		return c.row(n)
	case *tast.SubqueryExpr:
		q := c.query(n.Query)
		first := c.tokenAt(q.Position()) - 1
		return &ast.Subquery{Pos: c.pos(first), Query: q}, first
	case *tast.ExistsSubqueryExpr:
		return c.exists(n)
	case *tast.CompareSubqueryExpr:
		x, first := c.expr(n.L)
		sub, ok := n.R.(*tast.SubqueryExpr)
		if !ok {
			break
		}
		return &ast.Quantified{Pos: c.pos(first), X: x, Op: operators[n.Op], All: n.All, Query: c.query(sub.Query)}, first
	}
	c.lost(0)
	return nil, 0
}

// pos is where token tok begins in the user's text.
func (c *converter) pos(tok int) ast.Pos {
	if tok < 0 || tok >= len(c.p.toks) {
		return -1
	}
	return ast.Pos(c.p.toks[tok].start)
}

// tokenAt is the token that begins at byte offset pos, or the next one after it.
func (c *converter) tokenAt(pos int) int {
	toks := c.p.toks
	return sort.Search(len(toks)-1, func(i int) bool { return toks[i].start >= pos })
}

// before is the token before tok, brackets passed over.
func (c *converter) before(tok int) int {
	for tok--; tok > 0 && c.p.toks[tok].isOp("("); tok-- {
	}
	return max(tok, 0)
}

// call converts the arguments of a mark and gives them to its node.
func (c *converter) call(n *tast.FuncCallExpr) (ast.Expr, int) {
	index, m := c.p.markOf(n.FnName.O)
	if m == nil {
		return c.concat(n)
	}
	tok := c.fill(index, n.Args)
	e, ok := c.p.marks[index].payload.(ast.Expr)
	if !ok {
		c.lost(tok)
	}
	return e, tok
}

// fill converts arguments and puts them where the mark says.
func (c *converter) fill(index int, exprs []tast.ExprNode) int {
	m := c.p.marks[index]
	if len(exprs) != len(m.args)+len(m.holes) {
		c.lost(m.tok)
	}
	for i, a := range exprs {
		e, _ := c.expr(a)
		if i < len(m.args) {
			m.args[i] = e
		} else {
			m.holes[i-len(m.args)](e)
		}
	}
	return m.tok
}

// concat is what the TiDB parser makes of || under PIPES_AS_CONCAT.
func (c *converter) concat(n *tast.FuncCallExpr) (ast.Expr, int) {
	if n.FnName.L != "concat" || len(n.Args) != 2 {
		c.lost(0)
	}
	l, first := c.expr(n.Args[0])
	r, right := c.expr(n.Args[1])
	return &ast.Binary{Pos: c.pos(c.before(right)), Op: "||", L: l, R: r}, first
}

// operators maps the TiDB parser's operators to ours.
var operators = map[opcode.Op]string{
	opcode.LogicAnd: "AND", opcode.LogicOr: "OR", opcode.LogicXor: "XOR",
	opcode.EQ: "=", opcode.NullEQ: "<=>", opcode.NE: "<>", opcode.LT: "<", opcode.LE: "<=", opcode.GT: ">", opcode.GE: ">=",
	opcode.Plus: "+", opcode.Minus: "-", opcode.Mul: "*", opcode.Div: "/", opcode.IntDiv: "DIV", opcode.Mod: "%",
	opcode.And: "&", opcode.Or: "|", opcode.Xor: "^", opcode.LeftShift: "<<", opcode.RightShift: ">>",
}

func (c *converter) binary(n *tast.BinaryOperationExpr) (ast.Expr, int) {
	op, ok := operators[n.Op]
	if !ok {
		c.lost(0)
	}
	l, first := c.expr(n.L)
	r, right := c.expr(n.R)
	at := c.before(right)
	b := &ast.Binary{Pos: c.pos(at), Op: op, L: l, R: r}
	if op == "<=>" && c.p.toks[at].is("FROM") { // IS [NOT] DISTINCT FROM
		if !c.p.toks[at-2].is("NOT") {
			b.Pos = c.pos(at - 2)
			return &ast.Unary{Pos: b.Pos, Op: "NOT", X: b}, first
		}
		b.Pos = c.pos(at - 3)
	}
	return b, first
}

func (c *converter) unary(n *tast.UnaryOperationExpr) (ast.Expr, int) {
	op := ""
	switch n.Op {
	case opcode.Not, opcode.Not2:
		op = "NOT"
	case opcode.Minus:
		op = "-"
	case opcode.Plus:
		op = "+"
	case opcode.BitNeg:
		op = "~"
	default:
		c.lost(0)
	}
	x, first := c.expr(n.V)
	at := c.before(first)
	return &ast.Unary{Pos: c.pos(at), Op: op, X: x}, at
}

func (c *converter) in(n *tast.PatternInExpr) (ast.Expr, int) {
	x, first := c.expr(n.Expr)
	e := &ast.In{Pos: c.pos(first), X: x, Not: n.Not}
	if n.Sel != nil {
		sub, ok := n.Sel.(*tast.SubqueryExpr)
		if !ok {
			c.lost(first)
		}
		e.Query = c.query(sub.Query)
		return e, first
	}
	if col, ok := n.List[0].(*tast.ColumnNameExpr); ok {
		if _, m := c.p.markOf(col.Name.Name.O); m != nil {
			if l, isList := m.payload.(*listMark); isList {
				e.List = l.list
				return e, first
			}
		}
	}
	e.List = make([]ast.Expr, len(n.List))
	for i, item := range n.List {
		e.List[i], _ = c.expr(item)
	}
	return e, first
}

func (c *converter) row(n *tast.RowExpr) (ast.Expr, int) {
	r := &ast.Row{Items: make([]ast.Expr, len(n.Values))}
	first := 0
	for i, v := range n.Values {
		e, tok := c.expr(v)
		if i == 0 {
			first = max(tok-1, 0)
		}
		r.Items[i] = e
	}
	if first > 0 && c.p.toks[first-1].is("ROW") {
		first--
	}
	r.Pos = c.pos(first)
	return r, first
}

func (c *converter) exists(n *tast.ExistsSubqueryExpr) (ast.Expr, int) {
	sub, ok := n.Sel.(*tast.SubqueryExpr)
	if !ok {
		c.lost(0)
	}
	q := c.query(sub.Query)
	first := c.before(c.tokenAt(q.Position()))
	var e ast.Expr = &ast.Exists{Pos: c.pos(first), Query: q}
	if n.Not {
		first = c.before(first)
		e = &ast.Unary{Pos: c.pos(first), Op: "NOT", X: e}
	}
	return e, first
}
