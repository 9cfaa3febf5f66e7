package basalt

import (
	"slices"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage/widen"
)

// Columns may change while a load is under way. What it wrote is read by the ids of its columns, so most changes do not
// matter to it. Those do that make another order of rows, or another key to find the rows that it replaces by: the load fails.

// checkLoad refuses files that were written to a table as planned when the table as it is now must not have them.
func checkLoad(planned, now *catalog.Table) error {
	if now == nil || now.Schema == planned.Schema {
		return nil // a table that is gone is told by who publishes
	}
	changed := !sameOrder(now, planned) || now.Model == catalog.UniqueKey && !sameKey(now, planned)
	for i := range now.Columns { // that were added to a table without rows: it has some now
		c := &now.Columns[i]
		was := planned.ColumnByID(c.ID)
		if was == nil && !c.Nullable && constantDefault(c).Null && !isOpaque(c) || was != nil && !readsAs(*was, *c) {
			changed = true
		}
	}
	if changed {
		return sqlerr.New(sqlerr.DefinitionChanged, "Table definition has changed, please retry transaction").
			WithHint("Columns of table %s were changed while the load was running", now.Name)
	}
	return nil
}

// sameOrder reports whether rows in the order of the key that planned has are in that of now.
func sameOrder(now, planned *catalog.Table) bool {
	if !keepsOrder(now, planned.Distribution.Sorted, now.Distribution.Sorted) {
		return false
	}
	return !slices.ContainsFunc(now.Distribution.Sorted, func(id int32) bool {
		was, is := planned.ColumnByID(id), now.ColumnByID(id)
		return was != nil && is != nil && !widen.Ordered(was.Type, is.Type)
	})
}

// sameKey reports whether two forms of a table have one key.
func sameKey(now, planned *catalog.Table) bool {
	return slices.EqualFunc(sortedBy(now), sortedBy(planned), func(a, b int32) bool {
		return a == b && now.ColumnByID(a).Type.Equal(planned.ColumnByID(b).Type)
	})
}

// fitIndexes takes the files of indexes that rows go to in another way now out of what a load wrote, and returns them. The
// indexes are not said to cover the rows of the load, so that these are indexed in the background.
func fitIndexes(planned, now *catalog.Table, files []catalog.DataFile) (kept, gone []catalog.DataFile) {
	if now == nil || now.Schema == planned.Schema {
		return files, nil
	}
	stale := func(id int64) bool { return !sameIndex(planned.IndexByID(id), now.IndexByID(id)) }
	for _, f := range files {
		if f.Index != 0 && stale(f.Index) {
			gone = append(gone, f)
			continue
		}
		if slices.ContainsFunc(f.Indexed, stale) {
			f.Indexed = slices.DeleteFunc(slices.Clone(f.Indexed), stale)
		}
		kept = append(kept, f)
	}
	return kept, gone
}

// sameIndex reports whether the rows of an index as planned are right in the index as it is now.
func sameIndex(planned, now *catalog.Index) bool {
	if planned == nil || now == nil {
		return planned == now
	}
	n := planned.Keys()
	for i := range now.Columns {
		c := &now.Columns[i]
		at := slices.IndexFunc(planned.Columns, func(x catalog.IndexColumn) bool { return x.ID == c.ID })
		if at >= 0 && !readsAs(planned.Columns[at].Column, c.Column) {
			return false
		}
	}
	return n == now.Keys() && slices.EqualFunc(planned.Columns[:n], now.Columns[:n], func(a, b catalog.IndexColumn) bool {
		return a.ID == b.ID && widen.Ordered(a.Type, b.Type)
	})
}
