// Package crash kills writers: a child process inserts, overwrites and compacts until it is killed at a
// random moment, and then exactly what it was told to be committed must be there, with no file that
// nobody lists. Batches have labels: what was cut off is tried again under its label, and must then be there once.
//
//	go test ./test/crash                a few kills
//	go test ./test/crash -args -long    200
package crash

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/test/faults"
)

var (
	long = flag.Bool("long", false, "200 kills")
	seed = flag.Uint64("seed", 0, "seed of the random moments; 0: another one each time")
)

const childFolder = "BASALT_CRASH_FOLDER" // set in the child's environment

func TestMain(m *testing.M) {
	flag.Parse()
	if dir := os.Getenv(childFolder); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// rowsPerBatch rows make a batch; they spread over partitions and buckets.
const rowsPerBatch = 120

var schema = []string{
	`CREATE TABLE IF NOT EXISTS ins (dt DATE NOT NULL, id BIGINT NOT NULL, batch BIGINT, note VARCHAR(40)) DUPLICATE KEY(dt, id)
		PARTITION BY RANGE(dt) (FROM ("2024-01-01") TO ("2024-01-05") INTERVAL 1 DAY) DISTRIBUTED BY HASH(id) BUCKETS 3 PROPERTIES("replication_num"="1", "bitmap_dict"="note")`,
	`CREATE TABLE IF NOT EXISTS plain (id BIGINT, batch BIGINT)`,
	`CREATE TABLE IF NOT EXISTS ow (dt DATE NOT NULL, id BIGINT NOT NULL, generation BIGINT) DUPLICATE KEY(dt)
		PARTITION BY RANGE(dt) (FROM ("2024-01-01") TO ("2024-01-05") INTERVAL 1 DAY) DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES("replication_num"="1")`,
	`CREATE TABLE IF NOT EXISTS managed (id BIGINT, generation BIGINT) PARTITIONED BY (dt DATE) CLUSTERED BY (id) INTO 2 BUCKETS STORED AS ORC`,
	`CREATE EXTERNAL TABLE IF NOT EXISTS hive (id BIGINT, generation BIGINT) PARTITIONED BY (dt DATE) CLUSTERED BY (id) INTO 2 BUCKETS STORED AS PARQUET LOCATION 'FOLDER/external/hive'`,
	`CREATE EXTERNAL TABLE IF NOT EXISTS hiveins (id BIGINT, batch BIGINT) PARTITIONED BY (dt DATE) STORED AS PARQUET LOCATION 'FOLDER/external/hiveins'`,
	alteredSchema,
}

// batchTables take batches that stay, overwritten ones a generation that replaces the last.
var (
	batchTables = []string{"ins", "plain", "hiveins", "altered"}
	overwritten = []string{"ow", "managed", "hive"}
)

// makeTables makes what is not there yet. The external tables lie in a folder beside the warehouse.
func makeTables(s *basalt.Session, dir string) error {
	for _, sql := range append([]string{"SET hive.exec.dynamic.partition.mode = nonstrict"}, schema...) {
		if _, err := s.Exec(context.Background(), strings.ReplaceAll(sql, "FOLDER", dir)); err != nil {
			return err
		}
	}
	return nil
}

func label(table string, batch int64) string { return fmt.Sprintf("%s_%d", table, batch) }

func insertBatch(table string, batch int64) string {
	label := label(table, batch)
	if table == "hiveins" {
		return fmt.Sprintf(`INSERT INTO hiveins PARTITION (dt) WITH LABEL %s SELECT number, %d, date_add('2024-01-01', cast(number %% 4 AS int)) FROM numbers("number"="%d")`, label, batch, rowsPerBatch)
	}
	if table == "altered" {
		return fmt.Sprintf(`INSERT INTO altered WITH LABEL %s (id, batch, twice) SELECT number, %d, number * 2 FROM numbers("number"="%d")`, label, batch, rowsPerBatch)
	}
	if table == "plain" {
		return fmt.Sprintf(`INSERT INTO plain WITH LABEL %s SELECT number, %d FROM numbers("number"="%d")`, label, batch, rowsPerBatch)
	}
	return fmt.Sprintf(`INSERT INTO ins WITH LABEL %[3]s SELECT date_add('2024-01-01', cast(number %% 4 AS int)), number * 7919 %% 1009, %[1]d, concat('a note of some length ', number %% 50, ' ', %[1]d %% 7 * (%[1]d DIV 20)) FROM numbers("number"="%[2]d")`, batch, rowsPerBatch, label)
}

func overwrite(table string, generation int64) string {
	if table != "ow" {
		return fmt.Sprintf(`INSERT OVERWRITE TABLE %s PARTITION (dt) SELECT number, %d, date_add('2024-01-01', cast(number %% 4 AS int)) FROM numbers("number"="%d")`, table, generation, rowsPerBatch)
	}
	return fmt.Sprintf(`INSERT OVERWRITE TABLE ow SELECT date_add('2024-01-01', cast(number %% 4 AS int)), number, %d FROM numbers("number"="%d")`, generation, rowsPerBatch)
}

func open(dir string) (*basalt.DB, error) {
	return basalt.Open(dir, basalt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Workers: 2})
}

