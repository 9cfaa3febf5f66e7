package bind

import (
	"fmt"
	"strings"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
)

// expr binds an expression that must be one value.
func (b *binder) expr(s *scope, e ast.Expr) (expr.Expr, error) {
	switch e := e.(type) {
	case *ast.Column:
		return b.column(s, e)
	case *ast.Literal:
		return literal(e, false)
	case *ast.Param:
		return b.param(e)
	case *ast.Variable:
		return b.variable(e)
	case *ast.ArrayLit:
		return b.arrayLiteral(s, e)
	case *ast.MapLit:
		return b.mapLiteral(s, e)
	case *ast.Subscript:
		return b.subscript(s, e)
	case *ast.Field:
		return b.field(s, e)
	case *ast.Unary:
		return b.unary(s, e)
	case *ast.Binary:
		return b.binary(s, e)
	case *ast.IsNull:
		name := "is_null"
		if e.Not {
			name = "is_not_null"
		}
		return b.callOf(s, e, name, e.X)
	case *ast.IsTruth:
		return b.isTruth(s, e)
	case *ast.Between:
		return b.between(s, e)
	case *ast.In:
		return b.in(s, e)
	case *ast.Like:
		return b.like(s, e)
	case *ast.Exists:
		return b.exists(s, e, false)
	case *ast.Subquery:
		return b.scalarSubquery(s, e)
	case *ast.Quantified:
		return b.quantified(s, e)
	case *ast.Case:
		return b.caseOf(s, e)
	case *ast.Cast:
		return b.cast(s, e)
	case *ast.Call:
		return b.call(s, e)
	}
	return nil, refusedExpr(e)
}

// refusedExpr names what cannot be bound as a value.
func refusedExpr(e ast.Expr) error {
	what := ""
	switch e := e.(type) {
	case *ast.Row:
		return sqlerr.New(sqlerr.OperandColumns, "Operand should contain 1 column(s)").At(e.Position())
	case *ast.Interval:
		return sqlerr.New(sqlerr.WrongUsage, "INTERVAL may only be added to or subtracted from a date").At(e.Position())
	case *ast.Default:
		return sqlerr.New(sqlerr.WrongUsage, "DEFAULT may only stand alone in VALUES and SET").At(e.Position())
	case *ast.Lambda:
		what = "Lambda expression"
	default:
		what = fmt.Sprintf("%T", e)
	}
	return sqlerr.Unsupported(what).At(e.Position())
}

// condition binds an expression whose truth is asked for: WHERE, ON, HAVING, operands of AND.
func (b *binder) condition(s *scope, e ast.Expr) (expr.Expr, error) {
	x, err := b.expr(s, e)
	if err != nil {
		return nil, err
	}
	return b.truth(x, e)
}

// truth makes x BOOLEAN: numbers are true when they are not zero, text by the number that it spells.
func (b *binder) truth(x expr.Expr, e ast.Node) (expr.Expr, error) {
	t := x.Type()
	switch {
	case t.Kind == sqltype.Boolean:
		return x, nil
	case t.Kind == sqltype.Null:
		return expr.Null(sqltype.T(sqltype.Boolean)), nil
	case t.IsNumeric():
		return b.make(e, "<>", x, expr.Lit(vector.IntValue(sqltype.T(sqltype.TinyInt), 0)))
	case t.IsNested():
		return nil, sqlerr.New(sqlerr.TypeMismatch, "A condition cannot be of type %s", t).At(e.Position())
	}
	d, err := expr.CastTo(x, sqltype.T(sqltype.Double))
	if err != nil {
		return nil, at(err, e)
	}
	return b.make(e, "<>", b.fold(d), expr.Lit(vector.FloatValue(0)))
}

// make resolves a call of bound arguments and folds it when they are constants.
func (b *binder) make(n ast.Node, name string, args ...expr.Expr) (expr.Expr, error) {
	e, err := expr.NewCall(name, args...)
	if err != nil {
		return nil, at(similarFunction(err, name), n)
	}
	return b.fold(e), nil
}

// similarFunction adds the most similar name to the error of a function that does not exist.
func similarFunction(err error, name string) error {
	if !sqlerr.Is(err, sqlerr.UnknownFunction) {
		return err
	}
	if near := nearest(name, function.List()); near != "" {
		return sqlerr.From(err).WithHint("Did you mean '%s'?", near)
	}
	return err
}

