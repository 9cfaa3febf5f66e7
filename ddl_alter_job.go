package basalt

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
)

// schemaChangeTimeout is what SHOW ALTER TABLE COLUMN shows: nothing is given up after it.
const schemaChangeTimeout = 86400

// rewrites are the tables that are being written anew for a change of their columns. Safe for concurrent use.
type rewrites struct {
	mu sync.Mutex
	at map[int64]*rewriteJob // by table id
}

// rewriteJob is a change of columns that writes its table anew, from beginRewrite to endRewrite: PENDING in the catalog,
// RUNNING to who asks.
type rewriteJob struct {
	table  *catalog.Table // as it is to be
	x      *execution     // whose statement it is
	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{} // closed at its end
	failed error         // valid after done
	tasks  taskCount
}

// taskCount is how many tasks of a job are done, of how many: as Doris's, one for each tablet. Safe for concurrent use.
type taskCount struct{ packed atomic.Uint64 }

// set is called by tasks that end side by side: the number never falls but for an attempt that begins anew.
func (c *taskCount) set(done, all int) {
	for {
		old := c.packed.Load()
		if done > 0 && uint32(old>>32) > uint32(done) || c.packed.CompareAndSwap(old, uint64(done)<<32|uint64(uint32(all))) {
			return
		}
	}
}

// text is the count as SHOW ALTER TABLE COLUMN has it; NULL while there is none.
func (c *taskCount) text() vector.Value {
	n := c.packed.Load()
	if uint32(n) == 0 {
		return nullText()
	}
	return str(fmt.Sprintf("%d/%d", n>>32, uint32(n)))
}

// errRewriteCancelled is what CANCEL ALTER TABLE COLUMN ends a statement with.
var errRewriteCancelled = sqlerr.New(sqlerr.Interrupted, "The change of columns was cancelled by CANCEL ALTER TABLE COLUMN")

// columnJobOf is the record of a change of t's columns.
func columnJobOf(t *catalog.Table, state catalog.JobState) catalog.AlterJob {
	return catalog.AlterJob{Kind: catalog.ColumnJob, Database: t.Database, Table: t.Name, TableID: t.ID, Index: t.Name, IndexID: t.ID,
		State: state, Schema: t.Schema, Timeout: schemaChangeTimeout}
}

// of is the job of a table; nil when none runs.
func (r *rewrites) of(table int64) *rewriteJob {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at[table]
}

// underChange is Doris's refusal of a second change while a table is written anew.
func underChange(t *catalog.Table) error {
	return sqlerr.Detail("Table[%s]'s state(SCHEMA_CHANGE) is not NORMAL. Do not allow doing ALTER ops", t.Name)
}

// beginRewrite notes a job; the caller works under its context and must call endRewrite.
func (x *execution) beginRewrite(ctx context.Context, as *catalog.Table) (*rewriteJob, error) {
	job := &rewriteJob{table: as, x: x, done: make(chan struct{})}
	r := &x.s.db.rewrites
	r.mu.Lock()
	taken := r.at[as.ID] != nil
	if !taken {
		if r.at == nil {
			r.at = map[int64]*rewriteJob{}
		}
		job.ctx, job.cancel = context.WithCancelCause(ctx)
		r.at[as.ID] = job
	}
	r.mu.Unlock()
	if taken {
		return nil, underChange(as)
	}
	err := x.s.db.cat.Update(func(tx *catalog.Tx) error {
		tx.AddJob(columnJobOf(as, catalog.JobPending))
		return nil
	})
	if err != nil {
		return nil, x.endRewrite(job, err)
	}
	return job, nil
}

