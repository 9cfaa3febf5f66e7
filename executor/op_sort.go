package executor

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/planner/physical"
)

func (b *builder) buildSort(n *physical.Sort, down stage) error { return sqlerr.Unsupported("ORDER BY") }
