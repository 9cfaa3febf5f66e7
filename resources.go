package basalt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/admission"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// What the process has for its queries: memory (db.memory), CPU slots (db.slots), a line at
// the door, and a folder for what does not fit into memory.

// resources are the parts of a DB that only this file knows.
type resources struct {
	total int64 // bytes: Options.MemoryLimit
	queue *admission.Queue
	spill *spill.Store
	// ballast is live memory that the collector's pace reckons with.
	ballast []byte
	lock    *os.File // of a spill folder outside of a data folder
}

// spillPrefix names the folders of engines without a data folder, and the files that are
// locked as long as their process lives.
const spillPrefix = "basalt-spill-"

// openResources prepares the folder for temporary files. In a data folder it is ours alone,
// and what is there was left by a crash. Else it is in the system's folder for temporary
// files, beside those of other processes, and the folders of processes that are gone are
// swept.
func (db *DB) openResources(dir string) error {
	db.queue = admission.New(db.memory.Limit() / 4 * 3)
	if dir == "" && db.dir != "" {
		dir = filepath.Join(db.dir, "spill")
	}
	if dir != "" {
		db.resources.spill = spill.NewStore(db.fs, dir)
		return db.resources.spill.Sweep()
	}
	root := os.TempDir()
	sweepAbandoned(root)
	f, err := os.CreateTemp(root, spillPrefix+"*.lock")
	if err == nil {
		if err = lockFile(f); err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}
	if err != nil {
		// No reason not to start: a query that has to spill will say that it cannot.
		db.log.Warn("no folder for temporary files", "error", storage.FileError(err, root, "use"))
		db.resources.spill = spill.NewStore(db.fs, filepath.Join(root, fmt.Sprintf("%s%d", spillPrefix, os.Getpid())))
		return nil
	}
	db.lock = f
	db.resources.spill = spill.NewStore(db.fs, strings.TrimSuffix(f.Name(), ".lock"))
	return nil
}

// sweepAbandoned removes the spill folders below root whose lock nobody holds. Errors are
// no reason not to start: the files may be another user's.
func sweepAbandoned(root string) {
	locks, _ := filepath.Glob(filepath.Join(root, spillPrefix+"*.lock"))
	for _, name := range locks {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if lockFile(f) == nil {
			if err := os.RemoveAll(strings.TrimSuffix(name, ".lock")); err == nil {
				_ = os.Remove(name)
			}
		}
		_ = f.Close()
	}
}

// closeResources removes the folder for temporary files.
func (db *DB) closeResources() {
	if err := db.resources.spill.Sweep(); err != nil {
		db.log.Warn("temporary files could not be removed", "error", err)
	}
	if db.lock != nil {
		if err := os.Remove(db.lock.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			db.log.Warn("a lock file could not be removed", "error", err)
		}
		_ = db.lock.Close()
		db.lock = nil
	}
}

// queryMemory is what queries get of the process's memory.
func queryMemory(total, pages int64) int64 {
	return max(total-pages-min(total/8, 1<<30), total/4)
}

// How often garbage is collected: queries make large arrays that die young, and a collection
// takes a quarter of the cores from them. The heap grows threefold between two, and at
// least by twice the ballast, memory that lives but is never touched and so takes none.
const (
	gcPercent = 200
	ballast   = 64 << 20
)

// SetMemoryLimit tells the Go runtime to stay within Options.MemoryLimit, less what the
// program itself takes, and, where GOGC does not say otherwise, to collect less often before
// it comes near. It is for the whole process: a server calls it once, a library leaves it to
// its program.
func (db *DB) SetMemoryLimit() {
	limit := db.total - min(db.total/16, 64<<20)
	if os.Getenv("GOGC") == "" && db.total >= 16*ballast {
		db.resources.ballast = make([]byte, ballast)
		limit += ballast
		debug.SetGCPercent(gcPercent)
	}
	debug.SetMemoryLimit(limit)
}

// Spilled is how many bytes and files queries wrote to temporary files since Open.
func (db *DB) Spilled() (bytes, files int64) {
	return db.resources.spill.Written.Load(), db.resources.spill.Files.Load()
}

// QueueLength is how many queries wait to start, and how many run plans.
func (db *DB) QueueLength() (waiting, running int) { return db.queue.Waiting(), db.queue.Running() }

// Least memory of a query: for every driver's buffers, and for every operator that spills.
const (
	leastDriver   = 4 << 20
	leastOperator = 1 << 20
)

// forcedSpill is the memory that enable_force_spill leaves to a query's operators.
const forcedSpill = 4 << 10

// leastMemory is what a plan cannot do without when everything spills: a part of its limit.
func (x *execution) leastMemory(plan *fragment.Plan, rt *executor.Runtime) int64 {
	state := 0
	var walk func(n physical.Node)
	walk = func(n physical.Node) {
		switch n.(type) {
		case *physical.HashJoin, *physical.NestedLoopJoin, *physical.Aggregate, *physical.Sort, *physical.Window, *physical.SetOp:
			state++
		}
		for _, c := range n.Children() {
			walk(c)
		}
	}
	walk(plan.Root)
	for _, c := range plan.CTEs {
		state++
		walk(c.Plan)
	}
	limit := rt.Budget.Limit()
	perOperator := max(leastOperator, min(limit/64, 16<<20)) * int64(max(rt.Instances, 1))
	least := leastDriver*int64(max(rt.Instances, 1)) + int64(state)*perOperator
	return min(least, max(limit, leastOperator))
}

// launch is executor.Run behind the queue, with an area for temporary files. The query
// leaves when ctx, its statement's, ends.
func (x *execution) launch(ctx context.Context, plan *fragment.Plan, rt *executor.Runtime) (*executor.Result, error) {
	s := x.s.settings
	leave, err := x.s.db.queue.Enter(ctx, admission.Request{
		Bytes:       x.leastMemory(plan, rt),
		Concurrency: int(s.int("query_queue_concurrency_limit")),
		MaxWaiting:  int(s.int("query_queue_max_queued_queries")),
		Patience:    time.Duration(s.int("query_queue_pending_timeout_second")) * time.Second,
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, leave)
	if s.bool("enable_spill") {
		rt.Spill = x.s.db.resources.spill.NewArea()
		if s.bool("enable_force_spill") {
			rt.Budget.SpillAbove(forcedSpill)
		}
	}
	return executor.Run(ctx, plan, rt)
}

// logSlow writes the line of a statement that took longer than long_query_time.
func (s *Session) logSlow(text string, took time.Duration) {
	if took.Seconds() < s.settings.float("long_query_time") || !s.settings.bool("slow_query_log") {
		return
	}
	s.db.counters.SlowQueries.Add(1)
	const most = 4096
	if len(text) > most {
		text = text[:most] + "…"
	}
	s.db.log.Warn("slow query", "seconds", took.Seconds(), "session", s.id, "user", s.user, "host", s.host, "database", s.Database(), "query", text)
}
