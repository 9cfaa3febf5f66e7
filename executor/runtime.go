package executor

import (
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
)

// Runtime is what the operators of one query may know: nothing of sessions or catalogs.
type Runtime struct {
	Functions *function.Context
	Budget    *budget.Budget // the query's
	Slots     *Slots         // the process's CPU slots
	Instances int            // parallel drivers of a pipeline, at least 1
	BatchRows int            // rows of a batch; 0: vector.BatchRows. Tests use 7
	Profile   *Profile
}

// batchRows is the number of rows that operators make batches of.
func (rt *Runtime) batchRows() int {
	if rt.BatchRows <= 0 {
		return vector.BatchRows
	}
	return rt.BatchRows
}

// Driver is one goroutine's run of one pipeline; it holds a CPU slot while it computes.
type Driver struct {
	Index   int // 0 … Runtime.Instances-1
	Runtime *Runtime
	holding bool // a CPU slot
}
