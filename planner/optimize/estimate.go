package optimize

import (
	"math"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// Estimates predicts row counts and the shape of columns, bottom up, from the statistics of
// sources. They steer the plan and never its result. Results are kept by node, which works because
// nodes do not change; one goroutine uses it.
type Estimates struct {
	nodes map[logical.Node]*relation
	ctes  map[*logical.CTE]*relation
}

// NewEstimates makes an empty estimator.
func NewEstimates() *Estimates {
	return &Estimates{nodes: map[logical.Node]*relation{}, ctes: map[*logical.CTE]*relation{}}
}

// Rows is the estimated number of output rows, at least 0.
func (e *Estimates) Rows(n logical.Node) float64 { return e.of(n).rows }

// Distinct is the estimated number of values of a column of n, at least 1 (n's rows when nothing is known).
func (e *Estimates) Distinct(n logical.Node, id expr.ColumnID) float64 {
	r := e.of(n)
	return r.column(id).ndv
}

// Groups is the estimated number of groups of n's rows by the expressions.
func (e *Estimates) Groups(n logical.Node, groups []expr.Expr) float64 {
	return groupCount(e.of(n), groups)
}

// GroupBound bounds the number of groups from above by the product of the distinct values that
// statistics allow; -1 when it is unknown for any of them.
func (e *Estimates) GroupBound(n logical.Node, groups []expr.Expr) float64 {
	r, bound := e.of(n), 1.0
	for _, g := range groups {
		c, ok := g.(*expr.Column)
		if !ok {
			return -1
		}
		s, ok := r.cols[c.ID]
		if !ok || s.guessed {
			return -1
		}
		bound *= s.baseNDV + 1
	}
	return bound
}

// Selective reports whether rows of n were thrown away below by a filter or a join, by estimate.
func (e *Estimates) Selective(n logical.Node, id expr.ColumnID) bool {
	c := e.of(n).column(id)
	return c.ndv < 0.7*c.baseNDV
}

// Domain is the number of values that the column had in its table, before any filter.
func (e *Estimates) Domain(n logical.Node, id expr.ColumnID) float64 {
	return e.of(n).column(id).baseNDV
}

// relation is what is known of a node's output.
type relation struct {
	rows float64
	cols map[expr.ColumnID]column
	// unknown: the rows are a guess, not from statistics.
	unknown bool
}

// column describes the values of one output column.
type column struct {
	ndv      float64 // distinct values now
	baseNDV  float64 // distinct values in the table
	baseRows float64 // rows of the table
	unique   bool    // a key of its table, by its numbers
	guessed  bool    // ndv is not from statistics
	ranged   bool    // lo and hi are known
	lo, hi   float64 // see position
	baseLo   float64 // lo and hi in the table
	baseHi   float64
	nulls    float64 // fraction of rows
	// table is the scan that the values come from; nil when they are computed. Equalities between the
	// same two tables are one compound key.
	table logical.Node
	// summary: the column is the result of an aggregate, and a condition on it a HAVING.
	summary bool
	// values are the frequent values and the histogram as ANALYZE found them; nil: unknown, or filtered since.
	values *valueStats
	origin storage.Origin
}

func (r *relation) column(id expr.ColumnID) column {
	if c, ok := r.cols[id]; ok {
		c.ndv = math.Max(1, math.Min(c.ndv, r.rows))
		return c
	}
	n := math.Max(1, r.rows)
	return column{ndv: n, baseNDV: n, baseRows: n, guessed: true}
}

// scaled is r with rows reduced to n rows picked without regard to the columns.
func (r *relation) scaled(n float64) *relation {
	out := &relation{rows: n, cols: make(map[expr.ColumnID]column, len(r.cols)), unknown: r.unknown}
	for id, c := range r.cols {
		c.ndv = drawn(c.ndv, r.rows, n)
		out.cols[id] = c
	}
	return out
}

// drawn is the expected number of distinct values in n rows drawn from rows rows with ndv values.
func drawn(ndv, rows, n float64) float64 {
	if n >= rows || rows <= 0 {
		return math.Max(1, ndv)
	}
	if ndv <= 0 {
		return 1
	}
	per := rows / ndv
	if per <= 1 {
		return math.Max(1, math.Min(ndv, n))
	}
	return math.Max(1, ndv*(1-math.Pow(1-n/rows, per)))
}

// Guesses for what statistics do not tell.
const (
	unknownRows   = 100_000
	cteLoopRows   = 1000
	guessEqual    = 0.01
	guessRange    = 1.0 / 3
	guessHaving   = 0.02
	guessLike     = 0.1
	guessOther    = 0.25
	guessNotNull  = 0.99
	guessElements = 5 // of an array
)

func (e *Estimates) of(n logical.Node) *relation {
	if r, ok := e.nodes[n]; ok {
		return r
	}
	r := e.compute(n)
	if r.rows < 0 || r.rows != r.rows {
		r.rows = 0
	}
	e.nodes[n] = r
	return r
}

func (e *Estimates) compute(n logical.Node) *relation {
	switch n := n.(type) {
	case *logical.Scan:
		return e.scan(n)
	case *logical.Filter:
		return filtered(e.of(n.Input), n.Conds)
	case *logical.Project:
		return e.project(n)
	case *logical.Join:
		return e.join(n)
	case *logical.Unnest:
		return e.unnest(n)
	case *logical.Window:
		return e.window(n)
	case *logical.Apply:
		in := e.of(n.LeftInput)
		return &relation{rows: in.rows, cols: in.cols, unknown: true}
	case *logical.Aggregate:
		return e.aggregate(n)
	case *logical.Distinct:
		in := e.of(n.Input)
		return in.scaled(groupCount(in, expr.Refs(n.Columns())))
	case *logical.Sort:
		return limited(e.of(n.Input), n.Limit, n.Offset)
	case *logical.Limit:
		return limited(e.of(n.Input), n.Count, n.Offset)
	case *logical.SetOp:
		return e.setOp(n)
	case *logical.Values:
		return &relation{rows: float64(len(n.Rows))}
	case *logical.CTERef:
		return e.cteRef(n)
	case *logical.Write:
		return &relation{rows: 1}
	}
	return &relation{rows: unknownRows, unknown: true}
}

func limited(in *relation, count, offset int64) *relation {
	if count < 0 && offset == 0 {
		return in
	}
	rows := math.Max(0, in.rows-float64(offset))
	if count >= 0 {
		rows = math.Min(rows, float64(count))
	}
	return in.scaled(rows)
}

// unnest repeats the input's rows, for as many elements as arrays have, or as the call says.
func (e *Estimates) unnest(n *logical.Unnest) *relation {
	in := e.of(n.Input)
	per := n.Fn.Rows
	if per < 0 {
		per = guessElements
	}
	if n.Outer {
		per = math.Max(per, 1)
	}
	out := &relation{rows: in.rows * per, cols: make(map[expr.ColumnID]column, len(in.cols)+len(n.Cols)), unknown: in.unknown}
	for id, c := range in.cols {
		c.unique = c.unique && per <= 1
		out.cols[id] = c
	}
	return out
}

// window keeps the rows. A number of a row has as many values as a partition has rows.
func (e *Estimates) window(n *logical.Window) *relation {
	in := e.of(n.Input)
	partitions := math.Max(1, groupCount(in, n.Partition))
	out := &relation{rows: in.rows, cols: make(map[expr.ColumnID]column, len(in.cols)+len(n.Cols)), unknown: in.unknown}
	for id, c := range in.cols {
		out.cols[id] = c
	}
	if n.Top != nil && partitions*float64(n.Top.Rows) < in.rows {
		out = out.scaled(partitions * float64(n.Top.Rows))
	}
	rows := math.Max(1, out.rows)
	for i, w := range n.Funcs {
		ndv := rows
		switch k := w.Fn.Kind; {
		case k <= function.CumeDist:
			ndv = math.Max(1, rows/partitions)
		case k == function.Ntile:
			ndv = 10
		case k.UsesFrame() && w.Frame.IsWhole():
			ndv = partitions
		}
		out.cols[n.Cols[i].ID] = column{ndv: ndv, baseNDV: ndv, baseRows: rows, guessed: true}
	}
	return out
}

func (e *Estimates) project(n *logical.Project) *relation {
	in := e.of(n.Input)
	out := &relation{rows: in.rows, cols: make(map[expr.ColumnID]column, len(n.Cols)), unknown: in.unknown}
	for i, x := range n.Exprs {
		out.cols[n.Cols[i].ID] = describe(in, x)
	}
	return out
}

// describe is the column that an expression makes.
func describe(in *relation, x expr.Expr) column {
	switch x := x.(type) {
	case *expr.Column:
		return in.column(x.ID)
	case *expr.Literal:
		return column{ndv: 1, baseNDV: 1, baseRows: in.rows}
	case *expr.Call:
		return describeCall(in, x)
	}
	n := math.Max(1, in.rows)
	return column{ndv: n, baseNDV: n, baseRows: n, guessed: true}
}

func describeCall(in *relation, x *expr.Call) column {
	ndv := 1.0
	for _, id := range expr.Columns(x).IDs() {
		ndv *= in.column(id).ndv
	}
	switch x.Fn.Name {
	case "year":
		ndv = math.Min(ndv, 10)
	case "month":
		ndv = math.Min(ndv, 12)
	case "and", "or", "not", "=", "<>", "<", "<=", ">", ">=", "like", "in", "is_null", "is_not_null":
		ndv = 2
	}
	n := math.Max(1, math.Min(ndv, in.rows))
	return column{ndv: n, baseNDV: n, baseRows: math.Max(1, in.rows), guessed: true}
}

func (e *Estimates) aggregate(n *logical.Aggregate) *relation {
	in := e.of(n.Input)
	rows := groupCount(in, n.Groups)
	if n.Sets != nil {
		rows = 0
		for _, set := range n.Sets {
			var groups []expr.Expr
			for _, g := range set {
				groups = append(groups, n.Groups[g])
			}
			rows += groupCount(in, groups)
		}
	}
	out := &relation{rows: rows, cols: make(map[expr.ColumnID]column, len(n.Cols)), unknown: in.unknown}
	for i, g := range n.Groups {
		c := describe(in, g)
		c.unique = len(n.Groups) == 1 && n.Sets == nil
		out.cols[n.Cols[i].ID] = c
	}
	for i := range n.Aggs {
		out.cols[n.Cols[len(n.Groups)+i].ID] = column{
			ndv: math.Max(1, rows), baseNDV: math.Max(1, rows), baseRows: math.Max(1, rows), guessed: true, summary: true,
		}
	}
	return out
}

// groupCount is the product of the distinct values, damped for keys that depend on others: a
// key that is unique in its table decides all of that table's columns.
func groupCount(in *relation, groups []expr.Expr) float64 {
	if len(groups) == 0 {
		return 1
	}
	if in.rows <= 0 {
		return 0
	}
	product, unique := 1.0, 0.0
	for _, g := range groups {
		c := describe(in, g)
		if c.unique {
			unique = math.Max(unique, c.ndv)
		}
		product = math.Min(product*math.Max(1, c.ndv), 1e18)
	}
	if unique > 0 && product > unique*10 {
		product = unique * 10
	}
	return math.Min(product, in.rows)
}

func (e *Estimates) setOp(n *logical.SetOp) *relation {
	var rows float64
	for i, in := range n.Inputs {
		r := e.of(in).rows
		switch {
		case i == 0:
			rows = r
		case n.Kind == logical.Union:
			rows += r
		case n.Kind == logical.Intersect:
			rows = math.Min(rows, r)
		}
	}
	out := &relation{rows: rows, cols: map[expr.ColumnID]column{}}
	for i, c := range n.Cols {
		d := column{baseRows: math.Max(1, rows), guessed: true}
		for _, in := range n.Inputs {
			d.ndv = math.Max(d.ndv, e.of(in).column(in.Columns()[i].ID).ndv)
		}
		d.baseNDV = d.ndv
		out.cols[c.ID] = d
	}
	if !n.All {
		out = out.scaled(groupCount(out, expr.Refs(n.Cols)))
	}
	return out
}

func (e *Estimates) cteRef(n *logical.CTERef) *relation {
	in, ok := e.ctes[n.CTE]
	if !ok {
		e.ctes[n.CTE] = &relation{rows: cteLoopRows, unknown: true} // ends the loop of a recursive one
		in = e.of(n.CTE.Plan)
		e.ctes[n.CTE] = in
	}
	out := &relation{rows: in.rows, cols: make(map[expr.ColumnID]column, len(n.Cols)), unknown: in.unknown}
	for i, c := range n.CTE.Plan.Columns() {
		if i < len(n.Cols) {
			out.cols[n.Cols[i].ID] = in.column(c.ID)
		}
	}
	return out
}

// Selectivity is the fraction of a table's rows for which conjuncts of the scan's filter are true.
func (e *Estimates) Selectivity(n *logical.Scan, conds []expr.Expr) float64 {
	t := tableOf(n)
	return filtered(t, conds).rows / math.Max(t.rows, 1e-9)
}