// child writes to the folder until it is killed. It says what it is going to do and what it was told to be done,
// a line each.
func child(dir string) error {
	db, err := open(dir)
	if err != nil {
		return err
	}
	s := db.NewSession(basalt.SessionOptions{})
	if err := makeTables(s, dir); err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(os.Stdout, format+"\n", args...)
	}
	next := map[string]int64{}
	column := func(table string) string {
		if slices.Contains(batchTables, table) {
			return "batch"
		}
		return "generation"
	}
	for _, table := range slices.Concat(batchTables, overwritten) {
		v, err := numbers(s, `SELECT coalesce(max(`+column(table)+`), 0) FROM `+table)
		if err != nil {
			return err
		}
		next[table] = v[0][0] + 1000 // numbers of before may be in flight
	}
	failed := make(chan error, 8)
	write := func(table string, sql func(n int64) string) {
		s := db.NewSession(basalt.SessionOptions{})
		if _, err := s.Exec(context.Background(), "SET hive.exec.dynamic.partition.mode = nonstrict"); err != nil {
			failed <- err
			return
		}
		for n := next[table]; ; n++ {
			say("begin %s %d", table, n)
			_, err := s.Exec(context.Background(), sql(n))
			for sqlerr.Is(err, sqlerr.DefinitionChanged) { // altered, meanwhile
				_, err = s.Exec(context.Background(), sql(n))
			}
			if err != nil {
				failed <- err
				return
			}
			say("done %s %d", table, n)
		}
	}
	for _, table := range batchTables {
		go write(table, func(n int64) string { return insertBatch(table, n) })
	}
	for _, table := range overwritten {
		go write(table, func(n int64) string { return overwrite(table, n) })
	}
	go func() {
		s := db.NewSession(basalt.SessionOptions{})
		for {
			for _, table := range []string{"ins", "plain", "ow", "managed"} {
				if _, err := s.Exec(context.Background(), `ALTER TABLE `+table+` CONCATENATE`); err != nil {
					failed <- err
					return
				}
			}
		}
	}()
	go func() { failed <- changeIndexes(db) }()
	go func() { failed <- changeColumns(db) }()
	return <-failed
}

// numbers runs a query of integers.
func numbers(s *basalt.Session, sql string) ([][]int64, error) {
	ctx := context.Background()
	rows, err := s.Query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	defer rows.Close()
	var out [][]int64
	for rows.Next(ctx) {
		var line []int64
		for _, v := range rows.Values() {
			var n int64
			if _, err := fmt.Sscan(fmt.Sprint(v), &n); err != nil {
				return nil, fmt.Errorf("%s: %w", sql, err)
			}
			line = append(line, n)
		}
		out = append(out, line)
	}
	return out, rows.Err()
}

// expectation is what the child said so far.
type expectation struct {
	done  map[string]map[int64]bool // table -> numbers that must be there
	maybe map[string]map[int64]bool // begun and not known to be done: all or nothing
}

func newExpectation() *expectation {
	e := &expectation{done: map[string]map[int64]bool{}, maybe: map[string]map[int64]bool{}}
	for _, table := range slices.Concat(batchTables, overwritten) {
		e.done[table], e.maybe[table] = map[int64]bool{}, map[int64]bool{}
	}
	return e
}

func (e *expectation) hear(line string) error {
	var word, table string
	var n int64
	if _, err := fmt.Sscan(line, &word, &table, &n); err != nil || e.done[table] == nil {
		return fmt.Errorf("the child said %q", line)
	}
	if word == "begin" {
		e.maybe[table][n] = true
	} else {
		delete(e.maybe[table], n)
		e.done[table][n] = true
	}
	return nil
}

// settle takes what is there for done and forgets the rest.
func (e *expectation) settle(table string, there map[int64]bool) {
	for n := range there {
		e.done[table][n] = true
	}
	e.maybe[table] = map[int64]bool{}
}

