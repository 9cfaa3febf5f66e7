package routing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/test/faults"
)

// full is a disk that takes no new files: what is written in the background fails.
var full = faults.Plan{Kinds: faults.Writes, On: true}

var sessionOptions basalt.SessionOptions

// engine is a DB with one session.
type engine struct {
	*testing.T
	db   *basalt.DB
	s    *basalt.Session
	disk *faults.FS
}

func open(t *testing.T, dir string) *engine {
	t.Helper()
	disk := faults.New()
	db, err := basalt.Open(dir, basalt.Options{Workers: 2, FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &engine{t, db, db.NewSession(sessionOptions), disk}
}

func (e *engine) exec(statements ...string) {
	e.Helper()
	for _, sql := range statements {
		if _, err := e.s.Exec(context.Background(), sql); err != nil {
			e.Fatalf("%v\n%s", err, sql)
		}
	}
}

// try gives the rows of a query as text.
func (e *engine) try(sql string) (out []string, err error) {
	rows, err := e.s.Query(context.Background(), sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for {
		b, err := rows.NextBatch(context.Background())
		if err != nil || b == nil {
			return out, err
		}
		for i := range b.NumRows() {
			cells := make([]string, len(b.Cols))
			for c, col := range b.Cols {
				cells[c] = "NULL"
				if v := col.Value(b.Row(i)); !v.Null {
					cells[c] = v.Text()
				}
			}
			out = append(out, strings.Join(cells, "|"))
		}
	}
}

func (e *engine) query(sql string) []string {
	e.Helper()
	out, err := e.try(sql)
	if err != nil {
		e.Fatalf("%v\n%s", err, sql)
	}
	return out
}

func (e *engine) sorted(sql string) []string {
	e.Helper()
	out := e.query(sql)
	slices.Sort(out)
	return out
}

func (e *engine) number(sql string) (n int) {
	e.Helper()
	if _, err := fmt.Sscan(e.query(sql)[0], &n); err != nil {
		e.Fatalf("%v\n%s", err, sql)
	}
	return n
}

// plan is what EXPLAIN tells of the indexes of one table: names by what became of them.
type plan struct {
	text                     string
	chosen, unchosen, failed []string
	reads                    []string // the rollup: lines of scans
}

func (e *engine) explain(sql, table string) plan {
	e.Helper()
	var p plan
	into := &[]string{}
	for _, l := range e.query("EXPLAIN " + sql) {
		l = strings.Trim(l, `"`)
		p.text += l + "\n"
		if _, name, ok := strings.Cut(l, "rollup: "); ok {
			p.reads = append(p.reads, strings.TrimSpace(name))
		}
		switch {
		case strings.HasPrefix(l, "MaterializedViewRewriteSuccessAndChose"):
			into = &p.chosen
		case strings.HasPrefix(l, "MaterializedViewRewriteSuccessButNotChose"):
			into = &p.unchosen
		case strings.HasPrefix(l, "MaterializedViewRewriteFail"):
			into = &p.failed
		default:
			name, _, _ := strings.Cut(strings.TrimSpace(l), ":")
			parts := strings.Split(name, ".")
			if len(parts) > 1 && parts[len(parts)-2] == table {
				*into = append(*into, parts[len(parts)-1])
			}
		}
	}
	return p
}
