package bind

import (
	"strconv"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// orderKey is a bound key of ORDER BY, over the same columns as the select list.
type orderKey struct {
	e                expr.Expr
	desc, nullsFirst bool
	position         int
}

// orderKeys binds ORDER BY: an ordinal, a name (an alias wins over a column of FROM), or an
// expression (a column of FROM wins over an alias).
func (b *binder) orderKeys(base *scope, ws *windowScope, items []selectItem, list []ast.OrderItem) ([]orderKey, error) {
	var keys []orderKey
	for i := range list {
		it := &list[i]
		e, ok, err := ordinal(it.Expr, items, "order clause")
		if err != nil {
			return nil, err
		}
		if !ok {
			_, bare := it.Expr.(*ast.Column)
			s := ws.in(base.in("order clause", aggregatesAllowed, &aliases{items: items, first: bare}))
			if e, err = b.expr(s, it.Expr); err != nil {
				return nil, err
			}
		}
		if err := function.CheckOrderable(e.Type()); err != nil {
			return nil, at(err, it.Expr)
		}
		key := orderKey{e: e, desc: it.Desc, nullsFirst: !it.Desc, position: it.Expr.Position()}
		if it.Nulls != ast.NullsDefault {
			key.nullsFirst = it.Nulls == ast.NullsFirst
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// ordinal resolves an integer literal in GROUP BY and ORDER BY to a select item.
func ordinal(e ast.Expr, items []selectItem, clause string) (expr.Expr, bool, error) {
	l, ok := e.(*ast.Literal)
	if !ok || l.Kind != ast.IntLit {
		return nil, false, nil
	}
	n, err := strconv.Atoi(l.Text)
	if err != nil || n < 1 || n > len(items) {
		return nil, false, sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in '%s'", l.Text, clause).At(e.Position())
	}
	return items[n-1].e, true, nil
}

// limit puts a LIMIT on top of n; nil is none.
func (b *binder) limit(n logical.Node, l *ast.Limit) (logical.Node, error) {
	if l == nil {
		return n, nil
	}
	count, err := b.limitValue(l.Count, -1)
	if err != nil {
		return nil, err
	}
	offset, err := b.limitValue(l.Offset, 0)
	if err != nil {
		return nil, err
	}
	if count < 0 && offset == 0 {
		return n, nil
	}
	return &logical.Limit{Input: n, Count: count, Offset: offset}, nil
}

// limitValue is a count of LIMIT; absent (nil, or a parameter of PREPARE) it is missing.
func (b *binder) limitValue(e ast.Expr, missing int64) (int64, error) {
	if e == nil {
		return missing, nil
	}
	if _, ok := e.(*ast.Param); ok && b.env.ParamTypesOnly {
		return missing, nil
	}
	v, err := b.constant(e, "LIMIT")
	if err != nil {
		return 0, err
	}
	if v.Null || !v.Type.IsInteger() || v.I.Sign() < 0 {
		return 0, sqlerr.New(sqlerr.WrongUsage, "LIMIT takes a whole number that is not negative").At(e.Position())
	}
	if !v.I.IsInt64() {
		return missing, nil // LIMIT 18446744073709551615 is MySQL's idiom for no limit
	}
	return v.Int64(), nil
}
