// Command colocate times joins of bucketed tables bucket by bucket against the same joins with
// the hint [shuffle], and against DuckDB on the same files:
//
//	go run ./bench/cmd/colocate
//
// It exits with status 1 when rows differ or a claim does not hold: colocate at least twice as
// fast as shuffle with at most a quarter of its peak memory, and not slower than DuckDB.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/basaltdb/basalt/bench/colocate"
	"github.com/basaltdb/basalt/bench/runner"
)

// The claims.
const (
	wantFaster = 2.0
	wantMemory = 0.25
)

type options struct {
	scale   float64
	buckets int
	runs    int
	threads int
	data    string
	out     string
	peer    bool
}

func main() {
	var o options
	flag.Float64Var(&o.scale, "scale", 1, "multiplies the rows")
	flag.IntVar(&o.buckets, "buckets", 128, "buckets of each table")
	flag.IntVar(&o.runs, "runs", 5, "measured runs of each query")
	flag.IntVar(&o.threads, "threads", 2, "instances of Basalt, threads of DuckDB")
	flag.StringVar(&o.data, "data", "", "folder of the server's data (default data/colocate in the checkout, made if missing)")
	flag.StringVar(&o.out, "out", "", `folder of RESULTS.md (default bench in the checkout; "none" writes nothing)`)
	flag.BoolVar(&o.peer, "peer", true, "compare with DuckDB")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "colocate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	root, err := runner.Checkout()
	if err != nil {
		return err
	}
	if o.data == "" {
		o.data = filepath.Join(root, "data", "colocate", fmt.Sprintf("scale%g_%d", o.scale, o.buckets))
	}
	if err := os.MkdirAll(o.data, 0o777); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "basalt-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	binary, err := runner.BuildServer(ctx, root, scratch)
	if err != nil {
		return err
	}
	server, err := runner.StartServer(ctx, runner.ServerOptions{Binary: binary, StateDir: o.data, Threads: o.threads,
		Setup: []string{"CREATE DATABASE IF NOT EXISTS " + colocate.Database, "USE " + colocate.Database, "SET exec_mem_limit = '16G'"}})
	if err != nil {
		return err
	}
	defer server.Close()
	if err := load(ctx, server, colocate.Tables(o.scale, o.buckets)); err != nil {
		return err
	}
	plain, shuffled := &runner.Variant{Server: server, Label: "colocate"}, &runner.Variant{Server: server, Label: "shuffle"}
	shuffled.Rewrite = func(query, _ string) string {
		for _, q := range colocate.Queries() {
			if q.Name == query {
				return q.Shuffled()
			}
		}
		return ""
	}
	engines := []runner.Engine{plain, shuffled}
	if o.peer {
		p, err := startPeer(ctx, root, scratch, o)
		if err != nil {
			return err
		}
		defer p.Close()
		engines = append(engines, p)
	}
	plan := runner.Plan{Runs: o.runs, Timeout: 10 * time.Minute, Log: os.Stdout}
	for _, q := range colocate.Queries() {
		plan.Queries = append(plan.Queries, runner.Query{Name: q.Name, SQL: q.Plain(), Rules: q.Rules})
	}
	report, err := runner.Run(ctx, plan, engines...)
	if err != nil {
		return err
	}
	if err := report.Err(); err != nil {
		return err
	}
	return conclude(ctx, o, root, report, plain, shuffled)
}

// load makes and fills the tables that have no rows.
func load(ctx context.Context, s *runner.Server, tables []colocate.Table) error {
	for _, t := range tables {
		if set, _, err := s.Run(ctx, "", "SELECT count(*) FROM "+t.Name); err == nil && set.Rows[0][0].Text != "0" {
			continue
		}
		for _, text := range []string{"DROP TABLE IF EXISTS " + t.Name + " FORCE", t.Create, t.Load} {
			_, took, err := s.Run(ctx, "", text)
			if err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
			if text == t.Load {
				fmt.Printf("loaded %s in %.1f s\n", t.Name, took.Seconds())
			}
		}
	}
	return nil
}

func startPeer(ctx context.Context, root, scratch string, o options) (*runner.Peer, error) {
	binary, err := runner.BuildPeers(ctx, root, scratch)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, t := range colocate.Tables(o.scale, o.buckets) {
		dirs, err := filepath.Glob(filepath.Join(o.data, "data", "warehouse", colocate.Database+".db", t.Name+"_[0-9]*"))
		if err != nil || len(dirs) != 1 {
			return nil, fmt.Errorf("table %s has %d folders, want one", t.Name, len(dirs))
		}
		files[t.Name] = filepath.Join(dirs[0], "**", "*.parquet")
	}
	return runner.StartPeer(binary, files, o.threads)
}

// conclude prints and writes the outcome and checks the claims.
func conclude(ctx context.Context, o options, root string, r *runner.Report, plain, shuffled *runner.Variant) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## Colocate joins, %.0f × %.0f × %.0f million rows, %d buckets, %d threads\n\n",
		colocate.LargeRows*o.scale/1e6, colocate.LargeRows*o.scale/1e6, colocate.SmallRows*o.scale/1e6, o.buckets, o.threads)
	fmt.Fprintf(&b, "%s, commit %s, medians of %d runs after a warm-up, on %s. Written by `go run ./bench/cmd/colocate`.\n\n",
		time.Now().Format(time.DateOnly), runner.Commit(root), o.runs, runner.Machine())
	b.WriteString("| query | colocate ms | shuffle ms | faster | colocate MB | shuffle MB | DuckDB ms | to DuckDB |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
	var failed []error
	for i, q := range r.Queries {
		c, s := q.Engines[0].Median(), q.Engines[1].Median()
		text := colocate.Queries()[i]
		memory, err := plain.QueryMemory(ctx, q.Query, text.Plain())
		if err != nil {
			return err
		}
		most, err := shuffled.QueryMemory(ctx, q.Query, "")
		if err != nil {
			return err
		}
		faster := float64(s) / float64(c)
		fmt.Fprintf(&b, "| %s | %.0f | %.0f | %.2f | %.0f | %.0f |", q.Query, ms(c), ms(s), faster, memory, most)
		if faster < wantFaster {
			failed = append(failed, fmt.Errorf("%s: colocate is %.2f times as fast as shuffle, want %.1f", q.Query, faster, wantFaster))
		}
		if memory > most*wantMemory {
			failed = append(failed, fmt.Errorf("%s: colocate takes %.0f MB, shuffle %.0f MB", q.Query, memory, most))
		}
		if o.peer {
			d := q.Engines[2].Median()
			fmt.Fprintf(&b, " %.0f | %.2f |", ms(d), float64(c)/float64(d))
			if c > d {
				failed = append(failed, fmt.Errorf("%s: %.0f ms, DuckDB %.0f ms", q.Query, ms(c), ms(d)))
			}
		} else {
			b.WriteString(" | |")
		}
		b.WriteString("\n")
	}
	fmt.Println(b.String())
	if o.out != "none" {
		if o.out == "" {
			o.out = filepath.Join(root, "bench")
		}
		if err := runner.WriteSection(o.out, "colocate", b.String()); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
