// Package lower turns a logical plan into a physical one: it picks algorithms, build sides,
// aggregation phases and runtime filters, puts exchanges where rows change their distribution, and
// replaces column ids by positions. It copes with every logical plan, optimized or not, that has no
// Apply and no subquery left.
package lower

import (
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/optimize"
	"github.com/basaltdb/basalt/planner/physical"
)

// Options steer the choices of lowering.
type Options struct {
	// Instances is how many copies of a fragment run; at least 1.
	Instances int
	// BroadcastRowLimit is the largest build side, in estimated rows, that is broadcast; 0 is
	// DefaultBroadcastRowLimit.
	BroadcastRowLimit float64
	// PreferShuffle breaks the tie between broadcast and shuffle for shuffle (prefer_join_method).
	PreferShuffle bool
	// NoRuntimeFilters leaves runtime filters out.
	NoRuntimeFilters bool
	// NoColocate is disable_colocate_plan, NoBucketShuffle enable_bucket_shuffle_join = false.
	NoColocate, NoBucketShuffle bool
	// BucketShuffleRatio: with fewer buckets than Instances times it, a bucket shuffle is given up; 0: never.
	BucketShuffleRatio float64
	// BroadcastBytes is the largest build side that is broadcast, 0: any (exec_mem_limit).
	BroadcastBytes float64
	// BucketRunRows is the number of build rows or groups from which on colocated subtrees run bucket by bucket; 0 is
	// DefaultBucketRunRows.
	BucketRunRows float64
	Filters       FilterOptions
	// ExplainEstimates fills in Info.Estimate.
	ExplainEstimates bool
	// IDs gives fresh column ids to computed join keys; required.
	IDs *expr.IDs
}

// DefaultBroadcastRowLimit is broadcast_row_count_limit of Doris.
const DefaultBroadcastRowLimit = 30_000_000

// Plan lowers n. The result gives exactly n's columns, in order, on one instance. ctes are the shared
// subplans that it reads, each after those that it reads itself. Errors are *sqlerr.Error.
func Plan(n logical.Node, opts Options) (root physical.Node, ctes []*physical.CTE, err error) {
	l := &lowerer{opts: opts, est: optimize.NewEstimates(), ctes: map[*logical.CTE]*sharedPlan{}}
	l.opts.Instances = max(1, opts.Instances)
	if l.opts.BroadcastRowLimit <= 0 {
		l.opts.BroadcastRowLimit = DefaultBroadcastRowLimit
	}
	in, err := l.ordered(n, n.Columns())
	if err != nil {
		return nil, nil, err
	}
	root = l.gather(in)
	if err := l.shared(n); err != nil {
		return nil, nil, err
	}
	number(root, l.order)
	l.bucketRuns(root)
	l.runtimeFilters(root)
	return root, l.order, nil
}

// stream is a lowered node and how its rows are spread over instances.
type stream struct {
	node   physical.Node
	single bool                     // all rows are on one instance
	from   map[expr.ColumnID]origin // of columns that are bare columns of scans
	spread *spread                  // the buckets that the rows lie in; nil: unknown
	sentBy []expr.ColumnID          // rows with equal values of these are on one instance; nil: unknown
}

func (s stream) cols() []expr.Column { return s.node.Base().Cols }
func (s stream) rows() float64       { return s.node.Base().Rows }

type lowerer struct {
	opts  Options
	est   *optimize.Estimates
	ctes  map[*logical.CTE]*sharedPlan
	order []*physical.CTE
	keys  []joinKeys        // of hash joins, for runtime filters
	above []*logical.Window // right above the node that is being lowered, the next one last
}

// node lowers n. The outputs are those of n's columns that are in need, in any order, and perhaps more of them.
func (l *lowerer) node(n logical.Node, need expr.ColumnSet) (stream, error) {
	out, err := l.operator(n, need)
	if err == nil && l.opts.ExplainEstimates && out.node.Base().Estimate == "" {
		out.node.Base().Estimate = l.est.Explain(n)
	}
	return out, err
}

func (l *lowerer) operator(n logical.Node, need expr.ColumnSet) (stream, error) {
	switch n := n.(type) {
	case *logical.Scan:
		return l.scan(n, need), nil
	case *logical.Filter:
		return l.filter(n, need)
	case *logical.Project:
		return l.project(n, need)
	case *logical.Join:
		return l.join(n, need)
	case *logical.Unnest:
		return l.unnest(n, need)
	case *logical.Window:
		return l.window(n, need)
	case *logical.Aggregate:
		return l.aggregate(n)
	case *logical.Distinct:
		return l.distinct(n)
	case *logical.Sort:
		return l.sort(n, need)
	case *logical.Limit:
		return l.limit(n, need)
	case *logical.SetOp:
		return l.setOp(n)
	case *logical.Values:
		return l.values(n), nil
	case *logical.CTERef:
		return l.cteRef(n, need), nil
	case *logical.Write:
		return l.write(n)
	}
	panic(invariant.Failed("lowering of %T", n))
}

