package executor

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/planner/physical"
)

type materialized struct{}

func (b *builder) buildCTERef(n *physical.CTERef, down stage) error { return sqlerr.Unsupported("WITH") }
