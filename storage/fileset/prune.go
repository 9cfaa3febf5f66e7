package fileset

import (
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/partition"
)

// pruning bounds the combinations of values whose buckets are computed when a scan starts: runtime
// filters come with many.
var pruning = partition.Pruning{MaxProduct: 4096}

// prune lists the files that may hold rows for the request, and counts what it left out.
func (s *Source) prune(req *storage.ScanRequest) []int32 {
	l := s.set.Layout
	src := s
	if len(req.Prune) > 0 {
		if sel := pruning.Prune(l, s.set.Columns, s.sel, req.Prune); sel != s.sel {
			src = s.set.restrict(sel)
		}
	}
	kept := src.files
	if len(req.Prune) > 0 {
		kept = make([]int32, 0, len(src.files))
		for _, f := range src.files {
			if s.set.mayMatch(f, req.Prune) {
				kept = append(kept, f)
			}
		}
	}
	if c := req.Counters; c != nil {
		total, _ := s.sel.Tablets(l)
		left, _ := src.sel.Tablets(l)
		c.PartitionsTotal.Add(int64(len(s.sel.Partitions)))
		c.PartitionsPruned.Add(int64(len(s.sel.Partitions) - len(src.sel.Partitions)))
		c.TabletsTotal.Add(int64(total))
		c.TabletsPruned.Add(int64(total - left))
		c.FilesTotal.Add(int64(len(s.files)))
		c.FilesPruned.Add(int64(len(s.files) - len(kept)))
	}
	return kept
}

// mayMatch reports whether a file may hold a row that satisfies all conjuncts.
func (s *set) mayMatch(file int32, conjuncts []storage.Predicate) bool {
	if s.Files[file].live() == 0 {
		return false
	}
	for i := range conjuncts {
		if !conjuncts[i].MayMatch(func(column int) storage.Range { return s.rangeOf(file, column) }) {
			return false
		}
	}
	return true
}
