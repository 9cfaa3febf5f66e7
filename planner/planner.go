// Package planner takes a bound statement to the fragments that the executor runs:
// optimize, lower, cut. Each step is a package of its own below this one.
package planner

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/lower"
	"github.com/basaltdb/basalt/planner/optimize"
)

// Options are what a session may choose about planning. The zero value plans for one instance.
type Options struct {
	Instances         int             // copies of a fragment that run in parallel; at least 1
	DisabledPasses    map[string]bool // optimizer passes to leave out, by name; see optimize.Passes
	BroadcastRowLimit float64         // build sides with more estimated rows are shuffled; 0: the default
	PreferShuffle     bool            // prefer_join_method = shuffle
	NoRuntimeFilters  bool            // runtime_filter_mode = OFF
	NoColocate        bool            // disable_colocate_plan
	NoBucketShuffle   bool            // enable_bucket_shuffle_join = false
	// BucketShuffleRatio, BroadcastBytes and BucketRunRows are those of lower.Options.
	BucketShuffleRatio, BroadcastBytes, BucketRunRows float64
	Filters                                           lower.FilterOptions
	Functions                                         *function.Context // for constant folding; nil folds only what depends on nothing
	Trace                                             *optimize.Trace   // when set, records the passes
	// MaxPruningProduct bounds the combinations of values whose buckets are computed; 0: the default.
	MaxPruningProduct int
	NoDistinctRewrite bool // rewrite_count_distinct_to_bitmap_hll = false
	ExplainEstimates  bool // tell in the plan where estimates come from
	// Verify checks the plan after every pass and panics where one broke it; tests set it.
	Verify bool
}

// Plan optimizes, lowers and cuts. The binder's plan is not changed, but for the shared plans of common
// table expressions, so that a plan can be given only once. Errors are *sqlerr.Error.
func Plan(b *bind.Bound, opts Options) (*fragment.Plan, error) {
	ids := expr.NewIDs(b.NextID)
	n, err := run(b, ids, opts)
	if err != nil {
		return nil, err
	}
	root, ctes, err := lower.Plan(n, lower.Options{
		ExplainEstimates: opts.ExplainEstimates,
		Instances:        opts.Instances, BroadcastRowLimit: opts.BroadcastRowLimit, PreferShuffle: opts.PreferShuffle,
		NoRuntimeFilters: opts.NoRuntimeFilters, Filters: opts.Filters, IDs: ids,
		NoColocate: opts.NoColocate, NoBucketShuffle: opts.NoBucketShuffle, BucketShuffleRatio: opts.BucketShuffleRatio,
		BroadcastBytes: opts.BroadcastBytes, BucketRunRows: opts.BucketRunRows,
	})
	if err != nil {
		return nil, err
	}
	return fragment.Cut(root, ctes, opts.Instances), nil
}

// Optimize is the first step of Plan, for EXPLAIN LOGICAL.
func Optimize(b *bind.Bound, opts Options) (logical.Node, error) {
	return run(b, expr.NewIDs(b.NextID), opts)
}

func run(b *bind.Bound, ids *expr.IDs, opts Options) (logical.Node, error) {
	c := &optimize.Context{
		IDs: ids, Functions: opts.Functions, Disabled: opts.DisabledPasses, Trace: opts.Trace, Verify: opts.Verify,
		MaxPruningProduct: opts.MaxPruningProduct, NoDistinctRewrite: opts.NoDistinctRewrite,
	}
	return optimize.Run(c, b.Plan)
}
