// Command memory runs the TPC-H queries in little memory, and many at once:
//
//	go run ./bench/cmd/memory
//
// At scale factor 10, every query with exec_mem_limit at 512 MB in a server of 1 GB, then all
// queries from ten sessions at once in a server of 2 GB. It exits with status 1 when a query's rows are not DuckDB's,
// when one fails but for the error that says so, when a server takes more memory than it was
// given, or leaves a temporary file.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/basaltdb/basalt/bench/result"
	"github.com/basaltdb/basalt/bench/runner"
	"github.com/basaltdb/basalt/bench/tpch"
	"github.com/basaltdb/basalt/bench/tpchgen"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

type options struct {
	sf          float64
	alone, many int64 // megabytes of the servers
	query       int64 // exec_mem_limit, in megabytes
	sessions    int
	data, out   string
}

func main() {
	var o options
	flag.Float64Var(&o.sf, "sf", 10, "scale factor of TPC-H")
	flag.Int64Var(&o.alone, "alone", 1024, "megabytes of the server that runs one query after the other")
	flag.Int64Var(&o.many, "many", 2048, "megabytes of the server that runs them from all sessions at once")
	flag.Int64Var(&o.query, "query", 512, "exec_mem_limit in megabytes")
	flag.IntVar(&o.sessions, "sessions", 10, "sessions at once")
	flag.StringVar(&o.data, "data", "", "folder of the TPC-H tables (default data/tpch/sf<sf> in the checkout, made if missing)")
	flag.StringVar(&o.out, "out", "", `folder of RESULTS.md (default bench in the checkout; "none" writes nothing)`)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "memory:", err)
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
	want, err := peerAnswers(ctx, o, root, scratch)
	if err != nil {
		return err
	}
	binary, err := runner.BuildServer(ctx, root, scratch)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Memory, TPC-H at scale factor %g\n\n%s, commit %s, on %s. Written by `go run ./bench/cmd/memory`; all rows are DuckDB's.\n\n",
		o.sf, time.Now().Format(time.DateOnly), runner.Commit(root), runner.Machine())
	fmt.Fprintf(&b, "exec_mem_limit is %d MB.\n\n| sessions | server MB | queries | refused | seconds | slowest query, s | peak resident MB |\n|---:|---:|---:|---:|---:|---:|---:|\n", o.query)
	var failed []error
	for _, c := range []struct {
		sessions int
		memory   int64
	}{{1, o.alone}, {o.sessions, o.many}} {
		r := &load{o: o, sessions: c.sessions, memory: c.memory, want: want}
		if err := r.run(ctx, binary, filepath.Join(scratch, fmt.Sprint("server", c.sessions))); err != nil {
			return err
		}
		failed = append(failed, r.failed...)
		fmt.Fprintf(&b, "| %d | %d | %d | %d | %.0f | %.1f | %d |\n", c.sessions, c.memory, tpch.Count, r.refused, r.took.Seconds(), r.slowest.Seconds(), r.peak>>20)
	}
	fmt.Println(b.String())
	if o.out != "none" {
		if o.out == "" {
			o.out = filepath.Join(root, "bench")
		}
		if err := runner.WriteSection(o.out, "memory", b.String()); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// peerAnswers are DuckDB's rows, by query from 1.
func peerAnswers(ctx context.Context, o options, root, scratch string) ([]result.Set, error) {
	binary, err := runner.BuildPeers(ctx, root, scratch)
	if err != nil {
		return nil, err
	}
	tables := map[string]string{}
	for _, t := range tpchgen.Tables() {
		tables[t] = filepath.Join(o.data, t, "*.parquet")
	}
	peer, err := runner.StartPeer(binary, tables, 2)
	if err != nil {
		return nil, err
	}
	defer peer.Close()
	out := make([]result.Set, tpch.Count+1)
	for n := 1; n <= tpch.Count; n++ {
		if out[n], _, err = peer.Run(ctx, tpch.Name(n), tpch.Query(n)); err != nil {
			return nil, fmt.Errorf("DuckDB, %s: %w", tpch.Name(n), err)
		}
	}
	return out, nil
}

// load is one server under some sessions.
type load struct {
	o        options
	sessions int
	memory   int64 // megabytes
	want     []result.Set

	mu            sync.Mutex
	failed        []error
	refused       int
	took, slowest time.Duration
	peak          int64
}

func (r *load) run(ctx context.Context, binary, dir string) error {
	setup, err := runner.ExternalTables("tpch", r.o.data, tpchgen.Tables())
	if err != nil {
		return err
	}
	server, err := runner.StartServer(ctx, runner.ServerOptions{Binary: binary, StateDir: dir, Setup: setup, Threads: 2, Args: []string{"--memory", fmt.Sprintf("%dM", r.memory)}})
	if err != nil {
		return err
	}
	defer server.Close()
	db, err := sql.Open("mysql", "root@tcp("+server.Address()+")/tpch")
	if err != nil {
		return err
	}
	defer db.Close()
	queries := make(chan int)
	var wg sync.WaitGroup
	start := time.Now()
	for range r.sessions {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		for _, text := range []string{fmt.Sprintf("SET exec_mem_limit = %d", r.o.query<<20), "SET enable_page_cache = 0"} {
			if _, err := conn.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		wg.Go(func() {
			for n := range queries {
				r.query(ctx, conn, n)
			}
		})
	}
	for n := 1; n <= tpch.Count; n++ {
		queries <- n
	}
	close(queries)
	wg.Wait()
	r.took, r.peak = time.Since(start), server.PeakMemory()
	if r.peak > r.memory<<20 {
		r.fail("%d sessions: the server took %d MB, it has %d", r.sessions, r.peak>>20, r.memory)
	}
	if err := server.Alive(ctx); err != nil {
		r.fail("%d sessions: the server does not answer any more: %w", r.sessions, err)
	}
	return filepath.WalkDir(filepath.Join(dir, "data", "spill"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			r.fail("%d sessions: %s was left", r.sessions, path)
		}
		return nil
	})
}

func (r *load) fail(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, fmt.Errorf(format, args...))
}

// query runs one query and compares its rows. An error that says that memory is short is an answer where
// there are many sessions.
func (r *load) query(ctx context.Context, conn *sql.Conn, n int) {
	start := time.Now()
	rows, err := conn.QueryContext(ctx, tpch.Query(n))
	var got result.Set
	if err == nil {
		got, err = result.Read(rows)
		rows.Close()
	}
	took := time.Since(start)
	r.mu.Lock()
	r.slowest = max(r.slowest, took)
	r.mu.Unlock()
	var e *mysql.MySQLError
	switch {
	case r.sessions > 1 && errors.As(err, &e) && (e.Number == sqlerr.OutOfMemory.Number || e.Number == sqlerr.OutOfResources.Number):
		r.mu.Lock()
		r.refused++
		r.mu.Unlock()
	case err != nil:
		r.fail("%d sessions, %s: %w", r.sessions, tpch.Name(n), err)
		return
	default:
		if err := result.Compare(got, r.want[n], tpch.Rules(n)); err != nil {
			r.fail("%d sessions, %s: %w", r.sessions, tpch.Name(n), err)
			return
		}
	}
	fmt.Printf("%d sessions, %s: %.1f s, error: %v\n", r.sessions, tpch.Name(n), took.Seconds(), err)
}
