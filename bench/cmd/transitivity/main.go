// Command transitivity times joins with and without predicate inference, on a table of 400 partitions:
//
//	go run ./bench/cmd/transitivity
//
// Runtime filters are off in both: with them the join itself prunes partitions while it runs, and the
// last columns show what is left for inference then. It exits with status 1 when rows differ, a plan
// is not pruned, or inference is less than 50 times as fast on the first query.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/bench/runner"
	"github.com/basaltdb/basalt/bench/transitivity"
)

// wantFaster is the claim for the first query.
const wantFaster = 50

type options struct {
	scale   float64
	runs    int
	threads int
	data    string
	out     string
}

func main() {
	var o options
	flag.Float64Var(&o.scale, "scale", 1, "multiplies the rows")
	flag.IntVar(&o.runs, "runs", 5, "measured runs of each query")
	flag.IntVar(&o.threads, "threads", 2, "instances")
	flag.StringVar(&o.data, "data", "", "data folder (default data/transitivity in the checkout, made if missing)")
	flag.StringVar(&o.out, "out", "", `folder of RESULTS.md (default bench in the checkout; "none" writes nothing)`)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "transitivity:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	root, err := runner.Checkout()
	if err != nil {
		return err
	}
	if o.data == "" {
		o.data = filepath.Join(root, "data", "transitivity", fmt.Sprintf("scale%g", o.scale))
	}
	db, err := basalt.Open(o.data, basalt.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	if err := load(ctx, s, o.scale); err != nil {
		return err
	}
	if _, err := s.Exec(ctx, fmt.Sprintf("SET parallel_pipeline_task_num = %d", o.threads)); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Predicate inference, %d partitions, %d threads\n\n", transitivity.Partitions, o.threads)
	fmt.Fprintf(&b, "%s, commit %s, medians of %d runs after a warm-up, on %s. Written by `go run ./bench/cmd/transitivity`.\n\n",
		time.Now().Format(time.DateOnly), runner.Commit(root), o.runs, runner.Machine())
	b.WriteString("| query | inferred ms | off ms | faster | with runtime filters: inferred ms | off ms |\n|---|---:|---:|---:|---:|---:|\n")
	var failed []error
	for i, q := range transitivity.Queries() {
		if err := q.Check(ctx, s); err != nil {
			failed = append(failed, err)
		}
		m, err := measure(ctx, s, o.runs, q.SQL)
		if err != nil {
			return err
		}
		faster := float64(m[1]) / float64(m[0])
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %.0f | %.2f | %.2f |\n", q.Name, ms(m[0]), ms(m[1]), faster, ms(m[2]), ms(m[3]))
		if i == 0 && faster < wantFaster {
			failed = append(failed, fmt.Errorf("%s: %.1f times as fast with inference, want %d", q.Name, faster, wantFaster))
		}
	}
	fmt.Println(b.String())
	if o.out != "none" {
		if o.out == "" {
			o.out = filepath.Join(root, "bench")
		}
		if err := runner.WriteSection(o.out, "transitivity", b.String()); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// load makes the tables when the folder has none.
func load(ctx context.Context, s *basalt.Session, scale float64) error {
	if rows, _, err := transitivity.Rows(ctx, s, "SELECT count(*) FROM t2"); err == nil && rows[0] != "0" {
		return nil
	}
	for _, sql := range append([]string{"DROP TABLE IF EXISTS t1 FORCE", "DROP TABLE IF EXISTS t2 FORCE"}, transitivity.Statements(scale)...) {
		start := time.Now()
		if _, err := s.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
		if strings.HasPrefix(sql, "INSERT") {
			fmt.Printf("%.1f s: %s\n", time.Since(start).Seconds(), sql)
		}
	}
	return nil
}

// measure gives the medians with inference and without, without runtime filters and with. The four take turns, and all
// rows must be equal.
func measure(ctx context.Context, s *basalt.Session, runs int, sql string) (medians [4]time.Duration, err error) {
	var took [4][]time.Duration
	var want []string
	for r := range runs + 1 {
		for v := range 4 {
			for _, set := range []string{
				"SET optimizer_disable = '" + []string{"", "infer_predicates"}[v%2] + "'",
				"SET enable_runtime_filter = " + []string{"0", "1"}[v/2],
			} {
				if _, err := s.Exec(ctx, set); err != nil {
					return medians, err
				}
			}
			rows, d, err := transitivity.Rows(ctx, s, sql)
			if err != nil {
				return medians, err
			}
			if want == nil {
				want = rows
			}
			if !slices.Equal(rows, want) {
				return medians, fmt.Errorf("%s: rows %q, before %q", sql, rows, want)
			}
			if r > 0 { // the first run is a warm-up
				took[v] = append(took[v], d)
			}
		}
	}
	for v := range took {
		slices.Sort(took[v])
		medians[v] = took[v][len(took[v])/2]
	}
	if _, err := s.Exec(ctx, "SET optimizer_disable = ''"); err != nil {
		return medians, err
	}
	_, err = s.Exec(ctx, "SET enable_runtime_filter = 1")
	return medians, err
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
