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
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
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

// turn is the least time of an engine's turn, of which the last run is measured.
const turn = 200 * time.Millisecond

// wantLoaded is the rows a second and core of a load.
const wantLoaded = 500_000

type options struct {
	scale                       float64
	runs, threads               int
	keep, peer                  bool
	data, out, queries, profile string
}

func main() {
	var o options
	flag.Float64Var(&o.scale, "scale", 1, "multiplies the events")
	flag.IntVar(&o.runs, "runs", 9, "measured runs of each query")
	flag.IntVar(&o.threads, "threads", 2, "instances of Basalt, threads of DuckDB")
	flag.StringVar(&o.data, "data", "", "folder of the data (default data/bitmap in the checkout); the events are made if missing")
	flag.StringVar(&o.out, "out", "", `folder of RESULTS.md (default bench in the checkout; "none" writes nothing)`)
	flag.BoolVar(&o.keep, "keep", false, "keep the tables of an earlier run")
	flag.BoolVar(&o.peer, "peer", true, "measure DuckDB, too; without it no results are written")
	flag.StringVar(&o.queries, "queries", "", `only queries whose names begin so, such as "rollup day"; results have the figures of earlier runs for the others`)
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bitmap:", err)
		os.Exit(1)
	}
}

// notes are the figures of runs over one data folder, which keeps them: a run with -keep or -queries measures some of them anew.
type notes struct {
	Loads   []loaded
	Queries map[string]measured
	Peer    string // and its version
}

type loaded struct {
	Name    string
	Claimed bool
	Took    time.Duration
}

// measured are the medians of a query.
type measured struct {
	Runs         int
	Basalt, Peer time.Duration
}

func readNotes(dir string) (n notes, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "notes.json"))
	if err == nil {
		err = json.Unmarshal(text, &n)
	}
	if n.Queries == nil {
		n.Queries = map[string]measured{}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return n, err
}

func (n *notes) write(dir string) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "notes.json"), text, 0o666)
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
	stop, err := profile(o.profile)
	if err != nil {
		return err
	}
	defer stop()
	figures, err := readNotes(o.data)
	if err != nil {
		return err
	}
	if err := load(ctx, s, o, &figures); err != nil {
		return err
	}
	plan := runner.Plan{Runs: o.runs, Timeout: 10 * time.Minute, Log: os.Stdout, Turn: turn}
	for _, q := range bitmap.Queries() {
		if !strings.HasPrefix(q.Name, o.queries) {
			continue
		}
		plan.Queries = append(plan.Queries, runner.Query{Name: q.Name, SQL: q.SQL, PeerSQL: q.PeerSQL})
	}
	engines := []runner.Engine{&runner.Embedded{Session: s, Label: "Basalt"}}
	if o.peer {
		peer, err := startPeer(ctx, o, root)
		if err != nil {
			return err
		}
		defer peer.Close()
		engines = append(engines, peer)
	}
	report, err := runner.Run(ctx, plan, engines...)
	if err != nil {
		return err
	}
	if err := report.Err(); err != nil {
		return err
	}
	if !o.peer {
		return nil
	}
	for _, q := range report.Queries {
		figures.Queries[q.Query] = measured{o.runs, q.Engines[0].Median(), q.Engines[1].Median()}
	}
	figures.Peer = report.Engines[1].Version
	if err := figures.write(o.data); err != nil {
		return err
	}
	return conclude(o, root, &figures)
}

// startPeer builds and starts DuckDB over the files of the events.
func startPeer(ctx context.Context, o options, root string) (*runner.Peer, error) {
	dirs, err := filepath.Glob(filepath.Join(o.data, "warehouse", bitmap.Database+".db", bitmap.Raw+"_[0-9]*"))
	if err != nil || len(dirs) != 1 {
		return nil, fmt.Errorf("the events have %d folders, want one", len(dirs))
	}
	scratch, err := os.MkdirTemp("", "basalt-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch) // a program that runs needs its file no more
	binary, err := runner.BuildPeers(ctx, root, scratch)
	if err != nil {
		return nil, err
	}
	return runner.StartPeer(binary, map[string]string{bitmap.Raw: filepath.Join(dirs[0], "**", "*.parquet")}, o.threads)
}

// profile starts a profile if a file is named.
func profile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

// load makes the events, if they are missing, and every other table anew.
func load(ctx context.Context, s *basalt.Session, o options, figures *notes) error {
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
				return err
			}
		}
	} else {
		rows.Close()
	}
	if o.keep && len(figures.Loads) > 0 {
		return nil
	}
	figures.Loads = nil
	for _, t := range tables[1:] {
		for _, text := range []string{"DROP TABLE IF EXISTS " + t.Name + " FORCE", t.Create} {
			if err := exec(text); err != nil {
				return err
			}
		}
		start := time.Now()
		if err := exec(t.Load); err != nil {
			return err
		}
		figures.Loads = append(figures.Loads, loaded{t.Name, t.Claimed, time.Since(start)})
		fmt.Printf("loaded %s in %.1f s\n", t.Name, time.Since(start).Seconds())
	}
	return figures.write(o.data)
}

// conclude prints and writes the outcome and checks the claims.
func conclude(o options, root string, figures *notes) error {
	var b strings.Builder
	rows := bitmap.Events * o.scale
	fmt.Fprintf(&b, "## Distinct counts in bitmaps, %.0f million events, %d threads\n\n", rows/1e6, o.threads)
	fmt.Fprintf(&b, "%s, commit %s, medians of the runs after a warm-up, each the last one of a turn of at least %v, on %s. Written by `go run ./bench/cmd/bitmap`.\n",
		time.Now().Format(time.DateOnly), runner.Commit(root), turn, runner.Machine())
	fmt.Fprintf(&b, "DuckDB %s reads the Parquet files of the events. Pages and counts are equal in every row. `name` counts a string: through a global dictionary in Basalt.\n\n", figures.Peer)
	b.WriteString("| visitors by page | runs | Basalt ms | DuckDB ms | faster | wanted |\n|---|---:|---:|---:|---:|---:|\n")
	var failed []error
	for _, q := range bitmap.Queries() {
		m, ok := figures.Queries[q.Name]
		if !ok {
			failed = append(failed, fmt.Errorf("%s was not measured yet", q.Name))
			continue
		}
		faster := float64(m.Peer) / float64(m.Basalt)
		fmt.Fprintf(&b, "| %s | %d | %.1f | %.1f | %.1f | %.0f |\n", q.Name, m.Runs, ms(m.Basalt), ms(m.Peer), faster, q.Wanted)
		if faster < q.Wanted {
			failed = append(failed, fmt.Errorf("%s: %.1f times as fast as DuckDB, want %.0f", q.Name, faster, q.Wanted))
		}
	}
	b.WriteString("\n| load | s | rows a second and core | wanted |\n|---|---:|---:|---:|\n")
	for _, l := range figures.Loads {
		rate := rows / l.Took.Seconds() / float64(o.threads)
		wanted := ""
		if l.Claimed {
			wanted = fmt.Sprint(wantLoaded)
			if rate < wantLoaded {
				failed = append(failed, fmt.Errorf("loading %s: %.0f rows a second and core, want %d", l.Name, rate, wantLoaded))
			}
		}
		fmt.Fprintf(&b, "| %s | %.1f | %.0f | %s |\n", l.Name, l.Took.Seconds(), rate, wanted)
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
