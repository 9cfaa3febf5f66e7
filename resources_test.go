package basalt_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// spillingQuery needs more than a megabyte, in a join, an aggregation and a sort.
const spillingQuery = `SELECT a.number, count(*), count(DISTINCT b.number + 1) FROM numbers('number' = '40000') a
	JOIN numbers('number' = '50000') b ON a.number = b.number GROUP BY a.number ORDER BY a.number DESC`

func spillingDB(t *testing.T, o basalt.Options) (*basalt.DB, string) {
	t.Helper()
	o.SpillDir = filepath.Join(t.TempDir(), "spill")
	o.Settings = map[string]string{"exec_mem_limit": "1M", "parallel_pipeline_task_num": "2"}
	db, err := basalt.Open("", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, o.SpillDir
}

func filesBelow(t *testing.T, dir string) (files []string) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return nil
	})
	return files
}

func TestSpillLeavesNoFile(t *testing.T) {
	db, dir := spillingDB(t, basalt.Options{})
	s := db.NewSession(basalt.SessionOptions{})
	rows, err := s.Query(context.Background(), spillingQuery)
	if err != nil {
		t.Fatal(err)
	}
	n, last := 0, int64(40000)
	for {
		b, err := rows.NextBatch(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		for i := range b.NumRows() {
			if x := b.Cols[0].Value(b.Row(i)).Int64(); x != last-1 {
				t.Fatalf("row %d is %d after %d", n, x, last)
			} else {
				last = x
			}
			n++
		}
	}
	if len(filesBelow(t, dir)) == 0 && n != 40000 {
		t.Fatalf("%d rows", n)
	}
	rows.Close()
	if bytes, files := db.Spilled(); bytes == 0 || files == 0 {
		t.Fatal("nothing was spilled")
	}
	if left := filesBelow(t, dir); len(left) > 0 {
		t.Fatalf("left after the end: %q", left)
	}

	// Closed after the first rows; cancelled while it runs, at several moments.
	if rows, err = s.Query(context.Background(), spillingQuery); err != nil {
		t.Fatal(err)
	}
	if _, err := rows.NextBatch(context.Background()); err != nil {
		t.Fatal(err)
	}
	rows.Close()
	if left := filesBelow(t, dir); len(left) > 0 {
		t.Fatalf("left after Close: %q", left)
	}
}

// watchedDisk calls a function before the n-th write and may fail it.
type watchedDisk struct {
	storage.OSFS
	left atomic.Int64
	then func() error
}

type watchedFile struct {
	storage.WritableFile
	disk *watchedDisk
}

func (d *watchedDisk) Create(path string) (storage.WritableFile, error) {
	f, err := d.OSFS.Create(path)
	return &watchedFile{f, d}, err
}

func (f *watchedFile) Write(b []byte) (int, error) {
	if f.disk.left.Add(-1) < 0 {
		if err := f.disk.then(); err != nil {
			return 0, err
		}
	}
	return f.WritableFile.Write(b)
}

func TestSpillInterrupted(t *testing.T) {
	full := errors.New("no space left on device")
	for name, c := range map[string]struct {
		then func(cancel func()) error
		want sqlerr.Code
	}{
		"cancelled": {func(cancel func()) error { cancel(); return nil }, sqlerr.Interrupted},
		"disk full": {func(func()) error { return full }, sqlerr.FileIO},
		"panic":     {func(func()) error { panic("a bug") }, sqlerr.Internal},
	} {
		for _, writes := range []int64{0, 3, 60, 150} {
			disk := &watchedDisk{}
			db, dir := spillingDB(t, basalt.Options{FS: disk})
			s := db.NewSession(basalt.SessionOptions{})
			ctx, cancel := context.WithCancel(context.Background())
			disk.then = func() error { return c.then(cancel) }
			disk.left.Store(writes)
			_, err := s.Exec(ctx, spillingQuery)
			cancel()
			if !sqlerr.Is(err, c.want) {
				t.Errorf("%s at write %d: got %v", name, writes, err)
			}
			if left := filesBelow(t, dir); len(left) > 0 {
				t.Errorf("%s at write %d: left %q", name, writes, left)
			}
			if used := db.MemoryUsed(); used != 0 {
				t.Errorf("%s at write %d: %d bytes are still claimed", name, writes, used)
			}
			disk.then = func() error { return nil }
			if _, err := s.Exec(context.Background(), "SELECT 1"); err != nil {
				t.Errorf("%s at write %d: the engine is gone: %v", name, writes, err)
			}
		}
	}
}

// What a crashed process left is removed at the next start, what a living one has is not.
func TestSpillSweep(t *testing.T) {
	dir := t.TempDir()
	leave := func(path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("rows"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	leave(filepath.Join(dir, "spill", "query-3", "1.spill"))
	db, err := basalt.Open(dir, basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if left := filesBelow(t, filepath.Join(dir, "spill")); len(left) > 0 {
		t.Errorf("left in the data folder: %q", left)
	}
	db.Close()

	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	living, err := basalt.Open("", basalt.Options{Settings: map[string]string{"exec_mem_limit": "1M"}})
	if err != nil {
		t.Fatal(err)
	}
	defer living.Close()
	rows, err := living.NewSession(basalt.SessionOptions{}).Query(context.Background(), spillingQuery)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if _, err := rows.NextBatch(context.Background()); err != nil {
		t.Fatal(err)
	}
	used := filesBelow(t, tmp)
	dead := filepath.Join(tmp, "basalt-spill-dead")
	leave(dead + ".lock")
	leave(filepath.Join(dead, "query-1", "1.spill"))
	next, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range filesBelow(t, tmp) {
		if strings.HasPrefix(path, dead) {
			t.Errorf("%s is left", path)
		}
	}
	for _, path := range used {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("a file of a living engine is gone: %v", err)
		}
	}
	next.Close()
}

func TestAdmission(t *testing.T) {
	db, err := basalt.Open("", basalt.Options{MemoryLimit: 64 << 20, Settings: map[string]string{"query_queue_max_queued_queries": "0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	first, second := db.NewSession(basalt.SessionOptions{}), db.NewSession(basalt.SessionOptions{})
	const query = "SELECT a.number FROM numbers('number' = '1000000') a JOIN numbers('number' = '1000000') b ON a.number = b.number"
	rows, err := first.Query(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Exec(context.Background(), query); !sqlerr.Is(err, sqlerr.OutOfResources) {
		t.Fatalf("got %v", err)
	}
	if _, err := second.Exec(context.Background(), "SET query_queue_max_queued_queries = 5, query_queue_pending_timeout_second = 1"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := second.Exec(ctx, query); !sqlerr.Is(err, sqlerr.Interrupted) {
		t.Fatalf("got %v", err)
	}
	rows.Close()
	// The place is given back when the statement's context has ended, by another goroutine.
	if _, err := second.Exec(context.Background(), "SELECT count(*) FROM ("+query+") t"); err != nil {
		t.Fatal(err)
	}
}

func TestSelectLimit(t *testing.T) {
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	count := func(sql string) int {
		t.Helper()
		rows, err := s.Query(context.Background(), sql)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n := 0
		for {
			b, err := rows.NextBatch(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				return n
			}
			n += b.NumRows()
		}
	}
	if _, err := s.Exec(context.Background(), "SET sql_select_limit = 10, default_order_by_limit = 7"); err != nil {
		t.Fatal(err)
	}
	for sql, want := range map[string]int{
		"SELECT number FROM numbers('number' = '100')":                                                     10,
		"SELECT number FROM numbers('number' = '100') ORDER BY 1":                                          7,
		"SELECT number FROM numbers('number' = '100') LIMIT 50":                                            50,
		"SELECT number FROM numbers('number' = '5')":                                                       5,
		"WITH t AS (SELECT number FROM numbers('number' = '100')) SELECT * FROM t":                         10,
		"SELECT number FROM numbers('number' = '100') UNION ALL SELECT 1":                                  10,
		"SELECT number FROM (SELECT number FROM numbers('number' = '100')) t ORDER BY number DESC LIMIT 9": 9,
	} {
		if n := count(sql); n != want {
			t.Errorf("%d rows, want %d: %s", n, want, sql)
		}
	}
}

func TestSlowQueryLog(t *testing.T) {
	var out bytes.Buffer
	db, err := basalt.Open("", basalt.Options{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	for _, sql := range []string{"SELECT 41 + 1", "SET long_query_time = 0", "SELECT 42 + 1", "SET slow_query_log = off", "SELECT 43 + 1"} {
		if _, err := s.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if text := out.String(); strings.Contains(text, "41 + 1") || !strings.Contains(text, "42 + 1") || strings.Contains(text, "43 + 1") {
		t.Errorf("log:\n%s", text)
	}
	if n := db.Counters().SlowQueries.Load(); n < 1 {
		t.Errorf("%d slow queries counted", n)
	}
}

// TestSleepIsInterrupted: a sleeping query leaves its CPU slot to others, and ends with its context.
func TestSleepIsInterrupted(t *testing.T) {
	db, err := basalt.Open("", basalt.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, sql := range []string{"SELECT sleep(1e7)", "SELECT sum(sleep(1e7)) FROM numbers('number' = '5')"} {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			_, err := db.NewSession(basalt.SessionOptions{}).Exec(ctx, sql)
			ended <- err
		}()
		for db.Counters().Running.Load() == 0 && len(ended) == 0 {
			runtime.Gosched()
		}
		for range 20 { // at one of them the other one sleeps
			if _, err := db.NewSession(basalt.SessionOptions{}).Exec(context.Background(), "SELECT count(*) FROM numbers('number' = '9')"); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		if err := <-ended; !sqlerr.Is(err, sqlerr.Interrupted) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
