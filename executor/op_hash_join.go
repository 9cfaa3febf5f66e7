package executor

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// hashJoin is one join of a running query: the build pipeline ends in hashJoinSink, the
// probe pipeline passes through one hashJoinProbe a driver, and for kinds that yield
// build rows (Right, Full, RightSemi, RightAnti) a last pipeline starts at hashJoinTail.
// All drivers build one table together and probe it together, whatever distribution the
// plan gave the join between nodes.
type hashJoin struct {
	rt     *Runtime
	n      *physical.HashJoin
	node   *NodeProfile
	layout *hashtable.Layout
	memory *memoryClaim
	arena  *hashtable.Arena
	// used says which columns of the build batch are kept, for output or Residual.
	used       []bool
	probeTypes []sqltype.Type
	buildTypes []sqltype.Type

	mu      sync.Mutex
	writers []*joinWriter
	dicts   map[*vector.Vector]*vector.Vector // dictionaries of build batches, copied

	// After Finalize, read-only:
	rows  int
	cols  []*vector.Vector // by build column, nil where unused; flat or dictionary
	table *hashtable.JoinTable
	mark  *joinMarks // Mark and NullAwareAnti only

	matched []uint32 // a bit a build row, for kinds that ask; set atomically
	filters *runtimeFilters
	tail    atomic.Int64 // next row of the tail
	held    int64

	// spillable: a last pipeline (hashJoinAway) joins what is not in memory; the builder adds it.
	spillable bool
	disk      joinSpill
	measured  bool        // what is loaded is known to fit
	spilled   spilledKeys // what runtime filters know of rows on disk
	share     int         // joins that are built at the same time as this one
	expected  int         // build rows that the one driver of a bucket will see; 0: unknown
}