// ordered lowers n with exactly the outputs cols, in that order.
func (l *lowerer) ordered(n logical.Node, cols []expr.Column) (stream, error) {
	in, err := l.node(n, expr.SetOfColumns(cols))
	if err != nil {
		return stream{}, err
	}
	return l.arranged(in, cols), nil
}

// arranged is in with exactly the outputs cols, in that order: a projection when it has others.
func (l *lowerer) arranged(in stream, cols []expr.Column) stream {
	same := len(in.cols()) == len(cols)
	for i := 0; same && i < len(cols); i++ {
		same = in.cols()[i].ID == cols[i].ID
	}
	if same {
		return in
	}
	p := &physical.Project{Info: l.info(cols, in.rows()), Input: in.node, Exprs: fields(in.cols(), expr.Refs(cols))}
	return in.as(p)
}

func (l *lowerer) info(cols []expr.Column, rows float64) physical.Info {
	return physical.Info{Cols: cols, Rows: rows}
}

func (l *lowerer) filter(n *logical.Filter, need expr.ColumnSet) (stream, error) {
	below := need.Clone()
	for _, c := range n.Conds {
		expr.AddColumns(&below, c)
	}
	in, err := l.node(n.Input, below)
	if err != nil {
		return stream{}, err
	}
	f := &physical.Filter{Info: l.info(in.cols(), l.est.Rows(n)), Input: in.node, Conds: fields(in.cols(), n.Conds)}
	return in.as(f), nil
}

func (l *lowerer) project(n *logical.Project, need expr.ColumnSet) (stream, error) {
	var below expr.ColumnSet
	var exprs []expr.Expr
	var cols []expr.Column
	for i, c := range n.Cols {
		if need.Has(c.ID) {
			exprs, cols = append(exprs, n.Exprs[i]), append(cols, c)
			expr.AddColumns(&below, n.Exprs[i])
		}
	}
	in, err := l.node(n.Input, below)
	if err != nil {
		return stream{}, err
	}
	if renamed, ok := rename(in.cols(), exprs, cols); ok {
		in.node.Base().Cols = renamed
		return in.renamed(exprs, cols), nil
	}
	p := &physical.Project{Info: l.info(cols, in.rows()), Input: in.node, Exprs: fields(in.cols(), exprs)}
	return in.renamed(exprs, cols).as(p), nil
}

// rename gives the columns of a node, which was just made, the ids of a projection that computes nothing and
// uses no column twice: then no operator is needed for it.
func rename(have []expr.Column, exprs []expr.Expr, cols []expr.Column) ([]expr.Column, bool) {
	out := append([]expr.Column(nil), have...)
	taken := make([]bool, len(have))
	for i, e := range exprs {
		c, ok := e.(*expr.Column)
		if !ok {
			return nil, false
		}
		at := position(have, c.ID)
		if at < 0 || taken[at] {
			return nil, false
		}
		taken[at] = true
		out[at] = cols[i]
		out[at].Null = out[at].Null || have[at].Null
	}
	return out, true
}

func (l *lowerer) values(n *logical.Values) stream {
	return foreign(&physical.Values{Info: l.info(n.Cols, float64(len(n.Rows))), Rows: n.Rows}, true, false)
}

func (l *lowerer) write(n *logical.Write) (stream, error) {
	in, err := l.ordered(n.Input, n.Input.Columns())
	if err != nil {
		return stream{}, err
	}
	return foreign(&physical.Write{Info: l.info(n.Cols, 1), Input: in.node, Table: n.Table, Sink: n.Sink}, true, false), nil
}

// gather brings all rows to one instance.
func (l *lowerer) gather(in stream) physical.Node {
	if in.single {
		return in.node
	}
	return &physical.Exchange{Info: l.info(in.cols(), in.rows()), Kind: physical.Gather, Input: in.node}
}

// hashed brings rows with equal keys to one instance.
func (l *lowerer) hashed(in stream, keys []expr.Expr) physical.Node {
	return &physical.Exchange{Info: l.info(in.cols(), in.rows()), Kind: physical.HashExchange, Input: in.node, Keys: keys}
}

// number gives every node its id, inputs before their consumer, the probe side before the build side; shared
// plans come first.
func number(root physical.Node, ctes []*physical.CTE) {
	next := physical.NodeID(0)
	var visit func(n physical.Node)
	visit = func(n physical.Node) {
		for _, c := range n.Children() {
			visit(c)
		}
		n.Base().ID = next
		next++
	}
	for _, c := range ctes {
		visit(c.Plan)
	}
	visit(root)
}
