package basalt

import "github.com/basaltdb/basalt/catalog"

const dynamicPrefix = "dynamic_partition."

func dynamicProperties(t *catalog.Table) (map[string]string, error) { return nil, nil }
func (db *DB) dynamicOf(t *catalog.Table) error                     { return nil }
