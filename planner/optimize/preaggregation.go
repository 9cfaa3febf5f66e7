package optimize

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// preaggregation finds scans of AGGREGATE tables that need not merge rows of equal keys, because what is
// made of their rows is the same without: the query's own aggregates merge as the columns do, or do not mind
// a row that comes in parts. The others get the reason why not, in Doris's words.
func preaggregation(_ *Context, n logical.Node) (logical.Node, error) {
	p := &preaggregator{reasons: map[*logical.Scan]string{}}
	p.outside(n)
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		s, ok := n.(*logical.Scan)
		if !ok {
			return n
		}
		src := mergedSource(s)
		if src == nil {
			return n
		}
		m := *s
		if m.Preaggregation = p.reasons[s]; m.Preaggregation == "" {
			m.Source = src.Unmerged()
		}
		return &m
	}), nil
}

// mergedSource is the source of a scan that merges; nil for other scans.
func mergedSource(s *logical.Scan) storage.Merged {
	src, ok := s.Source.(storage.Merged)
	if !ok {
		return nil
	}
	if keys, _ := src.Merging(); keys == nil {
		return nil
	}
	return src
}

// Reasons of Doris for merging.
const (
	noAggregate      = "No AggregateInfo"
	positionInJoin   = "this olap scan node cannot be turned on because of its position in the join tree"
	groupHasValue    = "groupExpr contains StorageEngine's Value"
	severalArguments = "aggExpr has more than one child"
	keyNeedsExtreme  = "the type of agg on StorageEngine's Key column should only be MAX or MIN."
)

type preaggregator struct {
	reasons map[*logical.Scan]string // "" for scans that need not merge
}

// reducedPart is a part of a plan below an operator that reduces its rows: an aggregate, a DISTINCT, or the right
// side of a semi join, of which only matters whether there is a row.
type reducedPart struct {
	groups  []expr.Expr
	aggs    []*expr.Aggregate
	conds   []expr.Expr // filters and join conditions
	scans   []*logical.Scan
	defined map[expr.ColumnID]expr.Expr // by projections
}

// outside visits a part of the plan where every row counts.
func (p *preaggregator) outside(n logical.Node) {
	switch n := n.(type) {
	case *logical.Aggregate:
		p.inside(&reducedPart{groups: n.Groups, aggs: n.Aggs}, n.Input)
	case *logical.Distinct:
		p.inside(&reducedPart{groups: expr.Refs(n.Columns())}, n.Input)
	case *logical.Scan:
		p.reasons[n] = noAggregate
	case *logical.Join:
		p.outside(n.LeftInput)
		if onlyMatches(n.Kind) {
			p.inside(&reducedPart{conds: n.On}, n.RightInput)
		} else {
			p.outside(n.RightInput)
		}
	default:
		for _, c := range n.Children() {
			p.outside(c)
		}
	}
}

// onlyMatches are the joins that ask of their right side only whether rows match.
func onlyMatches(k logical.JoinKind) bool {
	return k == logical.Semi || k == logical.Anti || k == logical.NullAwareAnti || k == logical.Mark
}

// inside decides about the scans of a region.
func (p *preaggregator) inside(r *reducedPart, n logical.Node) {
	r.defined = map[expr.ColumnID]expr.Expr{}
	p.collect(r, n)
	for _, s := range r.scans {
		if mergedSource(s) != nil {
			p.reasons[s] = r.reason(s)
		}
	}
}

func (p *preaggregator) collect(r *reducedPart, n logical.Node) {
	switch n := n.(type) {
	case *logical.Scan:
		r.scans = append(r.scans, n)
		r.conds = append(r.conds, n.Filter...)
	case *logical.Filter:
		r.conds = append(r.conds, n.Conds...)
		p.collect(r, n.Input)
	case *logical.Project:
		for i, e := range n.Exprs {
			if c, ok := e.(*expr.Column); !ok || c.ID != n.Cols[i].ID {
				r.defined[n.Cols[i].ID] = e
			}
		}
		p.collect(r, n.Input)
	case *logical.Join:
		if n.Kind == logical.Single {
			p.blocked(n)
			return
		}
		p.collect(r, n.LeftInput)
		r.conds = append(r.conds, n.On...)
		if onlyMatches(n.Kind) {
			p.inside(&reducedPart{conds: n.On}, n.RightInput)
		} else {
			p.collect(r, n.RightInput)
		}
	default:
		p.blocked(n)
	}
}

// blocked visits what such a part does not reach through.
func (p *preaggregator) blocked(n logical.Node) {
	p.outside(n)
	logical.Walk(n, func(n logical.Node) bool {
		if s, ok := n.(*logical.Scan); ok && p.reasons[s] == noAggregate {
			p.reasons[s] = positionInJoin
		}
		return true
	})
}

// resolve is e over columns of scans.
func (r *reducedPart) resolve(e expr.Expr) expr.Expr {
	return expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) {
		d, ok := r.defined[c.ID]
		if !ok {
			return nil, false
		}
		return r.resolve(d), true
	})
}

// valueColumns are the value columns of one scan, with their aggregations.
type valueColumns map[expr.ColumnID]function.Aggregation

// in is the first value column that e reads.
func (v valueColumns) in(e expr.Expr) *expr.Column {
	var found *expr.Column
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok && found == nil {
			if _, value := v[c.ID]; value {
				found = c
			}
		}
		return found == nil
	})
	return found
}

func bareName(c *expr.Column) string {
	return c.Name[strings.LastIndexByte(c.Name, '.')+1:]
}

