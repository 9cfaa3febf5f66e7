package basalt

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/storage"
)

// run sends a statement to what runs it. Statements that the engine cannot run yet are
// refused by name.
func (x *execution) run(ctx context.Context, st ast.Statement) (*Rows, error) {
	defer runtime.KeepAlive(x) // and with it its dictionaries
	x.fc.Sleep = func(d time.Duration) error { return x.s.db.slots.Sleep(ctx, d) }
	if sh, ok := st.(*ast.Show); !x.describe && (!ok || sh.What != "WARNINGS" && sh.What != "ERRORS") {
		x.s.warnings = nil
	}
	switch st := st.(type) {
	case ast.Query:
		if q, into := takeOutfile(st); into != nil {
			return x.outfile(ctx, q, into)
		}
		return x.query(ctx, st)
	case *ast.Explain:
		return x.explain(ctx, st)
	case *ast.Show:
		return x.show(ctx, st)
	case *ast.Describe:
		return x.describeTable(st)
	case *ast.Set:
		return x.set(st)
	case *ast.Use:
		return x.use(st)
	case *ast.Kill:
		return x.kill(st)
	case *ast.Transaction:
		return x.transactionWord(st)
	case *ast.CreateDatabase:
		return x.createDatabase(st)
	case *ast.CreateTable:
		return x.createTable(ctx, st)
	case *ast.CreateView:
		return x.createView(st)
	case *ast.Drop:
		return x.drop(st)
	case *ast.Insert:
		return x.insert(ctx, st)
	case *ast.LoadData:
		return x.load(ctx, st)
	case *ast.MultiInsert:
		return x.multiInsert(ctx, st)
	case *ast.Delete:
		return x.deleteRows(ctx, st)
	case *ast.Update:
		return x.updateRows(ctx, st)
	case *ast.Truncate:
		return x.truncate(ctx, st)
	case *ast.Analyze:
		return x.analyze(ctx, st)
	case *ast.DropStats:
		return x.dropStats(st)
	case *ast.Repair:
		return x.repair(st)
	case *ast.AlterTable:
		if isConcatenate(st) {
			return x.concatenate(ctx, st)
		}
		if len(st.Actions) == 1 && st.Actions[0].Kind == "RECOVER PARTITIONS" {
			return x.repair(&ast.Repair{Pos: st.Pos, Name: st.Name, Repair: true})
		}
		return x.alterTable(ctx, st)
	case *ast.CreateMaterializedView:
		return x.createMaterializedView(st)
	case *ast.DropMaterializedView:
		return x.dropMaterializedView(st)
	case *ast.CancelLoad:
		return x.cancelLoad(st)
	case *ast.CleanLabel:
		return x.cleanLabel(st)
	case *ast.RenameTable:
		return x.renameTables(st)
	case *ast.CancelAlter:
		return x.cancelAlter(st)
	case *ast.Recover:
		return x.recoverDropped(st)
	case *ast.Prepare:
		return x.prepareText(ctx, st)
	case *ast.Execute:
		return x.executePrepared(ctx, st)
	case *ast.Deallocate:
		if x.s.prepared[st.Name] == nil {
			return nil, sqlerr.New(sqlerr.UnknownStatement, "Unknown prepared statement handler (%s) given to DEALLOCATE PREPARE", st.Name)
		}
		delete(x.s.prepared, st.Name)
		return okRows(x.s, 0, ""), nil
	case *ast.Admin:
		if isCleanProfile(st.Name) {
			x.s.db.profiles.clear()
			return okRows(x.s, 0, ""), nil
		}
		return nil, unsupported(st)
	}
	return nil, sqlerr.Unsupported(statementName(st)).At(st.Position())
}

func statementName(st ast.Statement) string {
	switch st.(type) {
	}
	return strings.ToUpper(strings.TrimPrefix(fmt.Sprintf("%T", st), "*ast."))
}

// describe finds the result columns of a statement without running it.
func (s *Session) describe(ctx context.Context, st *Statement) ([]Column, error) {
	params := make([]vector.Value, st.NumParams())
	for i := range params {
		params[i] = vector.NullOf(sqltype.T(sqltype.Null))
	}
	x := s.newExecution(st, params)
	x.describe = true
	switch q := st.parsed.Statement.(type) {
	case ast.Query:
		rest, into := takeOutfile(q)
		b, err := bind.Query(rest, x.env())
		switch {
		case err != nil:
			return nil, err
		case into == nil:
			return boundColumns(b), nil
		case isDorisOutfile(into):
			return outfileColumns(), nil
		}
		return nil, nil
	case *ast.LoadData:
		return nil, sqlerr.New(sqlerr.NotPrepared, "This command is not supported in the prepared statement protocol yet")
	case *ast.Explain:
		return explainColumns(q), nil
	case *ast.Show, *ast.Describe:
		// Cheap, and their columns depend on the form: run them for their columns.
		rows, err := x.run(ctx, st.parsed.Statement)
		if err != nil {
			return nil, err
		}
		return rows.cols, nil
	}
	return nil, nil
}

