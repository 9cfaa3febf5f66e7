package basalt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage/table"
)

// Every statement that brings or changes rows is a transaction with a label, which is used once in its database. While
// the statement runs, transactions keeps others from its label; the publication that makes its rows visible notes it in the same catalog
// transaction, which refuses a label that is noted already. So a label stands for rows that are there exactly once, also
// after a crash, and one whose statement failed is free again. Loads that are no statements begin and end one in the same way.

// Kinds of transactions, and how the labels begin that are made up for them.
const (
	insertKind = "INSERT"
	loadKind   = "LOAD DATA"
	deleteKind = "DELETE"
	updateKind = "UPDATE"
)

var labelPrefixes = map[string]string{insertKind: "insert_", loadKind: "load_", deleteKind: "delete_", updateKind: "update_"}

// labelPattern is what labels look like.
var labelPattern = regexp.MustCompile(`^[-\w]{1,128}$`)

// maxMadeUpLabels transactions whose labels were made up stay on record; keptAborted of those that failed since Open.
const (
	maxMadeUpLabels = 2000
	keptAborted     = 200
)

// transactions are those that run, and the last ones that failed.
type transactions struct {
	mu      sync.Mutex
	running map[int64]*transaction
	aborted []*catalog.Transaction
}

// transaction is one in progress.
type transaction struct {
	db     *DB
	record catalog.Transaction
	sinks  []routedSink            // that know what they filtered
	cancel context.CancelCauseFunc // of its statement; nil: it cannot be
	done   chan struct{}           // closed when it has ended
	// cancelled is set by CANCEL LOAD. Guarded by transactions.mu.
	cancelled bool
	// visible is set when the rows are. Only the statement's goroutine and its publication look at it.
	visible bool
}

// loadLabel is the label of a statement as written; the zero value is none.
type loadLabel struct {
	database, name string
	pos            int
}

// beginTransaction begins one that writes to t. It fails when the label is used, or another transaction that runs has it.
func (x *execution) beginTransaction(t *catalog.Table, kind string, l loadLabel) (*transaction, error) {
	db := x.s.db
	if l.database != "" && l.database != t.Database {
		return nil, sqlerr.New(sqlerr.WrongUsage, "The label's database '%s' is not that of the table, '%s'", l.database, t.Database).At(l.pos)
	}
	if l.name != "" && !labelPattern.MatchString(l.name) {
		return nil, sqlerr.Detail("Label format error. regex: %s, label: %s", labelPattern, l.name).At(l.pos)
	}
	w := &transaction{db: db, cancel: x.s.canceller(), done: make(chan struct{}), record: catalog.Transaction{ID: db.newTxn(), Label: l.name, Named: l.name != "", DatabaseID: db.cat.DatabaseID(t.Database), Database: t.Database,
		Table: t.Name, Kind: kind, User: x.s.user, State: catalog.TransactionRuns, Began: db.now().UTC().Truncate(time.Second), Timeout: x.s.settings.int("query_timeout")}}
	if l.name == "" {
		w.record.Label = fmt.Sprintf("%s%016x-%016x", labelPrefixes[kind], rand.Uint64(), rand.Uint64())
	}
	r := &db.transactions
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.name != "" {
		used := db.cat.UsedBy(w.record.DatabaseID, l.name, db.now(), db.retention())
		for _, o := range r.running { // after the look into the catalog: what commits meanwhile still runs
			if o.record.DatabaseID == w.record.DatabaseID && o.record.Label == l.name {
				used = &o.record
			}
		}
		if used != nil {
			return nil, sqlerr.From(catalog.UsedLabel(used)).At(l.pos)
		}
	}
	if r.running == nil {
		r.running = map[int64]*transaction{}
	}
	r.running[w.record.ID] = w
	return w, nil
}

// end ends a transaction: what did not become visible is aborted, and its label free again. A statement that had
// nothing to write leaves no trace.
func (w *transaction) end(err error) {
	r := &w.db.transactions
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, w.record.ID)
	close(w.done)
	if w.visible || err == nil {
		return
	}
	failed := w.record
	failed.State, failed.Reason, failed.Finished = catalog.TransactionAborted, sqlerr.From(err).Message, w.db.now().UTC().Truncate(time.Second)
	if w.cancelled {
		failed.Reason = "user cancel"
	}
	r.aborted = append(r.aborted, &failed)
	r.aborted = r.aborted[max(len(r.aborted)-keptAborted, 0):]
}

