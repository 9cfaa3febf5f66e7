// Command bench times a workload on Basalt and on DuckDB over the same Parquet files, checks
// that both give the same rows, and writes the results. Run it in the checkout:
//
//	go run ./bench/cmd/bench --sf 1
//	go run ./bench/cmd/bench --workload delivery
//
// It makes the data if they are missing, builds both programs if they are not given, and
// exits with status 1 when an engine fails or the rows differ.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/basaltdb/basalt/bench/result"
	"github.com/basaltdb/basalt/bench/runner"
)

type options struct {
	workload string
	sf       float64
	data     string
	runs     int
	threads  int
	queries  string
	out      string
	engines  string
	basalt   string
	peers    string
	answers  string
	timeout  time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.workload, "workload", "tpch", "tpch or delivery")
	flag.Float64Var(&o.sf, "sf", 1, "scale factor")
	flag.StringVar(&o.data, "data", "", "folder with one folder a table (default data/<workload>/sf<sf> in the checkout, made if missing)")
	flag.IntVar(&o.runs, "runs", 5, "measured runs of each query")
	flag.IntVar(&o.threads, "threads", 2, "threads of each engine")
	flag.StringVar(&o.queries, "queries", "", "queries such as q01,q03 or 1,3,10-14 or d10-3 (default all)")
	flag.StringVar(&o.out, "out", "", `folder for RESULTS.md and the picture (default bench in the checkout; "none" writes nothing)`)
	flag.StringVar(&o.engines, "engines", "basalt,duckdb", "engines to run")
	flag.StringVar(&o.basalt, "basalt", "", "the basalt program (default: built from the checkout)")
	flag.StringVar(&o.peers, "peers", "", "the peers program (default: built from bench/peers)")
	flag.StringVar(&o.answers, "write-answers", "", "folder to write the last engine's rows to, a file a query")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "limit of one run of one query")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	root, err := checkout()
	if err != nil {
		return err
	}
	w, err := newWorkload(ctx, o, root)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "basalt-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)

	engines, notes, err := start(ctx, o, w, root, scratch)
	defer func() {
		for _, e := range engines {
			if err := e.Close(); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
			}
		}
	}()
	if err != nil {
		return err
	}
	plan := runner.Plan{Queries: w.queries, Runs: o.runs, Timeout: o.timeout, Log: os.Stdout}
	report, err := runner.Run(ctx, plan, engines...)
	if err != nil {
		return err
	}
	if w.after != nil && len(engines) > 1 && report.Err() == nil {
		more, err := w.after(ctx, engines[0].(*runner.Server), report.Answers)
		if err != nil {
			return err
		}
		for _, text := range more {
			fmt.Println(text)
		}
		notes = append(notes, more...)
	}
	if mean, n := report.GeometricMean(); n > 0 {
		fmt.Printf("geometric mean of the ratios over %d queries: %.2f\n", n, mean)
	}
	for _, e := range report.Engines {
		fmt.Printf("%s %s: peak memory %d MB\n", e.Name, e.Version, e.PeakMemory>>20)
	}
	if err := writeAnswers(o.answers, report); err != nil {
		return err
	}
	if o.out != "none" {
		if o.out == "" {
			o.out = filepath.Join(root, "bench")
		}
		c := runner.Context{
			Title: w.title, Heading: w.heading, Threads: o.threads, Runs: o.runs, Notes: notes,
			Machine: runner.Machine(), Commit: runner.Commit(root), Date: time.Now(),
		}
		if err := runner.Write(o.out, report, c); err != nil {
			return err
		}
	}
	return report.Err()
}

// checkout finds the folder of the module's go.mod, from the working folder upwards.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/basaltdb/basalt\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run it inside a checkout of Basalt")
		}
		dir = parent
	}
}

// start starts the engines in the order Basalt, DuckDB: the peer reads files that Basalt may
// have to write first. What it returns must be closed, also beside an error.
func start(ctx context.Context, o options, w *workload, root, scratch string) (engines []runner.Engine, notes []string, err error) {
	wanted := strings.Split(o.engines, ",")
	for _, name := range wanted {
		if name != "basalt" && name != "duckdb" {
			return nil, nil, fmt.Errorf("there is no engine %q", name)
		}
	}
	if slices.Contains(wanted, "basalt") {
		binary := o.basalt
		if binary == "" {
			if binary, err = build(ctx, root, "./cmd/basalt", filepath.Join(scratch, "basalt")); err != nil {
				return engines, nil, err
			}
		}
		state := w.state
		if state == "" {
			state = scratch
		}
		s, err := runner.StartServer(ctx, runner.ServerOptions{Binary: binary, StateDir: state, Setup: w.setup, Threads: o.threads})
		if err != nil {
			return engines, nil, err
		}
		engines = append(engines, s)
		notes = append(notes, s.Notes()...)
		if w.load != nil {
			if err := w.load(ctx, s); err != nil {
				return engines, notes, err
			}
		}
	}
	if slices.Contains(wanted, "duckdb") {
		binary := o.peers
		if binary == "" {
			if binary, err = build(ctx, filepath.Join(root, "bench", "peers"), ".", filepath.Join(scratch, "peers")); err != nil {
				return engines, notes, err
			}
		}
		tables, err := w.files()
		if err != nil {
			return engines, notes, err
		}
		p, err := runner.StartPeer(binary, tables, o.threads)
		if err != nil {
			return engines, notes, err
		}
		engines = append(engines, p)
	}
	return engines, notes, nil
}

func build(ctx context.Context, dir, pkg, out string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, pkg)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s in %s: %w\n%s", pkg, dir, err, text)
	}
	return out, nil
}

func writeAnswers(dir string, r *runner.Report) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for n, set := range r.Answers {
		if err := os.WriteFile(filepath.Join(dir, n+".txt"), []byte(result.Format(set)), 0o666); err != nil {
			return err
		}
	}
	return nil
}