// newHashJoin makes the join of n. filters, which may be nil, receives its runtime filters.
func newHashJoin(n *physical.HashJoin, rt *Runtime, filters *runtimeFilters) (*hashJoin, error) {
	j := &hashJoin{rt: rt, n: n, node: rt.Profile.Node(n.ID), arena: &hashtable.Arena{}, filters: filters,
		dicts: map[*vector.Vector]*vector.Vector{}, share: 1}
	j.memory = newSpillClaim(rt, fmt.Sprintf("hash join build #%d", n.ID), j.node)
	nullSafe := make([]bool, len(n.BuildKeys))
	copy(nullSafe, n.NullSafe)
	var err error
	if j.layout, err = hashtable.NewJoinLayout(typesOf(n.BuildKeys), nullSafe); err != nil {
		return nil, err
	}
	for _, c := range n.Probe.Base().Cols {
		j.probeTypes = append(j.probeTypes, c.T)
	}
	for _, c := range n.Build.Base().Cols {
		j.buildTypes = append(j.buildTypes, c.T)
	}
	j.used = make([]bool, len(j.buildTypes))
	for _, c := range n.BuildCols {
		j.used[c] = true
	}
	for _, c := range fieldsOf(n.Residual) {
		if c >= len(j.probeTypes) {
			j.used[c-len(j.probeTypes)] = true
		}
	}
	if n.Kind == physical.Mark || n.Kind == physical.NullAwareAnti {
		if j.mark, err = newJoinMarks(j); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// fieldsOf lists the positions that expressions read, each once, ascending.
func fieldsOf(es []expr.Expr) []int {
	seen := map[int]bool{}
	last := -1
	for _, e := range es {
		expr.Walk(e, func(x expr.Expr) bool {
			if f, ok := x.(*expr.Field); ok {
				seen[int(f.Index)] = true
				last = max(last, int(f.Index))
			}
			return true
		})
	}
	var out []int
	for i := range last + 1 {
		if seen[i] {
			out = append(out, i)
		}
	}
	return out
}

// nullSafe reports whether NULLs of key i are equal.
func (j *hashJoin) nullSafe(i int) bool { return i < len(j.n.NullSafe) && j.n.NullSafe[i] }

// keepsBuildRows: build rows matter even when their keys are NULL.
func (j *hashJoin) keepsBuildRows() bool {
	switch j.n.Kind {
	case physical.Right, physical.Full, physical.RightAnti:
		return true
	case physical.Mark, physical.NullAwareAnti:
		return !j.divisible()
	}
	return false
}

// wantsMatched: the tail needs to know which build rows matched.
func (j *hashJoin) wantsMatched() bool {
	switch j.n.Kind {
	case physical.Right, physical.Full, physical.RightSemi, physical.RightAnti:
		return true
	}
	return false
}

// build makes the table of what the writers collected; called once, by Finalize.
func (j *hashJoin) build(ctx context.Context) error {
	for _, w := range j.writers {
		j.rows += w.rows.N
	}
	if j.spillable && (j.disk.on.Load() || !j.roomForTable()) {
		if err := j.startSpill(); err != nil {
			return err
		}
		if err := j.settle(ctx); err != nil {
			return err
		}
	}
	var parts []*hashtable.Rows
	j.rows = 0
	for _, w := range j.writers {
		j.rows += w.rows.N
		parts = append(parts, w.rows)
	}
	if j.rows >= math.MaxInt32 {
		return sqlerr.New(sqlerr.OutOfMemory, "hash join build #%d has %d rows, more than 2^31", j.n.ID, j.rows)
	}
	skip := joinSkips(j.writers, j.rows)
	// Claimed before it is allocated: the table, and the columns once more while they are put together.
	if j.spillable || j.measured {
		j.memory.force(&j.held, int64(j.rows)*j.tableRowBytes())
	} else if err := j.memory.settle(&j.held, int64(j.rows)*j.tableRowBytes()); err != nil {
		return err
	}
	if err := j.joinColumns(ctx); err != nil {
		return err
	}
	j.table = hashtable.NewJoinTable(j.layout, parts, skip)
	if err := insertAll(ctx, j.rt, j.table, j.rows); err != nil {
		return err
	}
	if j.wantsMatched() {
		j.matched = make([]uint32, (j.rows+31)/32)
	}
	if !j.divisible() {
		if err := j.mark.build(ctx, j.writers); err != nil {
			return err
		}
	}
	if j.disk.some { // keys are missing here
		j.publishSpilled()
	} else {
		if err := j.publishFilters(ctx, parts, skip); err != nil {
			return err
		}
	}
	j.writers = nil
	if j.disk.level == 0 {
		j.node.Notes.Store("build rows", fmt.Sprint(j.rows))
	}
	n := j.table.Bytes() + int64(4*len(j.matched))
	if j.spillable || j.measured {
		j.memory.force(&j.held, n)
		return nil
	}
	return j.memory.settle(&j.held, n)
}

// insertChunk is how many build rows a goroutine inserts at a time.
const insertChunk = 1 << 14

func insertAll(ctx context.Context, rt *Runtime, t *hashtable.JoinTable, rows int) error {
	chunks, insert := (rows+insertChunk-1)/insertChunk, t.Insert
	if rt.Instances == 1 {
		insert = t.InsertAlone
	}
	return parallelTasks(ctx, rt, rt.Instances, chunks, func(_, c int) error {
		insert(c*insertChunk, min((c+1)*insertChunk, rows))
		return nil
	})
}

// joinSkips has a zero for each build row whose key is NULL; nil when there is none.
func joinSkips(writers []*joinWriter, rows int) vector.Bitmap {
	var skip vector.Bitmap
	base := 0
	for _, w := range writers {
		for _, r := range w.nulls {
			if skip == nil {
				skip = vector.NewBitmap(rows)
			}
			skip.Clear(base + int(r))
		}
		base += w.rows.N
	}
	return skip
}

// setMatched marks a build row and reports whether it was marked before.
func (j *hashJoin) setMatched(row uint32) bool {
	w, bit := &j.matched[row>>5], uint32(1)<<(row&31)
	if atomic.LoadUint32(w)&bit != 0 {
		return true
	}
	atomic.OrUint32(w, bit)
	return false
}

// release frees the join's memory when the query ends.
func (j *hashJoin) release() {
	j.memory.release()
	j.writers, j.cols, j.table, j.mark, j.matched = nil, nil, nil, nil, nil
}

func batchRowsOf(rt *Runtime) int {
	if rt.BatchRows > 0 {
		return rt.BatchRows
	}
	return vector.BatchRows
}