func TestKill(t *testing.T) {
	kills := 6
	if *long {
		kills = 200
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	r := rand.New(rand.NewPCG(*seed, 1))
	dir := t.TempDir()
	e := newExpectation()
	for round := range kills {
		acknowledged, err := runAndKill(dir, e, r)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := check(dir, e, true); err != nil {
			t.Fatalf("round %d, after %d lines: %v", round, acknowledged, err)
		}
	}
	for _, table := range slices.Concat(batchTables, overwritten) {
		t.Logf("%d kills, %d writes to %s were acknowledged", kills, len(e.done[table]), table)
	}
}

// runAndKill lets a child write and kills it: after some lines, or at any moment while it opens.
func runAndKill(dir string, e *expectation, r *rand.Rand) (lines int, err error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+dir)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	limit := 1 + r.IntN(60)
	delay := time.Duration(r.IntN(20_000)) * time.Microsecond
	if r.IntN(10) == 0 { // before the first line
		limit = 0
	}
	kill := func() {
		time.AfterFunc(delay, func() { _ = cmd.Process.Kill() })
	}
	if limit == 0 {
		kill()
	}
	sc := bufio.NewScanner(out)
	for sc.Scan() {
		if err := e.hear(sc.Text()); err != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return lines, err
		}
		if lines++; lines == limit {
			kill()
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 {
		return lines, fmt.Errorf("the child ended by itself: %v\n%s", err, complaint.String())
	}
	return lines, nil
}

// check opens the folder, which sweeps it, and compares what is there with what must be; labelled: all batches have labels.
func check(dir string, e *expectation, labelled bool) error {
	db, err := open(dir)
	if err != nil {
		return err
	}
	s := db.NewSession(basalt.SessionOptions{})
	_, err = s.Exec(context.Background(), "SET hive.exec.dynamic.partition.mode = nonstrict")
	for _, table := range batchTables {
		if labelled {
			err = errors.Join(err, retry(s, table, e))
		}
		err = errors.Join(err, checkBatches(s, table, e))
	}
	for _, table := range overwritten {
		err = errors.Join(err, checkOverwrites(s, table, e))
	}
	for _, table := range indexed {
		err = errors.Join(err, checkIndexes(s, table))
	}
	err = errors.Join(err, checkDictionary(s), checkColumns(s))
	s.Close()
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = faults.Orphans(dir)
	}
	return err
}

// checkDictionary compares the ids of notes with the dictionary that numbered them.
func checkDictionary(s *basalt.Session) error {
	if ok, err := exists(s, "ins"); err != nil || !ok {
		return err
	}
	v, err := numbers(s, `SELECT count(*), count(CASE WHEN bitmap_dict_text('ins.note', bitmap_dict(note)) = note AND bitmap_dict('ins.note', note) = bitmap_dict(note) THEN 1 END) FROM ins`)
	if err != nil {
		return err
	}
	if v[0][0] != v[0][1] {
		return fmt.Errorf("%d of %d notes have the id that the dictionary gives them", v[0][1], v[0][0])
	}
	return nil
}

// retry tries again what may have been cut off, as a client would that was not answered, and some of what was
// acknowledged. A label whose rows are there is refused.
func retry(s *basalt.Session, table string, e *expectation) error {
	if ok, err := exists(s, table); !ok {
		return err
	}
	again := maps.Clone(e.maybe[table])
	for n := range e.done[table] {
		if again[n] = true; len(again) > 6 {
			break
		}
	}
	for n := range again {
		before, err := numbers(s, fmt.Sprintf(`SELECT count(*) FROM %s WHERE batch = %d`, table, n))
		if err != nil {
			return err
		}
		_, err = s.Exec(context.Background(), insertBatch(table, n))
		switch used := err != nil && strings.Contains(err.Error(), "has already been used"); {
		case err != nil && !used:
			return err
		case used != (before[0][0] > 0):
			return fmt.Errorf("%s: batch %d has %d rows, and its label: %v", table, n, before[0][0], err)
		}
		e.done[table][n] = true
		delete(e.maybe[table], n)
	}
	return nil
}

// exists tells whether a child lived long enough to make a table.
func exists(s *basalt.Session, table string) (bool, error) {
	_, err := numbers(s, `SELECT count(*) FROM `+table)
	if sqlerr.Is(err, sqlerr.UnknownTable) {
		return false, nil
	}
	return err == nil, err
}

func checkBatches(s *basalt.Session, table string, e *expectation) error {
	if ok, err := exists(s, table); !ok {
		return err
	}
	list, err := numbers(s, `SELECT batch, count(*), count(distinct id) FROM `+table+` GROUP BY batch`)
	if err != nil {
		return err
	}
	there := map[int64]bool{}
	for _, l := range list {
		there[l[0]] = true
		if l[1] != rowsPerBatch || l[2] != rowsPerBatch {
			return fmt.Errorf("%s: batch %d has %d rows, %d ids", table, l[0], l[1], l[2])
		}
		if !e.done[table][l[0]] && !e.maybe[table][l[0]] {
			return fmt.Errorf("%s: batch %d was never written", table, l[0])
		}
	}
	for n := range e.done[table] {
		if !there[n] {
			return fmt.Errorf("%s: batch %d was acknowledged and is lost", table, n)
		}
	}
	e.settle(table, there)
	return nil
}

func checkOverwrites(s *basalt.Session, table string, e *expectation) error {
	if ok, err := exists(s, table); !ok {
		return err
	}
	list, err := numbers(s, `SELECT generation, count(*) FROM `+table+` GROUP BY generation`)
	if err != nil {
		return err
	}
	last := int64(0)
	for n := range e.done[table] {
		last = max(last, n)
	}
	switch {
	case len(list) == 0 && last == 0:
	case len(list) != 1 || list[0][1] != rowsPerBatch:
		return fmt.Errorf("%s: generations and rows %v, the last acknowledged one is %d", table, list, last)
	case list[0][0] != last && !e.maybe[table][list[0][0]]:
		return fmt.Errorf("%s: generation %d, the last acknowledged one is %d", table, list[0][0], last)
	default:
		e.settle(table, map[int64]bool{list[0][0]: true})
	}
	return nil
}
