// Command upsert times a UNIQUE KEY table: a million upserts into twenty million rows, then lookups by key over the
// MySQL protocol, plain and prepared:
//
//	go run ./bench/cmd/upsert
//
// It exits with status 1 when an answer is wrong or a claim does not hold: the upserts in less than 20 seconds, lookups below
// 3 ms at the 99th percentile on one connection and on several, and 3,000 of them a second on several.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql" // the clients

	"github.com/basaltdb/basalt/bench/runner"
)

// The claims.
const (
	wantUpsert = 20 * time.Second
	wantP99    = 3 * time.Millisecond
	wantRate   = 3000
)

type options struct {
	rows, upserts int
	buckets       int
	seconds       int
	connections   int
	data          string
	out           string
}

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 20_000_000, "rows of the table")
	flag.IntVar(&o.upserts, "upserts", 1_000_000, "rows of the load; one in eleven is new")
	flag.IntVar(&o.buckets, "buckets", 16, "buckets of the table")
	flag.IntVar(&o.seconds, "seconds", 10, "length of each measurement of lookups")
	flag.IntVar(&o.connections, "connections", 4, "connections for the rate")
	flag.StringVar(&o.data, "data", "", "folder of the server's data (default data/upsert in the checkout, made if missing)")
	flag.StringVar(&o.out, "out", "", `folder of RESULTS.md (default bench in the checkout; "none" writes nothing)`)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "upsert:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	root, err := runner.Checkout()
	if err != nil {
		return err
	}
	if o.data == "" {
		o.data = filepath.Join(root, "data", "upsert")
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
	server, err := runner.StartServer(ctx, runner.ServerOptions{Binary: binary, StateDir: o.data, Threads: 2,
		Setup: []string{"CREATE DATABASE IF NOT EXISTS upsert", "USE upsert", "SET exec_mem_limit = '8G'"}})
	if err != nil {
		return err
	}
	defer server.Close()
	db, err := sql.Open("mysql", "root@tcp("+server.Address()+")/upsert?interpolateParams=true")
	if err != nil {
		return err
	}
	defer db.Close()
	prepared, err := sql.Open("mysql", "root@tcp("+server.Address()+")/upsert")
	if err != nil {
		return err
	}
	defer prepared.Close()
	b := &bench{options: o, db: db, prepared: prepared, root: root}
	if err := b.load(ctx); err != nil {
		return err
	}
	if err := b.upsert(ctx); err != nil {
		return err
	}
	if err := b.lookups(ctx); err != nil {
		return err
	}
	return b.conclude()
}

type bench struct {
	options
	db, prepared *sql.DB
	root         string

	loaded, upserted time.Duration
	measured         []measurement
}

// measurement is one way of looking rows up.
type measurement struct {
	name        string
	connections int
	rate        float64
	p50, p99    time.Duration
}