// note records a transaction as part of the catalog transaction that makes its rows visible.
func (w *transaction) note(tx *catalog.Tx, ready []published) error {
	if w == nil {
		return nil
	}
	t := w.record
	for i := range ready {
		t.Rows += ready[i].rows
		t.Bytes += ready[i].bytes
		t.Files += ready[i].files
	}
	for _, s := range w.sinks {
		t.Filtered += s.Filtered()
	}
	return tx.RecordTransaction(t, w.db.retention())
}

// shows says that what was published is visible, if there was anything.
func (w *transaction) shows(ready []published) {
	if w != nil && slices.ContainsFunc(ready, func(p published) bool { return p.apply != nil || p.outside != nil }) {
		w.visible = true
	}
}

// retention is how long transactions are remembered, by the global settings.
func (db *DB) retention() catalog.Retention {
	db.mu.Lock()
	defer db.mu.Unlock()
	seconds := func(name string) time.Duration { return time.Duration(db.global.int(name)) * time.Second }
	return catalog.Retention{Named: seconds("label_keep_max_second"), Other: seconds("streaming_label_keep_max_second"),
		MaxNamed: int(db.global.int("label_num_threshold")), MaxOther: maxMadeUpLabels}
}

// inTransaction runs a statement that writes to t as a transaction, and tells the client of it.
func (x *execution) inTransaction(t *catalog.Table, kind string, l loadLabel, do func() (*Rows, error)) (*Rows, error) {
	if x.transaction != nil { // of the statement that this one is a part of
		return do()
	}
	w, err := x.beginTransaction(t, kind, l)
	if err != nil {
		return nil, err
	}
	x.transaction = w
	rows, err := do()
	w.end(err)
	if err != nil || !w.visible {
		return rows, err
	}
	rows.info = fmt.Sprintf("{'label':'%s', 'status':'%s', 'txnId':'%d'}", w.record.Label, catalog.TransactionVisible, w.record.ID)
	last := w.record
	last.State, last.Rows = catalog.TransactionVisible, rows.affected
	for _, s := range w.sinks {
		last.Filtered += s.Filtered()
	}
	x.s.lastInsert = &last
	return rows, nil
}

// transactionsOf are the transactions of a database: those on record, those that failed since Open and those that run.
func (db *DB) transactionsOf(database string) []*catalog.Transaction {
	id := db.cat.DatabaseID(database)
	r := &db.transactions
	r.mu.Lock()
	var out []*catalog.Transaction
	for _, w := range r.running {
		if w.record.DatabaseID == id {
			t := w.record
			out = append(out, &t)
		}
	}
	for _, t := range r.aborted {
		if t.DatabaseID == id {
			out = append(out, t)
		}
	}
	r.mu.Unlock()
	for _, t := range db.cat.Transactions(id) { // after the others: what commits meanwhile is seen once, as visible
		out = slices.DeleteFunc(out, func(o *catalog.Transaction) bool { return o.ID == t.ID })
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *catalog.Transaction) int { return int(min(max(a.ID-b.ID, -1), 1)) })
	return out
}

// measured notes how much a write brought.
func (w published) measured(files []catalog.DataFile) published {
	for i := range files {
		if f := &files[i]; f.Index == 0 {
			w.rows += f.Rows
			w.bytes += f.Bytes
			w.files++
		}
	}
	return w
}

// measuredFiles is measured for files that the catalog does not list.
func (w published) measuredFiles(files []table.File) published {
	for i := range files {
		w.rows += files[i].Rows
		w.bytes += files[i].Bytes
		w.files++
	}
	return w
}

// transactionWord is BEGIN, COMMIT and ROLLBACK. Every statement is its own transaction; the words are accepted as MySQL
// clients send them. A ROLLBACK of rows that are there to stay warns, as MySQL's of tables without transactions.
func (x *execution) transactionWord(st *ast.Transaction) (*Rows, error) {
	if st.Label != "" {
		return nil, sqlerr.Unsupported("BEGIN WITH LABEL").At(st.Position())
	}
	open := x.s.began || !x.s.settings.bool("autocommit")
	if st.Op == "ROLLBACK" && open && x.s.lastInsert != x.s.settled {
		x.warn(sqlerr.New(sqlerr.NotRolledBack, "Some non-transactional changed tables couldn't be rolled back"))
	}
	x.s.began, x.s.settled = st.Op == "BEGIN", x.s.lastInsert
	return okRows(x.s, 0, ""), nil
}
