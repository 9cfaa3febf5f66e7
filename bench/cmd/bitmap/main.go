// Command bitmap counts distinct users by page over any days, in bitmaps of a rollup and in plain rows, against DuckDB's
// count(DISTINCT) on the Parquet files of the events, and times the loads:
//
//	go run ./bench/cmd/bitmap
//
// It exits with status 1 when rows differ or a claim does not hold: 50 times as fast with the rollup, by whole numbers and by names
// through a global dictionary, 3 times without any; 500,000 rows a second and core loaded into the tables with a rollup.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/bench/bitmap"
	"github.com/basaltdb/basalt/bench/runner"
)

// wantLoaded is the rows a second and core of a load.
const wantLoaded = 500_000

type options struct {
	scale              float64
	runs, threads      int
	data, out, profile string
}

func main() {
	var o options
	flag.Float64Var(&o.scale, "scale", 1, "multiplies the events")
	flag.IntVar(&o.runs, "runs", 3, "measured runs of each query")
	flag.IntVar(&o.threads, "threads", 2, "instances of Basalt, threads of DuckDB")
	flag.StringVar(&o.data, "data", "", "folder of the data (default data/bitmap in the checkout); the events are made if missing")
	flag.StringVar(&o.out, "out", "", `folder of RESULTS.md (default bench in the checkout; "none" writes nothing)`)
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of the loads to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bitmap:", err)
		os.Exit(1)
	}
}

// loaded is what a load took.
type loaded struct {
	bitmap.Table
	took time.Duration
}

func run(ctx context.Context, o options) error {
	root, err := runner.Checkout()
	if err != nil {
		return err
	}
	if o.data == "" {
		o.data = filepath.Join(root, "data", "bitmap", fmt.Sprintf("scale%g", o.scale))
	}
	if err := os.MkdirAll(o.data, 0o777); err != nil {
		return err
	}
	db, err := basalt.Open(o.data, basalt.Options{Workers: o.threads})
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMemoryLimit()
	s := db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	for _, text := range []string{"CREATE DATABASE IF NOT EXISTS " + bitmap.Database, "USE " + bitmap.Database, "SET query_timeout = 3600", "SET enable_page_cache = 0"} {
		if _, err := s.Exec(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	loads, err := load(ctx, s, o)
	if err != nil {
		return err
	}
	dirs, err := filepath.Glob(filepath.Join(o.data, "warehouse", bitmap.Database+".db", bitmap.Raw+"_[0-9]*"))
	if err != nil || len(dirs) != 1 {
		return fmt.Errorf("the events have %d folders, want one", len(dirs))
	}
	scratch, err := os.MkdirTemp("", "basalt-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	binary, err := runner.BuildPeers(ctx, root, scratch)
	if err != nil {
		return err
	}
	peer, err := runner.StartPeer(binary, map[string]string{bitmap.Raw: filepath.Join(dirs[0], "**", "*.parquet")}, o.threads)
	if err != nil {
		return err
	}
	defer peer.Close()
	plan := runner.Plan{Runs: o.runs, Timeout: 10 * time.Minute, Log: os.Stdout}
	for _, q := range bitmap.Queries() {
		plan.Queries = append(plan.Queries, runner.Query{Name: q.Name, SQL: q.SQL, PeerSQL: q.PeerSQL})
	}
	report, err := runner.Run(ctx, plan, &runner.Embedded{Session: s, Label: "Basalt"}, peer)
	if err != nil {
		return err
	}
	if err := report.Err(); err != nil {
		return err
	}
	return conclude(o, root, report, loads)
}

// load makes the events, if they are missing, and every other table anew.
func load(ctx context.Context, s *basalt.Session, o options) ([]loaded, error) {
	exec := func(text string) error {
		_, err := s.Exec(ctx, text)
		if err != nil {
			err = fmt.Errorf("%s: %w", text, err)
		}
		return err
	}
	tables := bitmap.Tables(o.scale)
	if rows, err := s.Query(ctx, "SELECT 1 FROM "+bitmap.Raw+" LIMIT 1"); err != nil {
		fmt.Println("making the events")
		for _, text := range []string{tables[0].Create, tables[0].Load} {
			if err := exec(text); err != nil {
				return nil, err
			}
		}
	} else {
		rows.Close()
	}
	if o.profile != "" {
		f, err := os.Create(o.profile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	var out []loaded
	for _, t := range tables[1:] {
		for _, text := range []string{"DROP TABLE IF EXISTS " + t.Name + " FORCE", t.Create} {
			if err := exec(text); err != nil {
				return nil, err
			}
		}
		start := time.Now()
		if err := exec(t.Load); err != nil {
			return nil, err
		}
		out = append(out, loaded{t, time.Since(start)})
		fmt.Printf("loaded %s in %.1f s\n", t.Name, time.Since(start).Seconds())
	}
	return out, nil
}

// conclude prints and writes the outcome and checks the claims.
func conclude(o options, root string, r *runner.Report, loads []loaded) error {
	var b strings.Builder
	rows := bitmap.Events * o.scale
	fmt.Fprintf(&b, "## Distinct counts in bitmaps, %.0f million events, %d threads\n\n", rows/1e6, o.threads)
	fmt.Fprintf(&b, "%s, commit %s, medians of %d runs after a warm-up, on %s. Written by `go run ./bench/cmd/bitmap`.\n",
		time.Now().Format(time.DateOnly), runner.Commit(root), o.runs, runner.Machine())
	fmt.Fprintf(&b, "DuckDB %s reads the Parquet files of the events. Pages and counts are equal in every row. `name` counts a string: through a global dictionary in Basalt.\n\n", r.Engines[1].Version)
	b.WriteString("| visitors by page | Basalt ms | DuckDB ms | faster | wanted |\n|---|---:|---:|---:|---:|\n")
	var failed []error
	for i, q := range r.Queries {
		want := bitmap.Queries()[i].Wanted
		mine, peers := q.Engines[0].Median(), q.Engines[1].Median()
		faster := float64(peers) / float64(mine)
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.0f | %.0f |\n", q.Query, ms(mine), ms(peers), faster, want)
		if faster < want {
			failed = append(failed, fmt.Errorf("%s: %.1f times as fast as DuckDB, want %.0f", q.Query, faster, want))
		}
	}
	b.WriteString("\n| load | s | rows a second and core | wanted |\n|---|---:|---:|---:|\n")
	for _, l := range loads {
		rate := rows / l.took.Seconds() / float64(o.threads)
		wanted := ""
		if l.Claimed {
			wanted = fmt.Sprint(wantLoaded)
			if rate < wantLoaded {
				failed = append(failed, fmt.Errorf("loading %s: %.0f rows a second and core, want %d", l.Name, rate, wantLoaded))
			}
		}
		fmt.Fprintf(&b, "| %s | %.1f | %.0f | %s |\n", l.Name, l.took.Seconds(), rate, wanted)
	}
	fmt.Println(b.String())
	if o.out != "none" {
		if o.out == "" {
			o.out = filepath.Join(root, "bench")
		}
		if err := runner.WriteSection(o.out, "bitmap", b.String()); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