// fold computes immutable calls of constants, casts among the arguments first. Constants
// that cannot be computed stay calls: their error is that of the row that needs them.
func (b *binder) fold(e expr.Expr) expr.Expr {
	e = expr.RewriteChildren(e, func(a expr.Expr) expr.Expr {
		if _, ok := expr.IsCall(a, "cast"); !ok {
			return a
		}
		return fold(a)
	})
	return fold(e)
}

func fold(e expr.Expr) expr.Expr {
	f, err := expr.Fold(e, nil)
	if err != nil {
		return e
	}
	return f
}

// callOf binds args and calls name.
func (b *binder) callOf(s *scope, n ast.Node, name string, args ...ast.Expr) (expr.Expr, error) {
	bound, err := b.exprs(s, args)
	if err != nil {
		return nil, err
	}
	return b.make(n, name, bound...)
}

func (b *binder) exprs(s *scope, list []ast.Expr) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		x, err := b.expr(s, e)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

// param is the value of a ?.
func (b *binder) param(p *ast.Param) (expr.Expr, error) {
	if b.env.ParamTypesOnly {
		return expr.Null(sqltype.T(sqltype.Null)), nil
	}
	if p.Index >= len(b.env.Params) {
		return nil, sqlerr.New(sqlerr.WrongArguments, "Parameter %d has no value", p.Index+1).At(p.Position())
	}
	return expr.Lit(b.env.Params[p.Index]), nil
}

// variable is the value of @@name or @name; a user variable that was never set is NULL.
func (b *binder) variable(v *ast.Variable) (expr.Expr, error) {
	if b.env.Variables != nil {
		if val, ok := b.env.Variables(v.Name, v.System); ok {
			return expr.Lit(val), nil
		}
	}
	if v.System {
		return nil, sqlerr.New(sqlerr.UnknownVariable, "Unknown system variable '%s'", v.Name).At(v.Position())
	}
	return expr.Null(sqltype.T(sqltype.Null)), nil
}

func (b *binder) unary(s *scope, u *ast.Unary) (expr.Expr, error) {
	switch u.Op {
	case "NOT", "!":
		switch x := u.X.(type) {
		case *ast.Exists:
			return b.exists(s, x, true)
		case *ast.In:
			c := *x
			c.Not = !c.Not
			return b.in(s, &c)
		}
		x, err := b.condition(s, u.X)
		if err != nil {
			return nil, err
		}
		return b.make(u, "not", x)
	case "-":
		if l, ok := u.X.(*ast.Literal); ok && (l.Kind == ast.IntLit || l.Kind == ast.DecimalLit || l.Kind == ast.FloatLit) {
			return literal(l, true)
		}
		return b.callOf(s, u, "neg", u.X)
	case "+":
		return b.expr(s, u.X)
	}
	return b.callOf(s, u, u.Op, u.X)
}

// operators are binary operators whose function is not named like them.
var operators = map[string]string{"!=": "<>", "DIV": "div", "MOD": "%", "XOR": "xor", "||": "concat"}

// mirrored are comparisons with their operands swapped.
var mirrored = map[string]string{"=": "=", "<>": "<>", "<=>": "<=>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func (b *binder) binary(s *scope, e *ast.Binary) (expr.Expr, error) {
	switch op := strings.ToUpper(e.Op); op {
	case "AND", "OR":
		return b.connect(s, e, strings.ToLower(op))
	case "XOR":
		l, err := b.condition(s, e.L)
		if err != nil {
			return nil, err
		}
		r, err := b.condition(s, e.R)
		if err != nil {
			return nil, err
		}
		return b.make(e, "xor", l, r)
	case "+", "-":
		if iv, ok := e.R.(*ast.Interval); ok {
			return b.addInterval(s, e, e.L, iv, op == "-")
		}
		if iv, ok := e.L.(*ast.Interval); ok && op == "+" {
			return b.addInterval(s, e, e.R, iv, false)
		}
	case "->", "->>":
		return nil, sqlerr.Unsupported("JSON path operator " + e.Op).At(e.Position())
	}
	name := e.Op
	if n, ok := operators[e.Op]; ok {
		name = n
	}
	if _, comparison := mirrored[name]; comparison {
		return b.compare(s, e, name)
	}
	return b.callOf(s, e, name, e.L, e.R)
}

