package bind_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/optimize"
	"github.com/basaltdb/basalt/planner/plantest"
	"github.com/basaltdb/basalt/storage"
)

var rewrite = flag.Bool("rewrite", false, "write what the binder gives into testdata")

// snapshot is plantest's, with views and an information_schema.
type snapshot struct {
	catalog.Snapshot
	views map[string]*catalog.View
}

func (s snapshot) View(database, name string) *catalog.View {
	if database != plantest.Database {
		return nil
	}
	return s.views[name]
}

func (s snapshot) Table(database, name string) *catalog.Table {
	if database == catalog.InformationSchema {
		if name == "tables" {
			return s.Tables(database)[0]
		}
		return nil
	}
	return s.Snapshot.Table(database, name)
}

func (s snapshot) Tables(database string) []*catalog.Table {
	if database == catalog.InformationSchema {
		t := *s.Snapshot.Table(plantest.Database, "v")
		t.Database, t.Name = database, "tables"
		return []*catalog.Table{&t}
	}
	return s.Snapshot.Tables(database)
}

func view(name, text string, cols ...catalog.Column) *catalog.View {
	return &catalog.View{Database: plantest.Database, Name: name, Text: text, Columns: cols, DefaultDatabase: plantest.Database}
}

func parseQuery(text string) (ast.Query, error) {
	list, err := parser.Parse(text, parser.Options{})
	if err != nil {
		return nil, err
	}
	return list[0].Statement.(ast.Query), nil
}

func env() *bind.Env {
	col := func(name string, t sqltype.Type) catalog.Column {
		return catalog.Column{Name: name, Type: t, Nullable: true}
	}
	big := sqltype.T(sqltype.BigInt)
	return &bind.Env{
		Snapshot: snapshot{Snapshot: plantest.Snapshot(), views: map[string]*catalog.View{
			"plain":   view("plain", "SELECT a, b FROM t WHERE b > 1", col("x", sqltype.T(sqltype.Int)), col("y", sqltype.T(sqltype.Int))),
			"wide":    view("wide", "SELECT a, count(*) FROM t GROUP BY a", col("a", big), col("n", big)),
			"nested":  view("nested", "SELECT x FROM plain", col("x", sqltype.T(sqltype.Int))),
			"circle":  view("circle", "SELECT x FROM circle", col("x", big)),
			"broken":  view("broken", "SELECT nothing FROM t", col("x", big)),
			"changed": view("changed", "SELECT a, b FROM t", col("x", big)),
		}},
		Database:  plantest.Database,
		Functions: &function.Context{Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Location: time.UTC},
		ParseView: parseQuery,
		Params:    []vector.Value{vector.IntValue(sqltype.T(sqltype.BigInt), 7), vector.StringValue(sqltype.T(sqltype.Varchar), "1995-01-01")},
		Variables: func(name string, system bool) (vector.Value, bool) {
			if system && name == "sql_mode" {
				return vector.StringValue(sqltype.T(sqltype.Varchar), "STRICT"), true
			}
			return vector.Value{}, false
		},
		TableFunction: func(name string, props []ast.Property, args []vector.Value) (storage.Source, error) {
			if name != "numbers" {
				return nil, sqlerr.New(sqlerr.UnknownFunction, "Unknown table function '%s'", name)
			}
			return plantest.Snapshot().Table(plantest.Database, "v").Source, nil
		},
		FileTable: func(string) (storage.Source, error) {
			return plantest.Snapshot().Table(plantest.Database, "v").Source, nil
		},
	}
}

// bindText binds a query or an INSERT.
func bindText(sql string) (*bind.Bound, error) {
	list, err := parser.Parse(sql, parser.Options{})
	if err != nil {
		return nil, err
	}
	e := env()
	switch s := list[0].Statement.(type) {
	case ast.Query:
		return bind.Query(s, e)
	case *ast.Insert:
		def := "1 + 1"
		t := *e.Snapshot.Table(plantest.Database, s.Name.Name)
		t.Columns = append([]catalog.Column(nil), t.Columns...)
		t.Columns[1].Default = &def
		return bind.Insert(bind.Target{Table: &t, Columns: s.Columns}, s.Query, nil, e)
	}
	return nil, fmt.Errorf("not a query: %T", list[0].Statement)
}

