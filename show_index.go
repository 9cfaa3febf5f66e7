package basalt

import (
	"fmt"
	"strings"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
)

// showAlterRollup is SHOW ALTER TABLE ROLLUP and SHOW ALTER TABLE MATERIALIZED VIEW: the jobs that build indexes.
func (x *execution) showAlterRollup(st *ast.Show) (*result, error) {
	name, err := x.showDatabase(st.From, st.Position())
	if err != nil {
		return nil, err
	}
	r := newResult([]Column{longCol("JobId"), textCol("TableName"), textCol("CreateTime"), textCol("FinishTime"), textCol("BaseIndexName"), textCol("RollupIndexName"),
		longCol("RollupId"), longCol("TransactionId"), textCol("State"), textCol("Msg"), textCol("Progress"), longCol("Timeout")})
	for _, j := range x.s.db.cat.Jobs() {
		if j.Database != name || j.Kind != catalog.RollupJob {
			continue
		}
		table := j.Table
		t := tableOf(x.snapshot, tableKey{j.Database, j.TableID})
		if t != nil {
			table = t.Name
		}
		state, progress := string(j.State), nullText()
		if j.State == catalog.JobPending && t != nil {
			if x.s.db.indexing.builds(j.IndexID) {
				state = "RUNNING"
			}
			progress = str(buildProgress(t, j.IndexID))
		}
		r.Add(long(j.ID), str(table), x.moment(j.Created), x.moment(j.Finished), str(table), str(j.Index), long(j.IndexID), long(j.IndexID),
			str(state), str(j.Message), progress, long(j.Timeout))
	}
	return r, nil
}

// moment is a time as the session sees it; NULL for none.
func (x *execution) moment(t time.Time) vector.Value {
	if t.IsZero() {
		return nullText()
	}
	return str(t.In(x.fc.Location).Format(time.DateTime))
}

// buildProgress is the part of a table's rows that an index has.
func buildProgress(t *catalog.Table, index int64) string {
	done, all := int64(0), int64(0)
	for i := range t.Files {
		all += t.Files[i].Rows
		if t.Files[i].Covers(index) {
			done += t.Files[i].Rows
		}
	}
	return fmt.Sprintf("%d/%d", done, all)
}

// builds reports an index that is being built at the moment.
func (x *indexer) builds(index int64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.at[index]
}

// showCreateMaterializedView is SHOW CREATE MATERIALIZED VIEW v ON t.
func (x *execution) showCreateMaterializedView(st *ast.Show) (*result, error) {
	if len(st.Args) < 2 || !strings.EqualFold(st.Args[0], "ON") {
		return nil, sqlerr.New(sqlerr.Syntax, "SHOW CREATE MATERIALIZED VIEW needs ON table").At(st.Position())
	}
	parts := strings.Split(strings.Join(st.Args[1:], ""), ".")
	name := ast.Name{Pos: st.Pos, Name: parts[len(parts)-1]}
	if len(parts) > 1 {
		name.Database = parts[len(parts)-2]
	}
	t, err := x.writableTable(name)
	if err != nil {
		return nil, err
	}
	ix := t.IndexNamed(st.Name.Name)
	if ix == nil || !ix.View {
		return nil, sqlerr.Detail("Materialized view [%s] does not exist in table [%s]", st.Name.Name, t.Name).At(st.Position())
	}
	r := newResult(textCols("TableName", "ViewName", "CreateStmt"))
	r.Add(str(t.Name), str(ix.Name), str("CREATE MATERIALIZED VIEW "+ix.Name+" AS "+ix.Text))
	return r, nil
}

// describeAll is DESC t ALL: the columns of the table and of its indexes, an empty line between them.
func (x *execution) describeAll(st *ast.Describe) (*Rows, error) {
	db, name, err := x.resolveName(st.Name)
	if err != nil {
		return nil, err
	}
	t := x.snapshot.Table(db, name)
	if t == nil {
		return x.describePlain(st)
	}
	r := newResult(textCols("IndexName", "IndexKeysType", "Field", "Type", "Null", "Key", "Default", "Extra", "Visible", "DefineExpr", "WhereClause"))
	model := func(folded bool) string {
		switch {
		case folded:
			return "AGG_KEYS"
		case t.Model == catalog.UniqueKey:
			return "UNIQUE_KEYS"
		}
		return "DUP_KEYS"
	}
	add := func(first bool, index, keys string, c *catalog.Column, defined, where string) {
		if !first {
			index, keys = "", ""
		}
		yes := map[bool]string{true: "Yes", false: "No"}
		def := nullText()
		if c.Default != nil {
			def = str(c.DefaultText())
		}
		extra := c.Aggregation.String()
		if !c.Key && c.Aggregation == function.NoAggregation {
			extra = "NONE"
		}
		r.Add(str(index), str(keys), str(c.Name), str(c.Type.String()), str(yes[c.Nullable]), str(map[bool]string{true: "true", false: "false"}[c.Key]), def,
			str(extra), str(map[bool]string{true: "false", false: "true"}[c.Hidden]), str(defined), str(where))
	}
	for i, cols := 0, t.Visible(); i < len(cols); i++ {
		add(i == 0, t.Name, model(t.Model == catalog.AggregateKey), &cols[i], "", "")
	}
	for i := range t.Indexes {
		ix := &t.Indexes[i]
		if ix.Building {
			continue
		}
		blank := make([]vector.Value, 11)
		for k := range blank {
			blank[k] = str("")
		}
		r.Add(blank...)
		where := ""
		if ix.View {
			if q, err := x.s.db.viewQuery(t, ix.Text); err == nil && q.Where != nil {
				where = ast.Format(q.Where)
			}
		}
		for k := range ix.Columns {
			first := ""
			if k == 0 {
				first = where
			}
			col := ix.Columns[k].Column
			if base := t.ColumnByID(ix.Columns[k].Base); base != nil && !ix.View {
				col.Type = base.Type // sums are wider in files
			}
			add(k == 0, ix.Name, model(ix.Folded), &col, ix.Columns[k].Defined, first)
		}
	}
	return r.rows(x.s), nil
}
