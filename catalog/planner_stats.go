package catalog

import (
	"runtime"
	"sync"
	"weak"

	"github.com/basaltdb/basalt/storage"
)

// written caches what the files of a version of a table tell together: decoding a sketch a file and column is too much
// for every plan. Entries go with their Table.
var written sync.Map // weak.Pointer[Table] -> *storage.Stats

// KnownStats are what is known of the whole table beyond its footers, by position of t.Columns: ANALYZE's results, else what
// was collected when the files were written. nil when there is nothing. The result must not be changed.
func (t *Table) KnownStats() *storage.Stats {
	analyzed := t.PlannerStats()
	if len(t.Files) == 0 {
		return analyzed
	}
	key := weak.Make(t)
	w, ok := written.Load(key)
	if !ok {
		w = t.WrittenStats(nil)
		if _, raced := written.LoadOrStore(key, w); !raced {
			runtime.AddCleanup(t, func(k weak.Pointer[Table]) { written.Delete(k) }, key)
		}
	}
	files := w.(*storage.Stats)
	if analyzed == nil {
		return files
	}
	out := *files
	out.Columns = append([]storage.ColumnStats(nil), files.Columns...)
	for i := range out.Columns {
		a, f := &analyzed.Columns[i], &out.Columns[i]
		if a.Distinct < 0 {
			continue
		}
		fresh := *f
		*f = *a
		if fresh.Sketch != nil && !alike(files.Rows, analyzed.Rows) {
			f.Distinct, f.Sketch, f.Nulls = fresh.Distinct, fresh.Sketch, fresh.Nulls // written since
		} else if analyzed.Rows > 0 && a.Nulls > 0 {
			f.Nulls = int64(float64(a.Nulls) / float64(analyzed.Rows) * float64(files.Rows))
		}
	}
	return &out
}

// alike reports whether two counts differ by a tenth at most.
func alike(a, b int64) bool { return 10*a <= 11*b && 10*b <= 11*a }
