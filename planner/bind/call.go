package bind

import (
	"strings"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// call binds a function call: an aggregate, GROUPING, or a scalar function.
func (b *binder) call(s *scope, c *ast.Call) (expr.Expr, error) {
	if c.Over != nil {
		return b.windowCall(s, c)
	}
	if function.IsWindow(c.Name) {
		return nil, sqlerr.New(sqlerr.WrongUsage, "%s is a window function and needs OVER", c.Name).At(c.Position())
	}
	if c.IgnoreNulls {
		return nil, sqlerr.Unsupported("IGNORE NULLS of " + c.Name + " without OVER").At(c.Position())
	}
	switch c.Name {
	case "grouping", "grouping_id", "grouping__id":
		return b.groupingOf(s, c)
	}
	if c.Star || function.IsAggregate(c.Name) {
		return b.aggregate(s, c)
	}
	if c.Distinct || c.Filter != nil || len(c.OrderBy) > 0 {
		return nil, sqlerr.New(sqlerr.WrongUsage, "DISTINCT, ORDER BY and FILTER belong to aggregates, which %s is not", c.Name).At(c.Position())
	}
	if c.Name == "bitmap_dict" || c.Name == "bitmap_dict_text" {
		return b.dictionaryCall(s, c)
	}
	if at := lambdaArg(c); at >= 0 {
		return b.higherOrder(s, c, at)
	}
	args, err := b.callArgs(s, c)
	if err != nil {
		return nil, err
	}
	if c.Name == "if" && len(args) == 3 {
		if args[0], err = b.truth(args[0], c.Args[0]); err != nil {
			return nil, err
		}
	}
	if b.env.UserFunctions != nil {
		fn, ok, err := b.env.UserFunctions(c.Name, expr.ArgsOf(args))
		if err != nil {
			return nil, at(err, c)
		}
		if ok {
			e, err := expr.Apply(fn, args)
			if err != nil {
				return nil, at(err, c)
			}
			return b.fold(e), nil
		}
	}
	if function.IsTable(c.Name) {
		return nil, sqlerr.New(sqlerr.WrongUsage, "%s is a table function and no part of an expression", c.Name).At(c.Position()).
			WithHint("It stands alone in the select list, in LATERAL VIEW, or in FROM")
	}
	return b.make(c, c.Name, args...)
}

// callArgs binds arguments; INTERVAL n unit becomes two of them.
func (b *binder) callArgs(s *scope, c *ast.Call) ([]expr.Expr, error) {
	args := make([]expr.Expr, 0, len(c.Args)+1)
	for _, a := range c.Args {
		if iv, ok := a.(*ast.Interval); ok && isDateArithmetic(c.Name) {
			amount, unit, err := b.interval(s, iv)
			if err != nil {
				return nil, err
			}
			args = append(args, amount, unit)
			continue
		}
		e, err := b.expr(s, a)
		if err != nil {
			return nil, err
		}
		args = append(args, e)
	}
	return args, nil
}

func isDateArithmetic(name string) bool {
	switch name {
	case "date_add", "date_sub", "adddate", "subdate", "date_floor", "date_ceil", "date_sub_interval", "time_slice":
		return true
	}
	return false
}

// aggregate binds an aggregate call. It stays in the expression until group.go moves it into
// the Aggregate node of the block whose rows it ranges over.
func (b *binder) aggregate(s *scope, c *ast.Call) (expr.Expr, error) {
	name := c.Name
	if c.Star && name != "count" {
		return nil, sqlerr.New(sqlerr.WrongArguments, "wrong arguments for function %s(*)", name).At(c.Position())
	}
	// Inside of an aggregate's arguments names mean columns of FROM before aliases.
	inner := *s
	inner.windows = nil
	if s.aliases != nil {
		al := *s.aliases
		al.first = false
		inner.aliases = &al
	}
	args, err := b.exprs(&inner, c.Args)
	if err != nil {
		return nil, err
	}
	if c.Separator != nil {
		args = append(args, expr.Lit(vector.StringValue(sqltype.T(sqltype.Varchar), *c.Separator)))
	}
	if name, err = b.distinctOpaque(name, c, args); err != nil {
		return nil, err
	}
	fn, err := function.ResolveAggregate(name, expr.ArgsOf(args))
	if err != nil {
		return nil, at(err, c)
	}
	a, err := expr.ApplyAggregate(fn, args)
	if err != nil {
		return nil, at(err, c)
	}
	for i, x := range a.Args {
		a.Args[i] = fold(x)
	}
	a.Distinct = c.Distinct && len(args) > 0
	for i := range c.OrderBy {
		k := &c.OrderBy[i]
		e, err := b.expr(&inner, k.Expr)
		if err != nil {
			return nil, err
		}
		if err := function.CheckOrderable(e.Type()); err != nil {
			return nil, at(err, k.Expr)
		}
		key := expr.SortKey{Expr: e, Desc: k.Desc, NullsFirst: !k.Desc}
		if k.Nulls != ast.NullsDefault {
			key.NullsFirst = k.Nulls == ast.NullsFirst
		}
		a.OrderBy = append(a.OrderBy, key)
	}
	if c.Filter != nil {
		if a.Filter, err = b.condition(&inner, c.Filter); err != nil {
			return nil, err
		}
	}
	for _, x := range expr.Children(a) {
		if expr.HasAggregate(x) {
			return nil, sqlerr.New(sqlerr.MisplacedAggregate, "Invalid use of group function: %s inside of an aggregate", name).At(c.Position())
		}
	}
	if own := owner(s, logical.FreeColumnsOf(a)); own.aggregates == aggregatesForbidden {
		err := sqlerr.New(sqlerr.MisplacedAggregate, "Invalid use of group function: %s in %s", name, own.clause).At(c.Position())
		if own.clause == "where clause" {
			err = err.WithHint("Conditions on aggregates belong to HAVING")
		}
		return nil, err
	}
	return a, nil
}

// groupingOf binds GROUPING(a) and GROUPING_ID(a, b, …).
func (b *binder) groupingOf(s *scope, c *ast.Call) (expr.Expr, error) {
	args, err := b.exprs(s, c.Args)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 || len(args) > 63 {
		return nil, sqlerr.New(sqlerr.WrongArguments, "wrong arguments for function %s", strings.ToUpper(c.Name)).At(c.Position())
	}
	if s.aggregates == aggregatesForbidden {
		return nil, sqlerr.New(sqlerr.MisplacedAggregate, "Invalid use of group function: %s in %s", c.Name, s.clause).At(c.Position())
	}
	return groupingPlaceholder(args), nil
}

// distinctOpaque is the function that an aggregate call means: count(DISTINCT x) of a BITMAP is the size of the union, of an
// HLL its estimate, unless rewrite_count_distinct_to_bitmap_hll is off. Other functions of DISTINCT values would compare them.
func (b *binder) distinctOpaque(name string, c *ast.Call, args []expr.Expr) (string, error) {
	if !c.Distinct {
		return name, nil
	}
	rewrite := true
	if b.env.Variables != nil {
		if v, ok := b.env.Variables("rewrite_count_distinct_to_bitmap_hll", true); ok {
			rewrite = v.I.Sign() != 0
		}
	}
	for _, x := range args {
		if !x.Type().IsOpaque() {
			continue
		}
		if name != "count" || len(args) > 1 || !rewrite {
			return "", at(function.CheckOrderable(x.Type()), c)
		}
		if x.Type().Kind == sqltype.Bitmap {
			return "bitmap_union_count", nil
		}
		return "hll_union_agg", nil
	}
	return name, nil
}