func (b *bench) number(ctx context.Context, query string) (int64, error) {
	var n int64
	err := b.db.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// load makes and fills the table unless it is there.
func (b *bench) load(ctx context.Context) error {
	if n, err := b.number(ctx, "SELECT count(*) FROM users"); err == nil && n == int64(b.rows) {
		return nil
	}
	begin := time.Now()
	for _, text := range []string{
		"DROP TABLE IF EXISTS users FORCE",
		fmt.Sprintf(`CREATE TABLE users (id BIGINT NOT NULL, name VARCHAR(40), score INT, balance DECIMAL(12,2), seen DATETIME)
UNIQUE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS %d PROPERTIES ("replication_num" = "1")`, b.buckets),
		fmt.Sprintf(`INSERT INTO users SELECT number, concat('user number ', number), number %% 1000, number / 100, date_add('2024-01-01', number %% 365) FROM numbers("number" = "%d")`, b.rows),
	} {
		if _, err := b.db.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	b.loaded = time.Since(begin)
	fmt.Printf("loaded %d rows in %.1f s\n", b.rows, b.loaded.Seconds())
	return nil
}

// upsert loads rows all over the keys, some of them new, and checks what is there then.
func (b *bench) upsert(ctx context.Context) error {
	// 7919 is prime: the keys differ.
	keys := b.rows + b.rows/10
	begin := time.Now()
	_, err := b.db.ExecContext(ctx, fmt.Sprintf(`INSERT INTO users SELECT number * 7919 %% %d, concat('changed ', number), -1, 0, '2024-12-31' FROM numbers("number" = "%d")`, keys, b.upserts))
	if err != nil {
		return err
	}
	b.upserted = time.Since(begin)
	fmt.Printf("upserted %d rows in %.2f s\n", b.upserts, b.upserted.Seconds())
	fresh := 0
	for i := range b.upserts {
		if i*7919%keys >= b.rows {
			fresh++
		}
	}
	count, err := b.number(ctx, "SELECT count(*) FROM users")
	if err != nil {
		return err
	}
	changed, err := b.number(ctx, "SELECT count(*) FROM users WHERE score = -1")
	if err != nil {
		return err
	}
	distinct, err := b.number(ctx, "SELECT count(DISTINCT id) FROM users")
	if err != nil {
		return err
	}
	if count != int64(b.rows+fresh) || changed != int64(b.upserts) || distinct != count {
		return fmt.Errorf("%d rows, %d of them changed, %d keys; want %d, %d", count, changed, distinct, b.rows+fresh, b.upserts)
	}
	return nil
}

// lookups measures queries for one key: one connection for the latency, several for the rate.
func (b *bench) lookups(ctx context.Context) error {
	for _, connections := range []int{1, b.connections} {
		for name, db := range map[string]*sql.DB{"plain": b.db, "prepared": b.prepared} {
			m, err := b.measure(ctx, name, db, connections)
			if err != nil {
				return err
			}
			fmt.Printf("%-8s %d connections: %.0f a second, median %.2f ms, 99 %% below %.2f ms\n", m.name, m.connections, m.rate, ms(m.p50), ms(m.p99))
			b.measured = append(b.measured, m)
		}
	}
	slices.SortFunc(b.measured, func(x, y measurement) int {
		return strings.Compare(fmt.Sprint(x.name, x.connections), fmt.Sprint(y.name, y.connections))
	})
	return nil
}

func (b *bench) measure(ctx context.Context, name string, db *sql.DB, connections int) (measurement, error) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		all   []time.Duration
		first error
	)
	const query = "SELECT id, name, score, balance, seen FROM users WHERE id = ?"
	begin := time.Now()
	end := begin.Add(time.Duration(b.seconds) * time.Second)
	for i := range connections {
		wg.Go(func() {
			took, err := b.look(ctx, name, db, query, uint64(i), end)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			if err != nil && first == nil {
				first = err
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(begin)
	if first != nil || len(all) == 0 {
		return measurement{}, errors.Join(first, errors.New("no lookups"))
	}
	slices.Sort(all)
	return measurement{name, connections, float64(len(all)) / elapsed.Seconds(), all[len(all)/2], all[len(all)*99/100]}, nil
}

// look looks random keys up on one connection until end.
func (b *bench) look(ctx context.Context, name string, db *sql.DB, query string, seed uint64, end time.Time) ([]time.Duration, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ask := func(id int64) *sql.Row { return conn.QueryRowContext(ctx, query, id) }
	if name == "prepared" {
		st, err := conn.PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		defer st.Close()
		ask = func(id int64) *sql.Row { return st.QueryRowContext(ctx, id) }
	}
	r := rand.New(rand.NewPCG(seed, 1))
	keys := b.rows + b.rows/10
	var took []time.Duration
	for time.Now().Before(end) {
		id := r.Int64N(int64(b.rows))
		var got, score int64
		var text, balance, seen string
		begin := time.Now()
		err := ask(id).Scan(&got, &text, &score, &balance, &seen)
		took = append(took, time.Since(begin))
		if err != nil {
			return nil, err
		}
		want := fmt.Sprintf("user number %d", id)
		if score == -1 {
			var n int64
			if _, err := fmt.Sscanf(text, "changed %d", &n); err == nil && n*7919%int64(keys) == id {
				want = text
			}
		}
		if got != id || text != want {
			return nil, fmt.Errorf("key %d: row %d, %q", id, got, text)
		}
	}
	return took, nil
}

// conclude prints and writes the outcome and checks the claims.
func (b *bench) conclude() error {
	var out strings.Builder
	fmt.Fprintf(&out, "## Upserts and lookups by key, %.0f million rows, %d buckets\n\n", float64(b.rows)/1e6, b.buckets)
	fmt.Fprintf(&out, "%s, commit %s, on %s. Written by `go run ./bench/cmd/upsert`.\n\n", time.Now().Format(time.DateOnly), runner.Commit(b.root), runner.Machine())
	fmt.Fprintf(&out, "%d upserts in one statement: %.2f s. Lookups over the MySQL protocol, clients on the same cores:\n\n", b.upserts, b.upserted.Seconds())
	out.WriteString("| statement | connections | a second | median ms | 99 % below ms |\n|---|---:|---:|---:|---:|\n")
	var failed []error
	if b.upserted > wantUpsert {
		failed = append(failed, fmt.Errorf("the upserts took %.1f s, want %.0f", b.upserted.Seconds(), wantUpsert.Seconds()))
	}
	best := 0.0
	for _, m := range b.measured {
		fmt.Fprintf(&out, "| %s | %d | %.0f | %.2f | %.2f |\n", m.name, m.connections, m.rate, ms(m.p50), ms(m.p99))
		best = max(best, m.rate)
		if m.p99 > wantP99 {
			failed = append(failed, fmt.Errorf("%s lookups on %d connections: 99 %% below %.2f ms, want %.0f", m.name, m.connections, ms(m.p99), ms(wantP99)))
		}
		if m.connections > 1 && m.rate < wantRate {
			failed = append(failed, fmt.Errorf("%s lookups: %.0f a second, want %d", m.name, m.rate, wantRate))
		}
	}
	fmt.Println(out.String())
	if b.out != "none" {
		if b.out == "" {
			b.out = filepath.Join(b.root, "bench")
		}
		if err := runner.WriteSection(b.out, "upsert", out.String()); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
