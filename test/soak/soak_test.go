// Package soak runs many connections at once against a server in this process and
// checks every answer, and that goroutines, reservations and memory return to the start.
package soak

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/bench/result"
	"github.com/basaltdb/basalt/bench/tpch"
	"github.com/basaltdb/basalt/bench/tpchgen"
	"github.com/basaltdb/basalt/server"
)

var (
	connections = flag.Int("connections", 100, "connections at a time")
	duration    = flag.Duration("duration", 0, "run so long instead of a fixed number of queries")
	long        = flag.Bool("long", false, "run for a minute")
)

const queries = 22

// TestManyConnections runs mixed TPC-H queries on 100 connections: by default two queries on
// each, with -duration 2m for as long as said.
func TestManyConnections(t *testing.T) {
	if *long && *duration == 0 {
		*duration = time.Minute
	}
	db, address := serve(t)
	want := answers(t)
	settle()
	before, heap := runtime.NumGoroutine(), heapInUse()

	pool, err := sql.Open("mysql", "root@tcp("+address+")/tpch")
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(*connections)
	pool.SetMaxIdleConns(*connections)
	var done atomic.Int64
	var wg sync.WaitGroup
	deadline := time.Now().Add(*duration)
	for c := range *connections {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r := rand.New(rand.NewPCG(uint64(c), 1))
			conn, err := pool.Conn(context.Background())
			if err != nil {
				t.Errorf("connection %d: %v", c, err)
				return
			}
			defer conn.Close()
			for i := 0; (*duration == 0 && i < 2 || *duration > 0 && time.Now().Before(deadline)) && !t.Failed(); i++ {
				n := 1 + r.IntN(queries)
				if err := check(conn, n, want[n]); err != nil {
					t.Errorf("connection %d, q%02d: %v", c, n, err)
				}
				done.Add(1)
			}
		}()
	}
	wg.Wait()
	pool.Close()
	t.Logf("%d queries on %d connections", done.Load(), *connections)
	expectRest(t, db, before, heap)
}

// serve starts a server over TPC-H at scale 0.01.
func serve(t *testing.T) (*basalt.DB, string) {
	ctx := context.Background()
	dir := t.TempDir()
	if err := tpchgen.Generate(ctx, tpchgen.Options{ScaleFactor: 0.01, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := basalt.Open("", basalt.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	s := db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	statements := []string{"CREATE DATABASE tpch", "USE tpch"}
	for _, name := range []string{"region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"} {
		statements = append(statements, fmt.Sprintf("CREATE EXTERNAL TABLE %s STORED AS PARQUET LOCATION '%s'", name, filepath.Join(dir, name)))
	}
	for _, st := range statements {
		if _, err := s.Exec(ctx, st); err != nil {
			t.Fatal(err)
		}
	}
	srv, err := server.Listen(db, server.Options{Address: "127.0.0.1:0", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve()
	t.Cleanup(func() {
		srv.Shutdown(ctx)
		db.Close()
	})
	return db, srv.Addr().String()
}

func answers(t *testing.T) [queries + 1]result.Set {
	var out [queries + 1]result.Set
	for n := 1; n <= queries; n++ {
		var err error
		if out[n], err = result.Parse(tpch.Answer(n)); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func check(conn *sql.Conn, n int, want result.Set) error {
	rows, err := conn.QueryContext(context.Background(), tpch.Query(n))
	if err != nil {
		return err
	}
	defer rows.Close()
	got, err := result.Read(rows)
	if err != nil {
		return err
	}
	return result.Compare(got, want, tpch.Rules(n))
}

// settle lets what was started come to rest and frees what is garbage.
func settle() {
	for range 3 {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// expectRest waits for connections to end and compares with the start. The heap may keep
// caches and pools: they are bounded, a leak of 100 connections is not.
func expectRest(t *testing.T, db *basalt.DB, goroutines int, heap uint64) {
	t.Helper()
	for range 6000 {
		if runtime.NumGoroutine() <= goroutines && len(db.Sessions()) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d at the start\n%s", n, goroutines, buf[:runtime.Stack(buf, true)])
	}
	if n := len(db.Sessions()); n != 0 {
		t.Errorf("%d sessions are still open", n)
	}
	kept := db.DictionaryCacheStats()
	if used := db.MemoryUsed() - kept.Bytes - kept.InUse; used != 0 {
		t.Errorf("%d bytes are still reserved", used)
	}
	settle()
	const slack = 64 << 20
	if now := heapInUse(); now > heap+slack {
		t.Errorf("heap grew from %d to %d bytes", heap, now)
	}
}