// TestGoldens runs testdata: "bind" shows the plan, "ids" with column ids, "types" the output
// columns, "joins" the plan without dependent joins, "error" the code, the marked place in the text and the message.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			cases := readGoldens(t, path)
			for _, c := range cases {
				got := strings.TrimRight(run(t, c), "\n")
				if *rewrite {
					c.want = got
				} else if got != c.want {
					t.Errorf("%s:%d: %s\n--- got\n%s\n--- want\n%s", path, c.line, c.sql, got, c.want)
				}
			}
			if *rewrite && !t.Failed() {
				writeGoldens(t, path, cases)
			}
		})
	}
}

func run(t *testing.T, c *golden) string {
	t.Helper()
	b, err := bindText(c.sql)
	if err != nil {
		if c.command != "error" {
			t.Errorf("line %d: %s: %v", c.line, c.sql, err)
		}
		return errorText(c.sql, err)
	}
	if c.command == "error" {
		t.Errorf("line %d: %s: no error", c.line, c.sql)
	}
	if len(b.Names) != len(b.Plan.Columns()) {
		t.Errorf("line %d: %d names for %d columns", c.line, len(b.Names), len(b.Plan.Columns()))
	}
	if msg := optimize.Verify(b.Plan); msg != "" {
		t.Errorf("line %d: %s: %s", c.line, c.sql, msg)
	}
	joined := decorrelated(t, c.sql, b)
	switch c.command {
	case "ids":
		return logical.FormatIDs(b.Plan)
	case "types":
		var s []string
		for i, col := range b.Plan.Columns() {
			null := ""
			if !col.Null {
				null = " not null"
			}
			s = append(s, b.Names[i]+" "+col.T.String()+null)
		}
		return strings.Join(s, "\n")
	case "joins":
		return logical.Format(joined)
	}
	return logical.Format(b.Plan)
}

// decorrelated removes dependent joins and checks that none is left and the plan is whole.
func decorrelated(t *testing.T, sql string, b *bind.Bound) logical.Node {
	t.Helper()
	c := &optimize.Context{IDs: expr.NewIDs(b.NextID), Functions: &function.Context{}}
	n, err := optimize.Decorrelate(c, b.Plan)
	if err != nil {
		t.Errorf("%s: %v", sql, err)
		return b.Plan
	}
	if msg := optimize.Verify(n); msg != "" {
		t.Errorf("%s: after decorrelate: %s\n%s", sql, msg, logical.FormatIDs(n))
	}
	if free := logical.FreeColumns(n); !free.Empty() {
		t.Errorf("%s: after decorrelate: columns %v come from nowhere\n%s", sql, free.IDs(), logical.FormatIDs(n))
	}
	logical.Walk(n, func(n logical.Node) bool {
		if _, ok := n.(*logical.Apply); ok {
			t.Errorf("%s: an Apply is left", sql)
		}
		return true
	})
	uniqueIDs(t, sql, b.Plan)
	uniqueIDs(t, sql, n)
	return n
}

// uniqueIDs checks that no node gives one id to two of its outputs.
func uniqueIDs(t *testing.T, sql string, n logical.Node) {
	t.Helper()
	logical.Walk(n, func(n logical.Node) bool {
		var seen expr.ColumnSet
		for _, c := range n.Columns() {
			if seen.Has(c.ID) {
				t.Errorf("%s: column %s#%d twice in\n%s", sql, c.Name, c.ID, logical.FormatIDs(n))
			}
			seen.Add(c.ID)
		}
		return true
	})
}

// errorText shows an error with the place it points at.
func errorText(sql string, err error) string {
	var e *sqlerr.Error
	if !errors.As(err, &e) {
		return "not ours: " + err.Error()
	}
	at := "(no position)"
	if e.Pos >= 0 {
		end := min(len(sql), e.Pos+16)
		at = "at " + sql[e.Pos:end]
		if end < len(sql) {
			at += "…"
		}
	}
	return fmt.Sprintf("%d %s\n%s", e.Code.Number, at, e.Error())
}

// TestTPCH binds the 22 queries and leaves no dependent join in them.
func TestTPCH(t *testing.T) {
	files, err := filepath.Glob("../../bench/tpch/queries/*.sql")
	if err != nil || len(files) != 22 {
		t.Fatalf("%d queries, %v", len(files), err)
	}
	for _, path := range files {
		sql, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := bindText(string(sql))
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
			continue
		}
		if msg := optimize.Verify(b.Plan); msg != "" {
			t.Errorf("%s: %s", filepath.Base(path), msg)
		}
		decorrelated(t, filepath.Base(path), b)
	}
}
