package executor

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/planner/physical"
)

func (b *builder) buildNestedLoopJoin(n *physical.NestedLoopJoin, down stage) error {
	return sqlerr.Unsupported("a join without equality")
}
