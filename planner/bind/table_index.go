package bind

import (
	"slices"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/logical"
)

// index binds FROM t INDEX r: the rows that a rollup or materialised view of t holds, under its own columns. It reads no other
// rows than those: partitions that are not in it yet are an error, and can be left out by PARTITION.
func (b *binder) index(tab *catalog.Table, t *ast.TableName, alias string) (fromItem, error) {
	var x *logical.Index
	if b.env.Indexes != nil && len(tab.Indexes) > 0 {
		list := b.env.Indexes(tab)
		if at := slices.IndexFunc(list, func(x *logical.Index) bool { return equalName(x.Name, t.Index) }); at >= 0 {
			x = list[at]
		}
	}
	if x == nil {
		return fromItem{}, sqlerr.Detail("Table [%s] does not have materialized view [%s]", tab.Name, t.Index).At(t.Position())
	}
	switch {
	case len(t.Tablets) > 0:
		return fromItem{}, sqlerr.Unsupported("TABLET of an index").At(t.Position())
	case t.Sample != nil:
		return fromItem{}, sqlerr.Unsupported("TABLESAMPLE of an index").At(t.Sample.Position())
	}
	src, sel, err := restricted(x.Rows, t)
	if err != nil {
		return fromItem{}, err
	}
	if x.Reason != "" {
		return fromItem{}, sqlerr.Detail("Index [%s] of table [%s] cannot be read: %s", x.Name, tab.Name, x.Reason).At(t.Position())
	}
	read := sel
	if read == nil {
		read = x.Rows.Selection()
	}
	for _, p := range read.Partitions {
		if x.Stale != nil && x.Stale[p] {
			return fromItem{}, sqlerr.Detail("Index [%s] of table [%s] does not have partition %s yet", x.Name, tab.Name, x.Rows.Layout().Partitions[p].Name).At(t.Position())
		}
	}
	it := b.scan(src, tab.Database+"."+tab.Name, tab.Name, alias)
	if scan, ok := it.node.(*logical.Scan); ok {
		scan.Index, scan.Known, scan.Selection = x.Name, x.Known, sel
	}
	if t.Alias == "" {
		it.rels[0].database = tab.Database
	}
	return it, nil
}