// reason tells why rows of s must be merged; "" where they need not.
func (r *reducedPart) reason(s *logical.Scan) string {
	keys, aggregations := mergedSource(s).Merging()
	vals := valueColumns{}
	isKey := map[int]bool{}
	for _, k := range keys {
		isKey[k] = true
	}
	for i, c := range s.Cols {
		if !isKey[s.Ordinal[i]] && !numbersKey(s.Source.Columns(), isKey, s.Ordinal[i]) {
			vals[c.ID] = aggregations[s.Ordinal[i]]
		}
	}
	for _, e := range r.conds {
		if c := vals.in(r.resolve(e)); c != nil {
			return fmt.Sprintf("conjunct on `%s` which is StorageEngine value column", bareName(c))
		}
	}
	for _, e := range r.groups {
		if vals.in(r.resolve(e)) != nil {
			return groupHasValue
		}
	}
	for _, a := range r.aggs {
		if why := r.aggregateReason(a, vals); why != "" {
			return why
		}
	}
	return ""
}

// numbersKey reports a column of dictionary ids of a key: rows of one key have the same one, so it is as good as a key.
func numbersKey(cols []storage.Column, isKey map[int]bool, column int) bool {
	if column < 0 || column >= len(cols) || cols[column].DictionaryOf == "" {
		return false
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(isKey)), func(k int) bool { return strings.EqualFold(cols[k].Name, cols[column].DictionaryOf) })
}

// aggregateReason tells why a needs merged rows of the scan with the value columns vals.
func (r *reducedPart) aggregateReason(a *expr.Aggregate, vals valueColumns) string {
	if a.Filter != nil {
		if c := vals.in(r.resolve(a.Filter)); c != nil {
			return fmt.Sprintf("the condition column [%s] is not key type in aggr expr", bareName(c))
		}
	}
	for _, k := range a.OrderBy {
		if vals.in(r.resolve(k.Expr)) != nil {
			return severalArguments
		}
	}
	args := make([]expr.Expr, len(a.Args))
	var value *expr.Column
	for i, e := range a.Args {
		args[i] = r.resolve(e)
		if c := vals.in(args[i]); value == nil {
			value = c
		}
	}
	switch {
	case value == nil && idempotent(a):
		return ""
	case value == nil:
		return keyNeedsExtreme
	case len(args) > 1:
		return severalArguments
	case a.Distinct && !a.Fn.IgnoresDistinct:
		return "Multi count or sum distinct with non-key column: " + bareName(value)
	}
	switch a.Fn.Name {
	case "ndv", "approx_count_distinct":
		return "NDV function with non-key column"
	case "bitmap_union_int":
		return "BITMAP_UNION_INT function with non-key column"
	}
	want, ok := mergesAs[a.Fn.Name]
	if !ok {
		return "Invalid Aggregate Operator: " + a.Fn.Name
	}
	return partsReason(args[0], want, vals)
}

// idempotent aggregates do not mind a row that comes several times.
func idempotent(a *expr.Aggregate) bool {
	if a.Distinct || a.Fn.IgnoresDistinct {
		return true
	}
	switch a.Fn.Name {
	case "approx_count_distinct", "ndv", "bitmap_union", "bitmap_union_count", "bitmap_union_int", "bitmap_agg", "hll_union", "hll_union_agg", "hll_raw_agg", "bitmap_intersect":
		return true
	}
	return false
}

// mergesAs are the functions that make of the parts of a value what they make of the value, by the aggregation
// of its column.
var mergesAs = map[string]function.Aggregation{
	"sum": function.SumAggregation, "min": function.MinAggregation, "max": function.MaxAggregation,
	"bitmap_union": function.BitmapUnionAggregation, "bitmap_union_count": function.BitmapUnionAggregation,
	"hll_union": function.HLLUnionAggregation, "hll_union_agg": function.HLLUnionAggregation, "hll_raw_agg": function.HLLUnionAggregation,
}

// partsReason tells why aggregating e is not the same over parts of rows. e may be a value column, a cast of one that
// loses nothing, or a choice between such by conditions on keys.
func partsReason(e expr.Expr, want function.Aggregation, vals valueColumns) string {
	switch e := e.(type) {
	case *expr.Column:
		got, ok := vals[e.ID]
		if !ok {
			return keyNeedsExtreme // parts of a row would count one by one
		}
		if got != want {
			return fmt.Sprintf("Aggregate Operator not match: %s <--> %s", want, got)
		}
		return ""
	case *expr.Literal:
		if e.Value.Null || want == function.SumAggregation && e.Value.Type.IsInteger() && e.Value.I.Sign() == 0 {
			return ""
		}
	case *expr.Call:
		switch e.Fn.Name {
		case "cast":
			if exactCast(e) {
				return partsReason(e.Args[0], want, vals)
			}
			return fmt.Sprintf("aggExpr.getChild(0)[%s] is not Numeric CastExpr", expr.String(e))
		case "case", "if":
			return choiceReason(e, want, vals)
		}
	}
	return fmt.Sprintf("aggExpr.getChild(0)[%s] is not SlotRef", expr.String(e))
}

// choiceReason is partsReason of case(cond, then, …, else).
func choiceReason(e *expr.Call, want function.Aggregation, vals valueColumns) string {
	for i, a := range e.Args {
		if i%2 == 0 && i < len(e.Args)-1 {
			if c := vals.in(a); c != nil {
				return fmt.Sprintf("the condition column [%s] is not key type in aggr expr", bareName(c))
			}
		} else if why := partsReason(a, want, vals); why != "" {
			return why
		}
	}
	return ""
}

// exactCast reports casts of numbers that lose nothing, so that they may be made of parts.
func exactCast(e *expr.Call) bool {
	from, to := e.Args[0].Type(), e.Fn.Result
	return from.IsInteger() && to.IsInteger() && to.Kind >= from.Kind
}
