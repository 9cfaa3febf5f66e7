package optimize

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// Definition is the query of a materialised view over one table, as far as passes bring the queries that it shall
// serve to the same form. Columns are those of the table by ordinal: see logical.Index.
type Definition struct {
	Items []DefinedItem
	Where []expr.Expr
	// Grouped: the query has aggregates or GROUP BY.
	Grouped bool
	// Groups is the number of grouping expressions, shown or not.
	Groups int
}

// DefinedItem is an output of the query: an expression of the table's columns, or an aggregate of such.
type DefinedItem struct {
	Expr expr.Expr
	Agg  *expr.Aggregate
}

// definitionPasses are those that change the form of expressions.
var definitionPasses = map[string]bool{"fold_constants": true, "simplify_predicates": true, "pushdown_filter": true, "eliminate_projects": true}

// Define reads the plan of a view's query: a projection of one aggregation or none, of one scan. What is more than
// that fails with a message that says so.
func Define(c *Context, n logical.Node) (*Definition, error) {
	for _, p := range passes {
		if definitionPasses[p.Name] {
			var err error
			if n, err = p.Run(c, n); err != nil {
				return nil, err
			}
		}
	}
	outs := expr.Refs(n.Columns())
	if s, ok := n.(*logical.Sort); ok { // ORDER BY is read from the text
		n = s.Input
	}
	var agg *logical.Aggregate
	d := &Definition{}
	for {
		switch x := n.(type) {
		case *logical.Project:
			at := map[expr.ColumnID]expr.Expr{}
			for i, col := range x.Cols {
				at[col.ID] = x.Exprs[i]
			}
			if agg != nil {
				return nil, sqlerr.Unsupported("a materialized view over a computed table")
			}
			for i := range outs {
				outs[i] = substituted(outs[i], at)
			}
			n = x.Input
		case *logical.Filter:
			return nil, sqlerr.Unsupported("HAVING in a materialized view")
		case *logical.Aggregate:
			if agg != nil || x.Sets != nil {
				return nil, sqlerr.Unsupported("this grouping in a materialized view")
			}
			agg, n = x, x.Input
			if err := d.group(agg, outs); err != nil {
				return nil, err
			}
			if p, ok := n.(*logical.Project); ok {
				d.over(p)
				n = p.Input
			}
		case *logical.Scan:
			if agg == nil {
				for _, e := range outs {
					d.Items = append(d.Items, DefinedItem{Expr: e})
				}
			}
			d.Where = x.Filter
			d.byOrdinal(x)
			return d, nil
		case *logical.Window:
			return nil, sqlerr.Detail("The materialized view does not support window functions")
		default:
			return nil, sqlerr.Detail("The materialized view only supports a single table")
		}
	}
}

// group finds the outputs among the columns of the aggregation.
func (d *Definition) group(a *logical.Aggregate, outs []expr.Expr) error {
	d.Grouped, d.Groups = true, len(a.Groups)
	for _, e := range outs {
		item := DefinedItem{}
		for i, col := range a.Cols {
			if c, ok := e.(*expr.Column); !ok || c.ID != col.ID {
				continue
			}
			if i < len(a.Groups) {
				item.Expr = a.Groups[i]
			} else {
				item.Agg = a.Aggs[i-len(a.Groups)]
			}
		}
		if item.Expr == nil && item.Agg == nil { // an expression of groups is one of a row
			at := map[expr.ColumnID]expr.Expr{}
			for i, g := range a.Groups {
				at[a.Cols[i].ID] = g
			}
			for i := range a.Aggs {
				if expr.Columns(e).Has(a.Cols[len(a.Groups)+i].ID) {
					return sqlerr.Detail("The aggregate function must be the root expression of a column of a materialized view: %s", expr.String(e))
				}
			}
			item.Expr = substituted(e, at)
		}
		d.Items = append(d.Items, item)
	}
	return nil
}

// over reads the items over the inputs of a projection.
func (d *Definition) over(p *logical.Project) {
	at := map[expr.ColumnID]expr.Expr{}
	for i, col := range p.Cols {
		at[col.ID] = p.Exprs[i]
	}
	d.each(func(e expr.Expr) expr.Expr { return substituted(e, at) })
}

