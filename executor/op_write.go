package executor

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/planner/physical"
)

func (b *builder) buildWrite(n *physical.Write, down stage) error { return sqlerr.Unsupported("INSERT") }