// endRewrite ends a job whose statement ends with err, and returns what the user is told.
func (x *execution) endRewrite(job *rewriteJob, err error) error {
	if err != nil && context.Cause(job.ctx) == error(errRewriteCancelled) {
		err = errRewriteCancelled
	}
	job.cancel(nil)
	if err != nil {
		message := sqlerr.From(err).Message
		if err == error(errRewriteCancelled) {
			message = "user cancelled"
		}
		uerr := x.s.db.cat.Update(func(tx *catalog.Tx) error {
			tx.EndJobs(catalog.ColumnJob, job.table.ID, catalog.JobCancelled, message)
			return nil
		})
		if uerr != nil { // the next Open ends it
			x.s.db.log.Warn("cannot note the end of a schema change", "table", job.table.Name, "error", uerr)
		}
	}
	r := &x.s.db.rewrites
	r.mu.Lock()
	delete(r.at, job.table.ID)
	r.mu.Unlock()
	job.failed = err
	close(job.done)
	return err
}

// endRewrites ends the jobs that a process which ended left behind; their tables are as they were.
func (db *DB) endRewrites() error {
	var left []int64
	for _, j := range db.cat.Jobs() {
		if j.Kind == catalog.ColumnJob && j.State == catalog.JobPending {
			left = append(left, j.IndexID)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return db.cat.Update(func(tx *catalog.Tx) error {
		for _, id := range left {
			tx.EndJobs(catalog.ColumnJob, id, catalog.JobCancelled, "the process ended before it was done")
		}
		return nil
	})
}

// cancelRewrite is CANCEL ALTER TABLE COLUMN FROM t: the statement that writes t anew fails, and t is as it was. It returns
// when that is so.
func (x *execution) cancelRewrite(st *ast.CancelAlter) (*Rows, error) {
	t, err := x.insertTable(st.Table)
	if err != nil {
		return nil, err
	}
	none := sqlerr.Detail("Table[%s] is not under SCHEMA_CHANGE.", t.Name).At(st.Position())
	job := x.s.db.rewrites.of(t.ID)
	if job == nil {
		return nil, none
	}
	if len(st.Jobs) > 0 {
		named := func(j *catalog.AlterJob) bool {
			return j.Kind == catalog.ColumnJob && j.TableID == t.ID && j.State == catalog.JobPending && slices.Contains(st.Jobs, j.ID)
		}
		if !slices.ContainsFunc(x.s.db.cat.Jobs(), named) {
			return nil, none
		}
	}
	job.cancel(errRewriteCancelled)
	<-job.done
	if job.failed == nil { // it was too late
		return nil, none
	}
	return okRows(x.s, 0, ""), nil
}

// showAlterColumn is SHOW ALTER TABLE COLUMN: the changes of columns of a database. Those of the catalog alone are
// finished when their statement is.
func (x *execution) showAlterColumn(st *ast.Show) (*result, error) {
	name, err := x.showDatabase(st.From, st.Position())
	if err != nil {
		return nil, err
	}
	r := newResult([]Column{longCol("JobId"), textCol("TableName"), textCol("CreateTime"), textCol("FinishTime"), textCol("IndexName"), longCol("IndexId"),
		longCol("OriginIndexId"), textCol("SchemaVersion"), longCol("TransactionId"), textCol("State"), textCol("Msg"), textCol("Progress"), longCol("Timeout")})
	for _, j := range x.s.db.cat.Jobs() {
		if j.Database != name || j.Kind != catalog.ColumnJob {
			continue
		}
		table, state, progress := j.Table, string(j.State), nullText()
		if t := tableOf(x.snapshot, tableKey{j.Database, j.TableID}); t != nil {
			table = t.Name
		}
		if job := x.s.db.rewrites.of(j.TableID); j.State == catalog.JobPending && job != nil {
			state, progress = "RUNNING", job.tasks.text()
		}
		r.Add(long(j.ID), str(table), x.moment(j.Created), x.moment(j.Finished), str(table), long(j.IndexID), long(j.IndexID), str(strconv.Itoa(int(j.Schema))),
			long(j.ID), str(state), str(j.Message), progress, long(j.Timeout))
	}
	return r, nil
}