// byOrdinal names the columns of a scan by their ordinals.
func (d *Definition) byOrdinal(s *logical.Scan) {
	at := map[expr.ColumnID]expr.Expr{}
	for i, col := range s.Cols {
		named := col
		named.ID = expr.ColumnID(s.Ordinal[i] + 1)
		at[col.ID] = expr.Ref(named)
	}
	d.each(func(e expr.Expr) expr.Expr { return substituted(e, at) })
	for i, e := range d.Where {
		d.Where[i] = substituted(e, at)
	}
}

func (d *Definition) each(f func(expr.Expr) expr.Expr) {
	for i := range d.Items {
		if it := &d.Items[i]; it.Agg != nil {
			it.Agg = expr.RewriteChildren(it.Agg, f).(*expr.Aggregate)
		} else {
			it.Expr = f(it.Expr)
		}
	}
	d.Where = append([]expr.Expr(nil), d.Where...)
}

// State is how an index keeps an aggregate: a column of type Type whose values for one row are Of, and merge by
// Aggregation.
type State struct {
	Type        sqltype.Type
	Null        bool
	Of          expr.Expr
	Aggregation function.Aggregation
	// Plain: the argument is a column as it is, so that rows may merge before they are aggregated.
	Plain bool
}

// StateOf is the state of an aggregate; ok is false for those that have none that can be merged.
func StateOf(a *expr.Aggregate) (s State, ok bool) {
	if a.Distinct && !a.Fn.IgnoresDistinct || a.Filter != nil || len(a.OrderBy) > 0 {
		return s, false
	}
	switch a.Fn.Name {
	case "count":
		s = State{Type: sqltype.T(sqltype.BigInt), Of: expr.Int(1), Aggregation: function.SumAggregation}
		if len(a.Args) == 1 && a.Args[0].Nullable() {
			null := expr.MustCall("is_null", a.Args[0])
			s.Of = expr.MustCall("case", null, expr.Int(0), expr.Int(1))
		}
		return s, len(a.Args) <= 1
	case "sum":
		s = State{Type: a.Fn.Result, Null: a.Args[0].Nullable(), Aggregation: function.SumAggregation}
		if s.Type.Kind == sqltype.BigInt { // the sum of a part may be larger than that of all
			s.Type = sqltype.T(sqltype.LargeInt)
		}
	case "min", "max":
		s = State{Type: a.Fn.Result, Null: a.Args[0].Nullable(), Aggregation: function.MinAggregation}
		if a.Fn.Name == "max" {
			s.Aggregation = function.MaxAggregation
		}
	case "bitmap_union":
		s = State{Type: a.Fn.Result, Null: a.Args[0].Nullable(), Aggregation: function.BitmapUnionAggregation}
	case "hll_union", "hll_raw_agg":
		s = State{Type: a.Fn.Result, Null: a.Args[0].Nullable(), Aggregation: function.HLLUnionAggregation}
	default:
		return s, false
	}
	if !s.Aggregation.Allows(s.Type) {
		return s, false
	}
	of, err := expr.CastTo(a.Args[0], s.Type)
	if err != nil {
		return s, false
	}
	s.Of, s.Plain = checkedBitmap(of), isColumn(a.Args[0])
	return s, true
}

// checkedBitmap makes to_bitmap fail for what it cannot hold, so that a row that would be lost is never loaded.
func checkedBitmap(e expr.Expr) expr.Expr {
	args, ok := expr.IsCall(e, "to_bitmap")
	if !ok {
		return e
	}
	checked, err := expr.NewCall("to_bitmap_with_check", args...)
	if err != nil {
		return e
	}
	return checked
}

// merging is the aggregate that makes a's result of its states in the column state. The result's type is a's, but where
// wide is set: there a sum of integers stays LARGEINT, for an average.
func merging(a *expr.Aggregate, state expr.Expr, wide bool) (*expr.Aggregate, error) {
	name := a.Fn.Name
	if name == "count" {
		name = "sum"
	}
	if name == "sum" && !wide && a.Fn.Result.Kind == sqltype.BigInt && state.Type().Kind == sqltype.LargeInt {
		return &expr.Aggregate{Fn: function.NarrowSum(), Args: []expr.Expr{state}}, nil
	}
	fn, err := function.ResolveAggregate(name, []function.Arg{{Type: state.Type()}})
	if err != nil {
		return nil, err
	}
	return expr.ApplyAggregate(fn, []expr.Expr{state})
}