func (x *execution) bindExplained(st ast.Statement) (*bind.Bound, error) {
	switch st := st.(type) {
	case ast.Query:
		q, into := takeOutfile(st)
		if into == nil {
			return bind.Query(st, x.env())
		}
		e, err := x.newExport(into)
		if err != nil {
			return nil, sqlerr.From(err).At(into.Position())
		}
		return x.bindOutfile(q, into, e)
	case *ast.Insert:
		w, err := x.newInsertion(st)
		if err != nil {
			return nil, err
		}
		if w.sink == nil { // IF NOT EXISTS has nothing to do
			return bind.Query(st.Query, x.env())
		}
		return bind.Insert(w.to, st.Query, w.sink, x.env())
	case *ast.MultiInsert:
		_, branches, err := x.newInsertions(st)
		if err != nil {
			return nil, err
		}
		return bind.MultiInsert(st.From, branches, x.env())
	case *ast.Delete:
		_, bound, err := x.bindDelete(st)
		return bound, err
	case *ast.Update:
		_, bound, err := x.bindUpdate(st)
		return bound, err
	}
	return nil, sqlerr.Unsupported("EXPLAIN of " + statementName(st)).At(st.Position())
}

// BoundOf is the bound, unoptimized plan of a query, for tests and tools inside this module.
func (s *Session) BoundOf(text string) (*bind.Bound, error) {
	st, err := s.parseOne(text)
	if err != nil {
		return nil, err
	}
	return s.newExecution(st, nil).bindExplained(st.parsed.Statement)
}

// PlanOf is the fragments of a query, for tests and tools inside this module.
func (s *Session) PlanOf(text string) (*fragment.Plan, error) {
	st, err := s.parseOne(text)
	if err != nil {
		return nil, err
	}
	x := s.newExecution(st, nil)
	bound, err := x.bindExplained(st.parsed.Statement)
	if err != nil {
		return nil, err
	}
	return x.plan(bound)
}

// result builds the rows of SHOW and its kind.
type result struct {
	*storage.RowBuilder
	cols  []Column
	words map[string]string // of WHERE that mean columns of other names, by lower case
}

func newResult(cols []Column) *result {
	sc := make([]storage.Column, len(cols))
	for i, c := range cols {
		sc[i] = storage.Column{Name: c.Name, Type: c.Type, Nullable: true}
	}
	return &result{RowBuilder: storage.NewRowBuilder(sc), cols: cols}
}

func (r *result) rows(s *Session) *Rows {
	return &Rows{session: s, cols: r.cols, stream: &memoryStream{r.Batches()}}
}

var (
	strType  = sqltype.VarcharOf(0)
	longType = sqltype.T(sqltype.BigInt)
)

func str(s string) vector.Value  { return vector.StringValue(strType, s) }
func long(v int64) vector.Value  { return vector.IntValue(longType, v) }
func nullText() vector.Value     { return vector.NullOf(strType) }
func textCol(name string) Column { return Column{Name: name, Type: strType, Nullable: true} }
func longCol(name string) Column { return Column{Name: name, Type: longType, Nullable: true} }
func textCols(n ...string) (out []Column) {
	for _, name := range n {
		out = append(out, textCol(name))
	}
	return out
}

// splitList reads "a, b" as a set.
func splitList(text string) map[string]bool {
	set := map[string]bool{}
	for _, p := range strings.Split(text, ",") {
		if p = strings.TrimSpace(p); p != "" {
			set[p] = true
		}
	}
	return set
}

// unsupported is the error of a statement that is only read. Views of one table, which are there, are told from those that
// are refreshed.
func unsupported(st *ast.Admin) error {
	what := st.Name
	hint := ""
	switch what {
	case "CREATE MATERIALIZED VIEW":
		what, hint = what+" with BUILD, REFRESH and other clauses before AS (a view that is refreshed)", "A view of one table that every load keeps is CREATE MATERIALIZED VIEW v AS SELECT …"
	case "DROP MATERIALIZED VIEW":
		what, hint = what+" without ON (a view that is refreshed)", "A view of one table goes by DROP MATERIALIZED VIEW v ON table"
	}
	return sqlerr.Unsupported(what).WithHint("%s", hint).At(st.Position())
}
