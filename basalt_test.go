package basalt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

func open(t *testing.T, dir string) *basalt.DB {
	t.Helper()
	db, err := basalt.Open(dir, basalt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func session(t *testing.T, db *basalt.DB) *basalt.Session {
	s := db.NewSession(basalt.SessionOptions{})
	t.Cleanup(s.Close)
	return s
}

// query gives all rows of a query as text, a line a row.
func query(t *testing.T, s *basalt.Session, sql string, args ...any) string {
	t.Helper()
	out, err := tryQuery(s, sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

func tryQuery(s *basalt.Session, sql string, args ...any) (string, error) {
	ctx := context.Background()
	rows, err := s.Query(ctx, sql, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var b strings.Builder
	for rows.Next(ctx) {
		for i, v := range rows.Values() {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprint(&b, v)
		}
		b.WriteByte('\n')
	}
	return b.String(), rows.Err()
}

func TestErrorsHaveNumbersAndPositions(t *testing.T) {
	s := session(t, open(t, ""))
	query(t, s, "CREATE TABLE t AS SELECT 1 AS a")
	check := func(sql string, number uint16, pos int) {
		t.Helper()
		_, err := tryQuery(s, sql)
		var e *sqlerr.Error
		if !errors.As(err, &e) || e.Code.Number != number {
			t.Errorf("%s: %v, want %d", sql, err, number)
			return
		}
		if e.Pos != pos {
			t.Errorf("%s: position %d, want %d", sql, e.Pos, pos)
		}
	}
	check("SELECT * FROM nope", 1146, 14)
	check("SELECT a, nope FROM t", 1054, 10)
	check("SELEC a FROM t", 1064, 0)
	check("SELECT a FROM t WHERE", 1064, 21)
	check("USE nope", 1049, 0)
	check("SELECT a FROM t WHERE rank() OVER (ORDER BY a) = 1", 3593, 22)
	check("DELETE FROM t ORDER BY a", 1235, 14)
	check("SET nope = 1", 1193, 4)
}

// TestDropWhileReading drops a table while a query over it is being read.
func TestDropWhileReading(t *testing.T) {
	db := open(t, t.TempDir())
	a, b := session(t, db), session(t, db)
	query(t, a, "CREATE TABLE t AS SELECT number AS n FROM numbers('number' = '300000')")
	ctx := context.Background()
	rows, err := a.Query(ctx, "SELECT n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next(ctx) {
		t.Fatal(rows.Err())
	}
	query(t, b, "DROP TABLE t FORCE")
	n := 1
	for rows.Next(ctx) {
		n++
	}
	if rows.Err() != nil || n != 300000 {
		t.Errorf("%d rows, %v", n, rows.Err())
	}
	rows.Close()
	left, _ := filepath.Glob(filepath.Join(db.Dir(), "warehouse", "default.db", "*"))
	if len(left) != 0 {
		t.Errorf("files of the dropped table are still there: %v", left)
	}
}

func TestFolderInUse(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	if err := db.AnnounceServer("127.0.0.1", "9030"); err != nil {
		t.Fatal(err)
	}
	_, err := basalt.Open(dir, basalt.Options{})
	if !sqlerr.Is(err, sqlerr.DataLocked) || !strings.Contains(err.Error(), "mysql -h 127.0.0.1 -P 9030") {
		t.Errorf("second open: %v", err)
	}
}

// TestCancelFreesEverything cancels a running join and expects no goroutine to stay.
func TestCancelFreesEverything(t *testing.T) {
	db := open(t, "")
	s := session(t, db)
	query(t, s, "SELECT 1")
	before := runtime.NumGoroutine()
	for _, how := range []string{"context", "kill", "close"} {
		ctx, cancel := context.WithCancel(context.Background())
		rows, err := s.Query(ctx, `SELECT count(*) FROM numbers('number' = '3000000') a JOIN numbers('number' = '3000000') b ON a.number % 1000 = b.number % 1000`)
		if err != nil {
			t.Fatal(err)
		}
		var want sqlerr.Code
		switch how {
		case "context":
			cancel()
			want = sqlerr.Interrupted
		case "kill":
			if err := db.Kill(s.ID(), true); err != nil {
				t.Fatal(err)
			}
			want = sqlerr.Interrupted
		}
		if how != "close" {
			for rows.Next(context.Background()) {
			}
			if !sqlerr.Is(rows.Err(), want) {
				t.Errorf("%s: %v", how, rows.Err())
			}
		}
		rows.Close()
		cancel()
		if used := db.MemoryUsed(); used != 0 {
			t.Errorf("%s: %d bytes still reserved", how, used)
		}
	}
	waitGoroutines(t, before)
}

// waitGoroutines gives goroutines that were told to end the time to do so.
func waitGoroutines(t *testing.T, want int) {
	t.Helper()
	for range 3000 {
		if runtime.NumGoroutine() <= want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Errorf("%d goroutines, %d at the start\n%s", runtime.NumGoroutine(), want, buf[:runtime.Stack(buf, true)])
}

func TestMemoryLimitNamesTheOperator(t *testing.T) {
	s := session(t, open(t, ""))
	query(t, s, "SET exec_mem_limit = '4M', enable_spill = 0")
	_, err := tryQuery(s, "SELECT count(*) FROM (SELECT number, count(*) FROM numbers('number' = '2000000') GROUP BY number) t")
	if !sqlerr.Is(err, sqlerr.OutOfMemory) || !strings.Contains(err.Error(), "aggregate") {
		t.Errorf("aggregate over the limit: %v", err)
	}
	_, err = tryQuery(s, "SELECT a.number FROM numbers('number' = '2000000') a JOIN numbers('number' = '2000000') b ON a.number = b.number ORDER BY 1")
	if !sqlerr.Is(err, sqlerr.OutOfMemory) {
		t.Errorf("join over the limit: %v", err)
	}
	if got := query(t, s, "SELECT sum(number) FROM numbers('number' = '2000000')"); got != "1999999000000\n" {
		t.Errorf("after the limit: %s", got)
	}
}

func TestUserFunctions(t *testing.T) {
	db := open(t, "")
	s := session(t, db)
	if err := db.RegisterFunction("plus", func(a, b int64) (int64, error) {
		if a < 0 {
			return 0, errors.New("negative")
		}
		return a + b, nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := query(t, s, "SELECT sum(plus(number, 1)) FROM numbers('number' = '10000')"); got != "50005000\n" {
		t.Error(got)
	}
	if _, err := tryQuery(s, "SELECT plus(-1, 1)"); err == nil || !strings.Contains(err.Error(), "negative") {
		t.Errorf("error of a function: %v", err)
	}
	if err := db.RegisterFunction("concat", func(string) string { return "" }); err == nil {
		t.Error("a built-in function was replaced")
	}
	if err := db.RegisterFunction("bad", func(chan int) int { return 0 }); err == nil {
		t.Error("a function of a channel was taken")
	}
}

// TestParallelSessions runs readers and writers of one table together: each statement sees
// whole inserts, and none is lost.
func TestParallelSessions(t *testing.T) {
	db := open(t, t.TempDir())
	query(t, session(t, db), "CREATE TABLE t (n BIGINT)")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Add(2)
		go func() {
			defer wg.Done()
			s := db.NewSession(basalt.SessionOptions{})
			defer s.Close()
			for range 10 {
				if _, err := s.Exec(context.Background(), "INSERT INTO t SELECT number FROM numbers('number' = '100')"); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		}()
		go func() {
			defer wg.Done()
			s := db.NewSession(basalt.SessionOptions{})
			defer s.Close()
			for range 20 {
				got, err := tryQuery(s, "SELECT count(*) FROM t")
				n, _ := strconv.Atoi(strings.TrimSpace(got))
				if err != nil || n%100 != 0 {
					t.Errorf("reader %d: %s rows, %v", w, got, err)
				}
			}
		}()
	}
	wg.Wait()
	if got := query(t, session(t, db), "SELECT count(*), sum(n) FROM t"); got != "4000 198000\n" {
		t.Error(got)
	}
}

// TestKilledWriter kills a process that inserts, at different moments, and expects exactly
// the acknowledged rows after each restart and no file that nobody lists.
func TestKilledWriter(t *testing.T) {
	if dir := os.Getenv("BASALT_TEST_WRITER"); dir != "" {
		writeUntilKilled(dir)
		return
	}
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	query(t, session(t, open(t, "")), "SELECT 1")
	for round := range 6 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledWriter$")
		cmd.Env = append(os.Environ(), "BASALT_TEST_WRITER="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acked := killAfter(t, cmd, out, 3+7*round)
		checkAfterCrash(t, dir, acked)
	}
}

// writeUntilKilled inserts and reports each acknowledged total.
func writeUntilKilled(dir string) {
	db, err := basalt.Open(dir, basalt.Options{Settings: map[string]string{"enable_auto_compaction": "0"}}) // a file an insert
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	s := db.NewSession(basalt.SessionOptions{})
	ctx := context.Background()
	if _, err := s.Exec(ctx, "CREATE TABLE IF NOT EXISTS t (n BIGINT)"); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for {
		if _, err := s.Exec(ctx, "INSERT INTO t SELECT number FROM numbers('number' = '1000')"); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		got, err := tryQuery(s, "SELECT count(*) FROM t")
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Print("acked ", got)
	}
}

// killAfter kills the writer after so many acknowledgements and returns the last one read.
func killAfter(t *testing.T, cmd *exec.Cmd, out io.Reader, acks int) int {
	t.Helper()
	var all bytes.Buffer
	buf := make([]byte, 1024)
	for strings.Count(all.String(), "acked") < acks {
		n, err := out.Read(buf)
		all.Write(buf[:n])
		if err != nil {
			break
		}
	}
	_ = cmd.Process.Kill()
	rest, _ := io.ReadAll(out)
	all.Write(rest)
	_ = cmd.Wait()
	last := 0
	for _, line := range strings.Split(all.String(), "\n") {
		if strings.HasPrefix(line, "error") {
			t.Fatal(line)
		}
		var n int
		if _, err := fmt.Sscanf(line, "acked %d", &n); err == nil {
			last = n
		}
	}
	if last == 0 {
		t.Fatalf("the writer acknowledged nothing: %s", all.String())
	}
	return last
}

// checkAfterCrash opens the folder: the acknowledged rows, or one more insert that was
// committed and not yet reported.
func checkAfterCrash(t *testing.T, dir string, acked int) {
	t.Helper()
	db, err := basalt.Open(dir, basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	n, _ := strconv.Atoi(strings.TrimSpace(query(t, s, "SELECT count(*) FROM t")))
	if n != acked && n != acked+1000 {
		t.Errorf("%d rows after a crash, %d acknowledged", n, acked)
	}
	staged, _ := filepath.Glob(filepath.Join(dir, "warehouse", "default.db", "*", "_staging_*"))
	files, _ := filepath.Glob(filepath.Join(dir, "warehouse", "default.db", "*", "*.parquet"))
	if len(staged) != 0 || len(files) != n/1000 {
		t.Errorf("after the sweep: staged %v, %d files for %d inserts", staged, len(files), n/1000)
	}
}

// TestPrepared describes and runs statements with parameters.
func TestPrepared(t *testing.T) {
	s := session(t, open(t, ""))
	p, err := s.Prepare(context.Background(), "SELECT number, ? AS p FROM numbers('number' = '10') WHERE number >= ? ORDER BY number LIMIT ?")
	if err != nil {
		t.Fatal(err)
	}
	if p.Statement.NumParams() != 3 || len(p.Columns) != 2 || p.Columns[0].Name != "number" {
		t.Errorf("described as %d parameters, %v", p.Statement.NumParams(), p.Columns)
	}
	if got := query(t, s, "SELECT number, ? AS p FROM numbers('number' = '10') WHERE number >= ? ORDER BY number LIMIT ?", "x", 7, 2); got != "7 x\n8 x\n" {
		t.Error(got)
	}
	query(t, s, "PREPARE q FROM 'SELECT ? + 1'")
	query(t, s, "SET @a = 41")
	if got := query(t, s, "EXECUTE q USING @a"); got != "42\n" {
		t.Error(got)
	}
}

// TestFilesAsTables reads written files by path, by pattern, through local() and as external
// tables: columns by name without case, missing ones NULL, narrower ones widened.
func TestFilesAsTables(t *testing.T) {
	db := open(t, t.TempDir())
	s := session(t, db)
	query(t, s, "CREATE TABLE one AS SELECT number AS id, concat('n', number) AS Name FROM numbers('number' = '3')")
	query(t, s, "INSERT INTO one VALUES (9, NULL)")
	folder, err := filepath.Glob(filepath.Join(db.Dir(), "warehouse", "default.db", "one_*"))
	if err != nil || len(folder) != 1 {
		t.Fatal(folder, err)
	}
	dir := folder[0]
	want := "0 n0\n1 n1\n2 n2\n9 <nil>\n"
	for _, from := range []string{"'" + dir + "'", "'" + dir + "/*.parquet'", `local("file_path" = "` + dir + `/*.parquet", "format" = "parquet")`} {
		if got := query(t, s, "SELECT id, name FROM "+from+" ORDER BY id"); got != want {
			t.Errorf("%s: %s", from, got)
		}
	}
	query(t, s, "CREATE EXTERNAL TABLE inferred STORED AS PARQUET LOCATION '"+dir+"'")
	if got := query(t, s, "SELECT * FROM inferred ORDER BY id"); got != want {
		t.Errorf("inferred columns: %s", got)
	}
	query(t, s, "CREATE EXTERNAL TABLE declared (later STRING, NAME STRING, id DECIMAL(20,2)) STORED AS PARQUET LOCATION '"+dir+"'")
	if got := query(t, s, "SELECT id, name, later FROM declared WHERE id > 0.5 ORDER BY id"); got != "1.00 n1 <nil>\n2.00 n2 <nil>\n9.00 <nil> <nil>\n" {
		t.Errorf("declared columns: %s", got)
	}
	query(t, s, "INSERT INTO one SELECT 20, 'late'")
	if got := query(t, s, "SELECT count(*) FROM inferred"); got != "5\n" {
		t.Errorf("a file that came later: %s", got)
	}
	for sql, code := range map[string]sqlerr.Code{
		"SELECT * FROM '" + dir + "/nope.parquet'":                                               sqlerr.FileNotFound,
		"CREATE EXTERNAL TABLE e STORED AS PARQUET LOCATION '" + t.TempDir() + "'":               sqlerr.FileNotFound,
		"CREATE EXTERNAL TABLE e STORED AS PARQUET":                                              sqlerr.Syntax,
		"CREATE EXTERNAL TABLE e (id DATE) STORED AS PARQUET LOCATION '" + dir + "' AS SELECT 1": sqlerr.NotSupported,
	} {
		if _, err := tryQuery(s, sql); !sqlerr.Is(err, code) {
			t.Errorf("%s: %v, want %d", sql, err, code.Number)
		}
	}
	// DROP of an external table leaves the files.
	query(t, s, "DROP TABLE inferred")
	if files, _ := filepath.Glob(filepath.Join(dir, "*.parquet")); len(files) != 3 {
		t.Errorf("files after DROP of the external table: %v", files)
	}
}

// TestHostileFiles opens what is no Parquet file.
func TestHostileFiles(t *testing.T) {
	s := session(t, open(t, ""))
	dir := t.TempDir()
	for name, content := range map[string]string{"text.parquet": "hello, world, this is no parquet file", "short.parquet": "PAR1", "magic.parquet": "PAR1\x00\x00\x00\x10PAR1"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := tryQuery(s, "SELECT * FROM '"+path+"'"); !sqlerr.Is(err, sqlerr.CorruptFile) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
