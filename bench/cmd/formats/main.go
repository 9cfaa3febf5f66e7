// Command formats measures how fast files are read, against DuckDB and pyarrow (of python3), in CPU time of one thread:
//
//	go run ./bench/cmd/formats
//
// It exits with status 1 when a claim does not hold.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/basaltdb/basalt/bench/formats"
	"github.com/basaltdb/basalt/bench/runner"
	"github.com/basaltdb/basalt/bench/tpchgen"
)

type options struct {
	sf               float64
	runs             int
	tables, dir, out string
	match, profile   string
}

func main() {
	var o options
	flag.Float64Var(&o.sf, "sf", 1, "scale factor of TPC-H")
	flag.IntVar(&o.runs, "runs", 5, "measured runs of each side")
	flag.StringVar(&o.tables, "tables", "", "folder of the TPC-H tables as Parquet (default data/tpch/sf<sf> in the checkout, made if missing)")
	flag.StringVar(&o.dir, "dir", "", "folder of the same data in other formats, made if missing (default data/formats/sf<sf> in the checkout)")
	flag.StringVar(&o.out, "out", "", `folder of RESULTS.md (default bench in the checkout; "none" writes nothing)`)
	flag.StringVar(&o.match, "match", "", "run only what this regular expression finds")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "formats:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	runtime.GOMAXPROCS(1)
	root, err := runner.Checkout()
	if err != nil {
		return err
	}
	match, err := regexp.Compile(o.match)
	if err != nil {
		return err
	}
	if o.tables == "" {
		o.tables = filepath.Join(root, "data", "tpch", fmt.Sprintf("sf%g", o.sf))
	}
	if o.dir == "" {
		o.dir = filepath.Join(root, "data", "formats", fmt.Sprintf("sf%g", o.sf))
	}
	if files, _ := filepath.Glob(filepath.Join(o.tables, "lineitem", "*.parquet")); len(files) == 0 {
		fmt.Printf("making the data of scale factor %v in %s\n", o.sf, o.tables)
		if err := tpchgen.Generate(ctx, tpchgen.Options{ScaleFactor: o.sf, Dir: o.tables, Tables: tpchgen.Tables()}); err != nil {
			return err
		}
	}
	data, err := formats.Open(ctx, o.tables, o.dir)
	if err != nil {
		return err
	}
	defer data.Close()
	if err := data.Databases(ctx); err != nil {
		return err
	}
	peer, err := formats.StartPeer()
	if err != nil {
		return err
	}
	defer peer.Close()
	cases, err := formats.Cases(ctx, data, peer)
	if err != nil {
		return err
	}
	if o.profile != "" {
		f, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var results []formats.Result
	var failed []error
	for _, c := range cases {
		if !match.MatchString(c.Name + " " + c.A) {
			continue
		}
		r, err := formats.Run(ctx, c, o.runs)
		if err != nil {
			return err
		}
		fmt.Print(formats.Table([]formats.Result{r}))
		results = append(results, r)
		if !r.Good() {
			failed = append(failed, fmt.Errorf("%s, %s: below what is wanted", c.Name, c.A))
		}
	}
	text := fmt.Sprintf("## Formats, TPC-H at scale factor %g, 1 thread\n\n%s, commit %s, medians of %d runs after a warm-up, on %s. Written by `go run ./bench/cmd/formats`.\n"+
		"CPU time is user and system time of the whole process, garbage collection included. DuckDB %s, pyarrow %s.\n\n%s",
		o.sf, time.Now().Format(time.DateOnly), runner.Commit(root), o.runs, runner.Machine(), peer.DuckDB, peer.Arrow, formats.Table(results))
	if o.out != "none" && o.match == "" {
		if o.out == "" {
			o.out = filepath.Join(root, "bench")
		}
		if err := runner.WriteSection(o.out, "formats", text); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}