// connect binds a chain of ANDs or ORs as one n-ary call.
func (b *binder) connect(s *scope, e *ast.Binary, name string) (expr.Expr, error) {
	var args []expr.Expr
	var gather func(x ast.Expr) error
	gather = func(x ast.Expr) error {
		if c, ok := x.(*ast.Binary); ok && strings.EqualFold(c.Op, name) {
			if err := gather(c.L); err != nil {
				return err
			}
			return gather(c.R)
		}
		c, err := b.condition(s, x)
		if err != nil {
			return err
		}
		if inner, ok := expr.IsCall(c, name); ok {
			args = append(args, inner...)
			return nil
		}
		args = append(args, c)
		return nil
	}
	if err := gather(e); err != nil {
		return nil, err
	}
	return b.make(e, name, args...)
}

// addInterval is date ± INTERVAL n unit.
func (b *binder) addInterval(s *scope, n ast.Node, date ast.Expr, iv *ast.Interval, subtract bool) (expr.Expr, error) {
	d, err := b.expr(s, date)
	if err != nil {
		return nil, err
	}
	amount, unit, err := b.interval(s, iv)
	if err != nil {
		return nil, err
	}
	name := "date_add"
	if subtract {
		name = "date_sub"
	}
	return b.make(n, name, d, amount, unit)
}

// interval is the amount and the unit of an INTERVAL, as date functions take them. Amounts
// of simple units are BIGINT; of compound ones ('1 2' DAY_HOUR) text.
func (b *binder) interval(s *scope, iv *ast.Interval) (amount, unit expr.Expr, err error) {
	amount, err = b.expr(s, iv.Value)
	if err != nil {
		return nil, nil, err
	}
	want := sqltype.T(sqltype.BigInt)
	switch {
	case strings.Contains(iv.Unit, "_"):
		want = sqltype.T(sqltype.String)
	case iv.Unit == "SECOND" && !amount.Type().IsInteger():
		want = amount.Type() // fractions of a second count
		if l, ok := amount.(*expr.Literal); ok && amount.Type().IsString() && !strings.Contains(l.Value.S, ".") {
			want = sqltype.T(sqltype.BigInt)
		}
	}
	if amount, err = expr.CastTo(amount, want); err != nil {
		return nil, nil, at(err, iv)
	}
	return fold(amount), expr.Lit(vector.StringValue(sqltype.T(sqltype.Varchar), iv.Unit)), nil
}

func (b *binder) isTruth(s *scope, e *ast.IsTruth) (expr.Expr, error) {
	x, err := b.condition(s, e.X)
	if err != nil {
		return nil, err
	}
	name := "is_false"
	if e.True {
		name = "is_true"
	}
	x, err = b.make(e, name, x)
	if err != nil || !e.Not {
		return x, err
	}
	return b.make(e, "not", x)
}

// caseOf binds CASE, with the ELSE always there.
func (b *binder) caseOf(s *scope, e *ast.Case) (expr.Expr, error) {
	var args []expr.Expr
	var operand expr.Expr
	if e.Operand != nil {
		x, err := b.expr(s, e.Operand)
		if err != nil {
			return nil, err
		}
		operand = x
	}
	for _, w := range e.Whens {
		var cond expr.Expr
		var err error
		if operand == nil {
			cond, err = b.condition(s, w.Cond)
		} else if cond, err = b.expr(s, w.Cond); err == nil {
			cond, err = b.make(w.Cond, "=", operand, cond)
		}
		if err != nil {
			return nil, err
		}
		then, err := b.expr(s, w.Then)
		if err != nil {
			return nil, err
		}
		args = append(args, cond, then)
	}
	if e.Else == nil {
		return b.make(e, "case", append(args, expr.Null(sqltype.T(sqltype.Null)))...)
	}
	last, err := b.expr(s, e.Else)
	if err != nil {
		return nil, err
	}
	return b.make(e, "case", append(args, last)...)
}

func (b *binder) cast(s *scope, e *ast.Cast) (expr.Expr, error) {
	t, err := Type(e.Type)
	if err != nil {
		return nil, err
	}
	x, err := b.expr(s, e.X)
	if err != nil {
		return nil, err
	}
	c, err := expr.CastTo(x, t)
	if err != nil {
		return nil, at(err, e)
	}
	return fold(c), nil
}
