// Command instances times queries with one instance of every fragment and with two, taking turns,
// in one process without a protocol and a client, whose work instances do not share:
//
//	go run ./bench/cmd/instances
//
// It exits with status 1 when rows differ or a claim does not hold: TPC-H at scale factor 1
// at least 1.8 times as fast (geometric mean), queries over skewed and NULL-heavy keys at least 1.6 times.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/bench/instances"
	"github.com/basaltdb/basalt/bench/runner"
	"github.com/basaltdb/basalt/bench/tpch"
	"github.com/basaltdb/basalt/bench/tpchgen"
)

// The claims, for two instances.
const (
	wantTPCH   = 1.8
	wantSkewed = 1.6
)

type options struct {
	sf, scale float64
	runs      int
	many      int
	data      string
	out       string
}

func main() {
	var o options
	flag.Float64Var(&o.sf, "sf", 1, "scale factor of TPC-H")
	flag.Float64Var(&o.scale, "scale", 1, "multiplies the rows of the skewed tables")
	flag.IntVar(&o.runs, "runs", 5, "measured runs of each query")
	flag.IntVar(&o.many, "instances", 2, "instances to compare with one")
	flag.StringVar(&o.data, "data", "", "folder of the TPC-H tables (default data/tpch/sf<sf> in the checkout, made if missing)")
	flag.StringVar(&o.out, "out", "", `folder of RESULTS.md (default bench in the checkout; "none" writes nothing)`)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "instances:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	root, err := runner.Checkout()
	if err != nil {
		return err
	}
	if o.data == "" {
		o.data = filepath.Join(root, "data", "tpch", fmt.Sprintf("sf%g", o.sf))
	}
	if files, _ := filepath.Glob(filepath.Join(o.data, "lineitem", "*.parquet")); len(files) == 0 {
		fmt.Printf("making the data of scale factor %v in %s\n", o.sf, o.data)
		if err := tpchgen.Generate(ctx, tpchgen.Options{ScaleFactor: o.sf, Dir: o.data, Tables: tpchgen.Tables()}); err != nil {
			return err
		}
	}
	scratch, err := os.MkdirTemp("", "basalt-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	setup, err := runner.ExternalTables("tpch", o.data, tpchgen.Tables())
	if err != nil {
		return err
	}
	for _, t := range instances.Tables(o.scale) {
		setup = append(setup, t.Create, t.Load)
	}
	db, err := basalt.Open(scratch, basalt.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMemoryLimit()
	session := db.NewSession(basalt.SessionOptions{})
	defer session.Close()
	for _, text := range append(setup, "SET enable_page_cache = 0") {
		if _, err := session.Exec(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	plan := runner.Plan{Runs: o.runs, Timeout: 10 * time.Minute, Log: os.Stdout}
	for n := 1; n <= tpch.Count; n++ {
		plan.Queries = append(plan.Queries, runner.Query{Name: tpch.Name(n), SQL: tpch.Query(n), Rules: tpch.Rules(n)})
	}
	for _, q := range instances.Queries() {
		plan.Queries = append(plan.Queries, runner.Query{Name: q.Name, SQL: q.SQL})
	}
	variant := func(n int) runner.Engine {
		return &runner.Embedded{Session: session, Label: fmt.Sprintf("%d instances", n),
			Before: []string{fmt.Sprintf("SET parallel_fragment_exec_instance_num = %d", n)}}
	}
	report, err := runner.Run(ctx, plan, variant(1), variant(o.many))
	if err != nil {
		return err
	}
	if err := report.Err(); err != nil {
		return err
	}
	return conclude(o, root, report)
}

// conclude prints and writes the outcome and checks the claims.
func conclude(o options, root string, r *runner.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## One instance and %d\n\n%s, commit %s, medians of %d runs after a warm-up, on %s. Written by `go run ./bench/cmd/instances`.\n\n",
		o.many, time.Now().Format(time.DateOnly), runner.Commit(root), o.runs, runner.Machine())
	fmt.Fprintf(&b, "| query | 1 instance ms | %d instances ms | speed-up |\n|---|---:|---:|---:|\n", o.many)
	var sum float64
	var failed []error
	for i, q := range r.Queries {
		one, many := q.Engines[0].Median(), q.Engines[1].Median()
		faster := float64(one) / float64(many)
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.2f |\n", q.Query, ms(one), ms(many), faster)
		if i < tpch.Count {
			sum += math.Log(faster)
		} else if o.many == 2 && faster < wantSkewed {
			failed = append(failed, fmt.Errorf("%s: two instances are %.2f times as fast as one, want %.1f", q.Query, faster, wantSkewed))
		}
	}
	mean := math.Exp(sum / tpch.Count)
	fmt.Fprintf(&b, "\nGeometric mean of TPC-H: %.2f.\n", mean)
	if o.many == 2 && mean < wantTPCH {
		failed = append(failed, fmt.Errorf("TPC-H: two instances are %.2f times as fast as one, want %.1f", mean, wantTPCH))
	}
	fmt.Println(b.String())
	if o.out != "none" {
		if o.out == "" {
			o.out = filepath.Join(root, "bench")
		}
		if err := runner.WriteSection(o.out, "instances", b.String()); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
