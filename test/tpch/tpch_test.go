// Package tpch checks the 22 TPC-H queries on generated data against stored answers.
package tpch

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/bench/result"
	"github.com/basaltdb/basalt/bench/tpch"
	"github.com/basaltdb/basalt/bench/tpchgen"
	"github.com/basaltdb/basalt/internal/vector"
)

const queries = 22

// open generates TPC-H at scale 0.01 and opens it as external tables.
func open(t *testing.T, settings map[string]string) *basalt.Session {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	if err := tpchgen.Generate(ctx, tpchgen.Options{ScaleFactor: 0.01, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	db, err := basalt.Open("", basalt.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := db.NewSession(basalt.SessionOptions{})
	for _, name := range []string{"region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"} {
		q := fmt.Sprintf("CREATE EXTERNAL TABLE %s STORED AS PARQUET LOCATION '%s'", name, filepath.Join(dir, name))
		if _, err := s.Exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// read runs a query and gives its rows as text.
func read(s *basalt.Session, query string) (result.Set, error) {
	ctx := context.Background()
	var out result.Set
	rows, err := s.Query(ctx, query)
	if err != nil {
		return out, err
	}
	defer rows.Close()
	for _, c := range rows.Columns() {
		out.Columns = append(out.Columns, c.Name)
	}
	for {
		b, err := rows.NextBatch(ctx)
		if err != nil || b == nil {
			return out, err
		}
		for i := range b.NumRows() {
			row := make([]result.Value, len(b.Cols))
			for k, c := range b.Cols {
				if !c.IsNull(b.Row(i)) {
					row[k] = result.Value{Text: string(vector.AppendText(nil, c, b.Row(i)))}
				} else {
					row[k] = result.Value{Null: true}
				}
			}
			out.Rows = append(out.Rows, row)
		}
	}
}

// TestAnswers runs all queries under a few configurations.
func TestAnswers(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"default": nil,
		"serial":  {"parallel_pipeline_task_num": "1"},
		"batch7":  {"batch_size": "7", "parallel_pipeline_task_num": "3"},
		"small":   {"exec_mem_limit": "8M"},
		"plain":   {"enable_runtime_filter": "0", "optimizer_disable": "join_order,infer_predicates"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, settings)
			for n := 1; n <= queries; n++ {
				got, err := read(s, tpch.Query(n))
				if err != nil {
					t.Errorf("q%02d: %v", n, err)
					continue
				}
				want, err := result.Parse(tpch.Answer(n))
				if err != nil {
					t.Fatal(err)
				}
				if err := result.Compare(got, want, tpch.Rules(n)); err != nil {
					t.Errorf("q%02d: %v", n, err)
				}
			}
		})
	}
}
