package basalt

import "github.com/basaltdb/basalt/catalog"

func joinGroup(tx *catalog.Tx, t *catalog.Table) error  { return nil }
func checkGroup(tx *catalog.Tx, t *catalog.Table) error { return nil }
func checkColocatable(t *catalog.Table) error           { return nil }
