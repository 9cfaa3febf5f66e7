package basalt

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
)

// showLoad is SHOW LOAD: the INSERTs and LOADs of a database.
func (x *execution) showLoad(st *ast.Show) (*result, error) {
	name, err := x.showDatabase(st.From, st.Position())
	if err != nil {
		return nil, err
	}
	r := newResult(append(append([]Column{longCol("JobId")}, textCols("Label", "State", "Progress", "Type", "EtlInfo", "TaskInfo", "ErrorMsg", "CreateTime", "EtlStartTime",
		"EtlFinishTime", "LoadStartTime", "LoadFinishTime", "URL", "JobDetails")...), longCol("TransactionId"), textCol("ErrorTablets"), textCol("User"), textCol("Comment")))
	for _, t := range x.s.db.transactionsOf(name) {
		if t.Kind != insertKind && t.Kind != loadKind {
			continue
		}
		state, progress, info, message := "LOADING", "0%", nullText(), nullText()
		switch t.State {
		case catalog.TransactionVisible:
			state, progress = "FINISHED", "100%"
			info = str(fmt.Sprintf("unselected.rows=0; dpp.abnorm.ALL=%d; dpp.norm.ALL=%d", t.Filtered, t.Rows))
		case catalog.TransactionAborted:
			state = "CANCELLED"
			message = str("type:LOAD_RUN_FAIL; msg:" + t.Reason)
		}
		began, ended := x.moment(t.Began), x.moment(t.Finished)
		r.Add(long(t.ID), str(t.Label), str(state), str(progress), str(t.Kind), info, str(fmt.Sprintf("cluster:N/A; timeout(s):%d; max_filter_ratio:0.0", t.Timeout)), message,
			began, began, began, began, ended, str(""), str(jobDetails(t)), long(t.ID), str("{}"), str(t.User), str(""))
	}
	return r, nil
}

// errLoadCancelled is what CANCEL LOAD ends a statement with.
var errLoadCancelled = sqlerr.New(sqlerr.Interrupted, "The load was cancelled by CANCEL LOAD")

// cancelLoad is CANCEL LOAD FROM db WHERE …: the loads that SHOW LOAD would show, and that run, fail and leave nothing. It
// returns when that is so.
func (x *execution) cancelLoad(st *ast.CancelLoad) (*Rows, error) {
	r, err := x.showLoad(&ast.Show{Pos: st.Pos, From: st.Database})
	if err != nil {
		return nil, err
	}
	found, err := x.filteredShow(r, &ast.Show{Pos: st.Pos, Where: st.Where})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, sqlerr.Detail("Load job does not exist").At(st.Position())
	}
	list := &x.s.db.transactions
	var ending []*transaction
	list.mu.Lock()
	for _, row := range found {
		if w := list.running[row[0].Int64()]; w != nil && w.cancel != nil {
			w.cancelled = true
			ending = append(ending, w)
		}
	}
	list.mu.Unlock()
	cancelled := false
	for _, w := range ending {
		w.cancel(errLoadCancelled)
		<-w.done
		cancelled = cancelled || !w.visible
	}
	if !cancelled {
		return nil, sqlerr.Detail("There is no uncompleted job").At(st.Position())
	}
	return okRows(x.s, 0, ""), nil
}

// cleanLabel is CLEAN LABEL [label] FROM db: loads that have ended are forgotten, and their labels free.
func (x *execution) cleanLabel(st *ast.CleanLabel) (*Rows, error) {
	name, err := x.showDatabase(st.Database, st.Position())
	if err != nil {
		return nil, err
	}
	id := x.s.db.cat.DatabaseID(name)
	list := &x.s.db.transactions
	list.mu.Lock()
	list.aborted = slices.DeleteFunc(list.aborted, func(t *catalog.Transaction) bool {
		return t.DatabaseID == id && (st.Label == "" || t.Label == st.Label)
	})
	list.mu.Unlock()
	err = x.s.db.cat.Update(func(tx *catalog.Tx) error {
		tx.CleanTransactions(id, st.Label)
		return nil
	})
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	return okRows(x.s, 0, ""), nil
}

// jobDetails is the column of this name: Doris's JSON.
func jobDetails(t *catalog.Transaction) string {
	text, err := json.Marshal(struct {
		Unfinished  map[string]string `json:"Unfinished backends"`
		ScannedRows int64
		TaskNumber  int64
		LoadBytes   int64
		All         map[string]string `json:"All backends"`
		FileNumber  int64
		FileSize    int64
	}{map[string]string{}, t.Rows + t.Filtered, 1, t.Bytes, map[string]string{}, t.Files, t.Bytes})
	if err != nil {
		return "{}"
	}
	return string(text)
}

// transactionWords are the words of SHOW TRANSACTION's WHERE that are not its columns' names.
var transactionWords = map[string]string{"id": "TransactionId", "status": "TransactionStatus"}

// showTransaction is SHOW TRANSACTION.
func (x *execution) showTransaction(st *ast.Show) (*result, error) {
	name, err := x.showDatabase(st.From, st.Position())
	if err != nil {
		return nil, err
	}
	r := newResult(append(append(append([]Column{longCol("TransactionId")}, textCols("Label", "Coordinator", "TransactionStatus", "LoadJobSourceType", "PrepareTime", "PreCommitTime",
		"CommitTime", "PublishTime", "FinishTime", "Reason")...), longCol("ErrorReplicasCount"), longCol("ListenerId"), longCol("TimeoutMs")), textCol("ErrMsg")))
	r.words = transactionWords
	for _, t := range x.s.db.transactionsOf(name) {
		source := "INSERT_STREAMING"
		if t.Kind == loadKind {
			source = "BACKEND_STREAMING"
		}
		committed := nullText()
		if t.State == catalog.TransactionVisible {
			committed = x.moment(t.Finished)
		}
		r.Add(long(t.ID), str(t.Label), str("FE: 127.0.0.1"), str(string(t.State)), str(source), x.moment(t.Began), nullText(), committed, committed, x.moment(t.Finished),
			str(t.Reason), long(0), long(-1), long(t.Timeout*int64(time.Second/time.Millisecond)), str(""))
	}
	return r, nil
}

// showLastInsert is SHOW LAST INSERT: the session's last statement that wrote rows.
func (x *execution) showLastInsert() *result {
	r := newResult(append(append([]Column{longCol("TransactionId")}, textCols("Label", "Database", "Table", "TransactionStatus")...), longCol("LoadedRows"), longCol("FilteredRows")))
	if t := x.s.lastInsert; t != nil {
		r.Add([]vector.Value{long(t.ID), str(t.Label), str(t.Database), str(t.Table), str(string(t.State)), long(t.Rows), long(t.Filtered)}...)
	}
	return r
}
