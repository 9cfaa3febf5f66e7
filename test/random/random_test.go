// Package random compares the engine with the reference evaluator on random queries over
// random data, under many configurations.
package random

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/optimize"
	"github.com/basaltdb/basalt/test/refeval"
	"github.com/basaltdb/basalt/test/sqlgen"
)

var (
	seed    = flag.Uint64("seed", 0, "run this seed only")
	long    = flag.Bool("long", false, "run many more seeds")
	only    = flag.String("sql", "", "with -seed: run this query over the seed's tables")
	verbose = flag.Bool("queries", false, "print every query")
)

const queriesPerSeed = 40

func TestRandomQueries(t *testing.T) {
	first, seeds := uint64(1), uint64(12)
	switch {
	case *seed != 0:
		first, seeds = *seed, 1
	case *long:
		seeds = 50
	}
	compared, skipped := 0, 0
	for s := first; s < first+seeds; s++ {
		c, k := runSeed(t, s)
		compared += c
		skipped += k
		if t.Failed() {
			break
		}
	}
	t.Logf("%d queries compared, %d skipped", compared, skipped)
	if compared < skipped {
		t.Errorf("most queries were skipped: %d of %d", skipped, compared+skipped)
	}
}

// configs are drawn from: each query runs under the default and one random other.
func randomSettings(r *rand.Rand) map[string]string {
	passes := slices.DeleteFunc(optimize.Passes(), func(p string) bool { return p == "decorrelate" })
	var off []string
	for _, p := range passes {
		if r.IntN(3) == 0 {
			off = append(off, p)
		}
	}
	return map[string]string{
		"batch_size":                  fmt.Sprint([]int{1, 2, 3, 7, 1024, 4096}[r.IntN(6)]),
		"enable_force_spill":          fmt.Sprint(max(0, 2-r.IntN(4)) / 2),
		"parallel_pipeline_task_num":  fmt.Sprint(1 + r.IntN(4)),
		"optimizer_disable":           strings.Join(off, ","),
		"enable_runtime_filter":       fmt.Sprint(min(1, r.IntN(4))),
		"enable_runtime_filter_prune": fmt.Sprint(r.IntN(2)),
		"runtime_filter_type":         fmt.Sprint(1 + r.IntN(31)),
		"runtime_filter_mode":         []string{"GLOBAL", "GLOBAL", "LOCAL", "REMOTE"}[r.IntN(4)],
		"runtime_filter_max_in_num":   fmt.Sprint([]int{1, 3, 1024}[r.IntN(3)]),
		"broadcast_row_count_limit":   fmt.Sprint([]int{0, 5, 1000000}[r.IntN(3)]),
	}
}

func runSeed(t *testing.T, seed uint64) (compared, skipped int) {
	r := rand.New(rand.NewPCG(seed, 77))
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	rows := 25
	if seed%8 == 0 {
		rows = 600
	}
	for _, sql := range sqlgen.Tables(r, rows) {
		if _, err := s.Exec(context.Background(), sql); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, sql)
		}
	}
	for range queriesPerSeed {
		sql, ordered := sqlgen.Ordered(r)
		if *only != "" {
			sql, ordered = *only, false
		}
		if *verbose {
			t.Log(sql)
		}
		want, err := reference(s, sql, ordered)
		if err != nil {
			if !harmless(err) {
				t.Errorf("seed %d: reference: %v\n%s", seed, err, sql)
			}
			skipped++
			continue
		}
		ok := true
		for _, settings := range []map[string]string{nil, randomSettings(r)} {
			got, err := engine(s, sql, settings, ordered)
			switch {
			case err != nil && harmless(err):
				ok = false
			case err != nil:
				t.Errorf("seed %d, settings %v: %v\n%s", seed, settings, err, sql)
			case !slices.Equal(got, want):
				t.Errorf("seed %d, settings %v\n%s\ngot  %d rows %q\nwant %d rows %q", seed, settings, sql, len(got), cut(got), len(want), cut(want))
			}
		}
		if ok {
			compared++
		} else {
			skipped++
		}
		if t.Failed() {
			t.Logf("go test ./test/random -args -seed %d", seed)
			return
		}
	}
	return
}

func cut(rows []string) []string { return rows[:min(len(rows), 12)] }

// harmless errors depend on which rows are computed first: numbers out of range. What is
// refused by name is no wrong answer either.
func harmless(err error) bool {
	var e *sqlerr.Error
	if errors.As(err, &e) {
		return e.Code.Number == 1690 || e.Code == sqlerr.OutOfRange || e.Code == sqlerr.NotSupported || e.Code == sqlerr.SubqueryMoreThanOne
	}
	return errors.Is(err, refeval.ErrMoreThanOne) || errors.Is(err, refeval.ErrTooSlow) || strings.Contains(err.Error(), "out of range")
}

func reference(s *basalt.Session, sql string, ordered bool) ([]string, error) {
	bound, err := s.BoundOf(sql)
	if err != nil {
		return nil, err
	}
	rows, err := refeval.Rows(bound.Plan)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows {
		out = append(out, rowText(r))
	}
	if !ordered {
		slices.Sort(out)
	}
	return out, nil
}

func engine(s *basalt.Session, sql string, settings map[string]string, ordered bool) ([]string, error) {
	s.Reset()
	return engineAgain(s, sql, settings, ordered)
}

// engineAgain is engine in a session as it is.
func engineAgain(s *basalt.Session, sql string, settings map[string]string, ordered bool) ([]string, error) {
	ctx := context.Background()
	for k, v := range settings {
		if _, err := s.Exec(ctx, fmt.Sprintf("SET %s = '%s'", k, v)); err != nil {
			return nil, err
		}
	}
	rows, err := s.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for {
		b, err := rows.NextBatch(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			if !ordered {
				slices.Sort(out)
			}
			return out, nil
		}
		for i := range b.NumRows() {
			row := make([]vector.Value, len(b.Cols))
			for c := range b.Cols {
				row[c] = b.Cols[c].Value(b.Row(i))
			}
			out = append(out, rowText(row))
		}
	}
}

// rowText compares values, not types: a constant may be narrower on one side.
func rowText(r []vector.Value) string {
	parts := make([]string, len(r))
	for i, v := range r {
		switch {
		case v.Null:
			parts[i] = "NULL"
		case v.Type.IsFloat():
			parts[i] = fmt.Sprintf("%.10g", v.F+0)
		case v.Type.Physical() == sqltype.PhysString:
			parts[i] = fmt.Sprintf("%q", v.S)
		default:
			parts[i] = v.Text()
		}
	}
	return strings.Join(parts, "|")
}
