package executor

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/planner/physical"
)

func (b *builder) buildSetOp(n *physical.SetOp, down stage) error {
	return sqlerr.Unsupported("INTERSECT and EXCEPT")
}
