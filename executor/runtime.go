package executor

import (
	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/storage"
)

// Runtime is what the operators of one query may know: nothing of sessions or catalogs.
type Runtime struct {
	Functions *function.Context
	Budget    *budget.Budget // the query's
	Spill     *spill.Area    // temporary files of the query, closed at its end; nil: what does not fit fails
	Slots     *Slots         // the process's CPU slots
	Instances int            // parallel drivers of a pipeline, at least 1
	BatchRows int            // rows of a batch; 0: vector.BatchRows. Tests use 7
	Profile   *Profile
	Pages     *storage.PageCache // decoded pages of all queries; nil: off
	Filters   FilterLimits

	selections *eval.Selections // of the scans' filters
}

// Driver is one goroutine's run of one pipeline; it holds a CPU slot while it computes.
type Driver struct {
	Index   int // 0 … Runtime.Instances-1
	Runtime *Runtime
	holding bool    // a CPU slot
	closed  bool    // the batch that is on its way down ends with a partition of the window above
	outer   *Driver // whose goroutine and slot this one works on, bucket by bucket; nil: its own
}
