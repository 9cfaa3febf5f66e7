package random

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/test/sqlgen"
)

// TestRuntimeFiltersChangeNothing runs random queries without any runtime filter and with
// filters of every form that no estimate leaves out.
func TestRuntimeFiltersChangeNothing(t *testing.T) {
	seeds := uint64(8)
	if *long {
		seeds = 40
	}
	first := uint64(1001)
	if *seed != 0 {
		first, seeds = *seed, 1
	}
	off := map[string]string{"runtime_filter_mode": "OFF", "enable_topn_filter": "0", "parallel_pipeline_task_num": "2", "optimizer_disable": noInference}
	for s := first; s < first+seeds; s++ {
		r := rand.New(rand.NewPCG(s, 78))
		db, err := basalt.Open("", basalt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		session := db.NewSession(basalt.SessionOptions{})
		rows := []int{25, 40}[s%2]
		for _, sql := range sqlgen.Tables(r, rows) {
			if _, err := session.Exec(context.Background(), sql); err != nil {
				t.Fatalf("seed %d: %v\n%s", s, err, sql)
			}
		}
		for range queriesPerSeed {
			sql, ordered := sqlgen.Ordered(r)
			want, err := engine(session, sql, off, ordered)
			if err != nil {
				if !harmless(err) {
					t.Errorf("seed %d: %v\n%s", s, err, sql)
				}
				continue
			}
			for range 3 {
				settings := filterSettings(r)
				got, err := engine(session, sql, settings, ordered)
				if err != nil && !harmless(err) {
					t.Errorf("seed %d, settings %v: %v\n%s", s, settings, err, sql)
				} else if err == nil && !slices.Equal(got, want) {
					t.Errorf("seed %d, settings %v\n%s\ngot  %d rows %q\nwant %d rows %q", s, settings, sql, len(got), cut(got), len(want), cut(want))
				}
			}
			if t.Failed() {
				break
			}
		}
		_ = db.Close()
		if t.Failed() {
			t.Logf("go test ./test/random -run RuntimeFilters -args -seed %d", s)
			return
		}
	}
}

// noInference: conditions that reach both sides of a join would leave filters nothing to do.
const noInference = "infer_predicates"

func filterSettings(r *rand.Rand) map[string]string {
	return map[string]string{
		"optimizer_disable":           noInference,
		"enable_runtime_filter_prune": "0",
		"enable_force_spill":          fmt.Sprint(max(0, r.IntN(4)-2)),
		"runtime_filter_type":         fmt.Sprint(1 + r.IntN(31)),
		"runtime_filter_mode":         []string{"GLOBAL", "GLOBAL", "LOCAL", "REMOTE"}[r.IntN(4)],
		"runtime_filter_max_in_num":   fmt.Sprint([]int{1, 3, 1024}[r.IntN(3)]),
		"batch_size":                  fmt.Sprint([]int{1, 3, 1024, 4096}[r.IntN(4)]),
		"parallel_pipeline_task_num":  fmt.Sprint(1 + r.IntN(3)),
		"broadcast_row_count_limit":   fmt.Sprint([]int{0, 1000000}[r.IntN(2)]),
	}
}
