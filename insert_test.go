package basalt_test

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func run(t *testing.T, s *basalt.Session, sql string) {
	t.Helper()
	if _, err := s.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// answer is query without the last line's end.
func answer(t *testing.T, s *basalt.Session, sql string) string {
	t.Helper()
	return strings.TrimRight(query(t, s, sql), "\n")
}

func mustFail(t *testing.T, s *basalt.Session, sql, want string) {
	t.Helper()
	if _, err := s.Exec(context.Background(), sql); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want an error with %q", sql, err, want)
	}
}

// dataFiles lists the data files below a data folder, relative to the warehouse, without what differs
// from run to run.
func dataFiles(t *testing.T, dir string) (out []string) {
	t.Helper()
	root := filepath.Join(dir, "warehouse")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		out = append(out, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const sales = `CREATE TABLE sales (dt DATE NOT NULL, id BIGINT NOT NULL, city VARCHAR(20), amt DECIMAL(10,2)) DUPLICATE KEY(dt, id)
	PARTITION BY RANGE(dt) (PARTITION p1 VALUES LESS THAN ("2024-02-01"), PARTITION p2 VALUES LESS THAN ("2024-03-01"), PARTITION p3 VALUES LESS THAN ("2024-04-01"))
	DISTRIBUTED BY HASH(id) BUCKETS 4 PROPERTIES("replication_num"="1")`

// TestInsertRoutes checks where rows go: folders, bucket files, order inside them.
func TestInsertRoutes(t *testing.T) {
	dir := t.TempDir()
	s := session(t, open(t, dir))
	run(t, s, sales)
	run(t, s, `INSERT INTO sales SELECT date_add('2024-01-01', cast(number * 7919 % 91 as int)), number * 31 % 10007, concat('city ', number % 9), number / 100 FROM numbers("number"="10000")`)
	if got := answer(t, s, `SELECT count(*), count(distinct id), cast(min(dt) AS varchar(10)), cast(max(dt) AS varchar(10)) FROM sales`); got != "10000 10000 2024-01-01 2024-03-31" {
		t.Error(got)
	}
	files := dataFiles(t, dir)
	if len(files) != 12 {
		t.Fatalf("%d files: %v", len(files), files)
	}
	name := regexp.MustCompile(`^default\.db/sales_\d+/p([123])_\d+/00000([0-3])_0_\d+\.parquet$`)
	rows := 0
	for _, f := range files {
		m := name.FindStringSubmatch(f)
		if m == nil {
			t.Fatalf("file name %s", f)
		}
		got := answer(t, s, `SELECT cast(dt AS varchar(10)), id FROM '`+filepath.Join(dir, "warehouse", f)+`'`)
		last := ""
		for _, line := range strings.Split(got, "\n") {
			rows++
			var day string
			var id int64
			if _, err := fmt.Sscan(line, &day, &id); err != nil {
				t.Fatal(err)
			}
			if day[5:7] != "0"+m[1] {
				t.Errorf("%s holds %s", f, day)
			}
			if b := bucket.DorisCRC32.Number([]vector.Value{vector.IntValue(sqltype.T(sqltype.BigInt), id)}, 4); fmt.Sprint(b) != m[2] {
				t.Errorf("%s holds id %d of bucket %d", f, id, b)
			}
			if key := fmt.Sprintf("%s %020d", day, id); key < last {
				t.Errorf("%s is not in order: %s after %s", f, key, last)
			} else {
				last = key
			}
		}
	}
	if rows != 10000 {
		t.Errorf("%d rows in files", rows)
	}
	if got := answer(t, s, `SELECT count(*) FROM sales WHERE dt = '2024-02-10' AND id IN (5, 31, 62, 93)`); got == "" {
		t.Error(got)
	}
}

// TestInsertWithoutPartition holds Doris's strict mode, and the lenient one.
func TestInsertWithoutPartition(t *testing.T) {
	s := session(t, open(t, t.TempDir()))
	run(t, s, sales)
	bad := `INSERT INTO sales VALUES ('2024-01-05', 1, 'a', 1), ('2024-04-01', 2, 'b', 2), ('2023-01-01', 3, NULL, NULL)`
	mustFail(t, s, bad, "no partition for this tuple. tuple=(2024-04-01)")
	if got := answer(t, s, `SELECT count(*) FROM sales`); got != "0" {
		t.Error(got)
	}
	run(t, s, `SET enable_insert_strict = false`)
	n, err := s.Exec(context.Background(), bad)
	if err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
	if got := answer(t, s, `SELECT id FROM sales ORDER BY id`); got != "1\n3" {
		t.Error(got)
	}
}

// TestInsertIntoPartitions names targets.
func TestInsertIntoPartitions(t *testing.T) {
	s := session(t, open(t, t.TempDir()))
	run(t, s, sales)
	run(t, s, `INSERT INTO sales PARTITION (p1, p2) VALUES ('2024-01-05', 1, 'a', 1), ('2024-02-05', 2, 'b', 2)`)
	mustFail(t, s, `INSERT INTO sales PARTITION (p1) VALUES ('2024-02-05', 1, 'a', 1)`, "no partition for this tuple")
	mustFail(t, s, `INSERT INTO sales PARTITION (nope) VALUES ('2024-02-05', 1, 'a', 1)`, "Unknown partition 'nope'")
	run(t, s, `INSERT OVERWRITE TABLE sales PARTITION (p2, p3) VALUES ('2024-02-06', 3, 'c', 3)`)
	if got := answer(t, s, `SELECT cast(dt AS varchar(10)), id FROM sales ORDER BY id`); got != "2024-01-05 1\n2024-02-06 3" {
		t.Error(got)
	}
	run(t, s, `INSERT INTO sales VALUES ('2024-03-06', 4, 'd', 4)`)
	run(t, s, `INSERT OVERWRITE TABLE sales PARTITION (*) VALUES ('2024-03-07', 5, 'e', 5)`)
	if got := answer(t, s, `SELECT cast(dt AS varchar(10)), id FROM sales ORDER BY id`); got != "2024-01-05 1\n2024-02-06 3\n2024-03-07 5" {
		t.Error(got)
	}
	run(t, s, `INSERT OVERWRITE TABLE sales PARTITION (p2) SELECT * FROM sales WHERE false`)
	run(t, s, `INSERT OVERWRITE TABLE sales PARTITION (*) SELECT * FROM sales WHERE false`)
	if got := answer(t, s, `SELECT cast(dt AS varchar(10)), id FROM sales ORDER BY id`); got != "2024-01-05 1\n2024-03-07 5" {
		t.Error(got)
	}
	run(t, s, `INSERT OVERWRITE TABLE sales SELECT date_add(dt, 1), id * 10, city, amt FROM sales`)
	if got := answer(t, s, `SELECT cast(dt AS varchar(10)), id FROM sales ORDER BY id`); got != "2024-01-06 10\n2024-03-08 50" {
		t.Error(got)
	}
	run(t, s, `INSERT OVERWRITE TABLE sales SELECT * FROM sales WHERE false`)
	if got := answer(t, s, `SELECT count(*) FROM sales`); got != "0" {
		t.Error(got)
	}
}

// TestAutoPartition makes partitions as rows come, from concurrent loads too.
func TestAutoPartition(t *testing.T) {
	db := open(t, t.TempDir())
	s := session(t, db)
	run(t, s, `CREATE TABLE au (ts DATETIME NOT NULL, v INT) DUPLICATE KEY(ts) AUTO PARTITION BY RANGE(date_trunc(ts,'month'))() DISTRIBUTED BY RANDOM BUCKETS 2 PROPERTIES("replication_num"="1")`)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			s := db.NewSession(basalt.SessionOptions{})
			defer s.Close()
			_, err := s.Exec(context.Background(), fmt.Sprintf(`INSERT INTO au SELECT date_add('2024-01-01 01:02:03', cast(number as int) + %d), number FROM numbers("number"="300")`, 7*i))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := answer(t, s, `SELECT count(*), count(distinct date_format(ts, '%Y-%m')) FROM au`); got != "1200 11" {
		t.Error(got)
	}
	mustFail(t, s, `INSERT INTO au VALUES (NULL, 1)`, "cannot be null")
}

// TestInsertsAtOnce loses no rows of concurrent writers.
func TestInsertsAtOnce(t *testing.T) {
	db := open(t, t.TempDir())
	s := session(t, db)
	run(t, s, sales)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s := db.NewSession(basalt.SessionOptions{})
			defer s.Close()
			for k := range 5 {
				_, err := s.Exec(context.Background(), fmt.Sprintf(`INSERT INTO sales SELECT date_add('2024-01-01', cast(number %% 91 as int)), number + %d, 'x', 1 FROM numbers("number"="100")`, 1000*i+100*k))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := answer(t, s, `SELECT count(*), count(distinct id) FROM sales`); got != "4000 4000" && got != "4000 3800" {
		t.Error(got)
	}
}

// TestPartitionedEqualsPlain asks the same of a plain table and of partitioned, bucketed ones with the same rows:
// pruning leaves nothing out.
func TestPartitionedEqualsPlain(t *testing.T) {
	s := session(t, open(t, t.TempDir()))
	cols := `(dt DATE, id BIGINT, city VARCHAR(20), n INT)`
	tables := map[string]string{
		"plain": ``,
		"ranges": `DUPLICATE KEY(dt, id) PARTITION BY RANGE(dt) (PARTITION p0 VALUES LESS THAN ("2024-01-10"), FROM ("2024-01-10") TO ("2024-03-01") INTERVAL 1 WEEK, PARTITION pmax VALUES LESS THAN (MAXVALUE))
			DISTRIBUTED BY HASH(id) BUCKETS 5`,
		"two": `DUPLICATE KEY(dt, id) PARTITION BY RANGE(dt, id) (PARTITION a VALUES LESS THAN ("2024-01-15", "40"), PARTITION b VALUES LESS THAN ("2024-01-15", "90"), PARTITION c VALUES LESS THAN ("2024-02-01"), PARTITION d VALUES LESS THAN (MAXVALUE, MAXVALUE))
			DISTRIBUTED BY HASH(city, id) BUCKETS 3`,
		"lists": `DUPLICATE KEY(dt) PARTITION BY LIST(city) (PARTITION a VALUES IN ("c0", "c1", NULL), PARTITION b VALUES IN ("c2"), PARTITION c VALUES IN ("c3", "c4", "c5", "c6"))
			DISTRIBUTED BY HASH(id, dt) BUCKETS 4`,
		"random": `DUPLICATE KEY(dt) DISTRIBUTED BY RANDOM BUCKETS 3`,
	}
	for name, rest := range tables {
		if rest != "" {
			rest += ` PROPERTIES("replication_num"="1")`
		}
		run(t, s, `CREATE TABLE `+name+` `+cols+` `+rest)
	}
	run(t, s, `INSERT INTO plain SELECT if(number % 17 = 0, NULL, date_add('2024-01-01', cast(number * 31 % 70 AS int))), if(number % 13 = 0, NULL, number * 7 % 120), if(number % 11 = 0, NULL, concat('c', number % 7)), number FROM numbers("number"="3000")`)
	for name := range tables {
		if name != "plain" {
			for part := range 3 {
				run(t, s, fmt.Sprintf(`INSERT INTO %s SELECT * FROM plain WHERE n %% 3 = %d`, name, part))
			}
		}
	}
	conditions := []string{
		`dt = '2024-01-15'`, `dt = '2024-01-15' AND id = 40`, `dt = '2024-01-15' AND id < 40`, `dt >= '2024-01-15' AND id >= 90`, `dt < '2024-01-10'`, `dt <= '2024-01-10'`, `dt > '2024-02-27'`,
		`dt IS NULL`, `dt IS NOT NULL AND id IS NULL`, `id IN (1, 7, 40, 90, 119)`, `id = 5 OR id = 6`, `id = 7 AND city = 'c3'`, `id IN (7, 14) AND city IN ('c1', 'c2')`, `city = 'c2'`, `city IS NULL`, `city IS NULL AND id = 21`,
		`city IN ('c0', 'c6') OR dt = '2024-01-03'`, `city LIKE 'c%' AND city > 'c4'`, `NOT (city = 'c1')`, `city <> 'c2' AND dt BETWEEN '2024-01-08' AND '2024-01-12'`, `id = 8 AND dt = '2024-01-20'`, `id <=> NULL`, `dt IN ('2024-01-09', '2024-01-10', '2024-02-29') AND id > 100`,
		`year(dt) = 2024 AND month(dt) = 2`, `id + 1 = 8`, `n < 100`, `n BETWEEN 1000 AND 1010 AND id = n * 7 % 120`, `coalesce(dt, '2024-01-01') = '2024-01-01'`, `dt = '2024-13-01'`, `id = 7.5`, `id = '7'`, `false`, `id IN (SELECT id FROM plain WHERE n = 5)`,
	}
	for _, where := range conditions {
		want, wantErr := tryQuery(s, `SELECT count(*), count(dt), sum(id), sum(n), max(city) FROM plain WHERE `+where)
		for name := range tables {
			got, err := tryQuery(s, `SELECT count(*), count(dt), sum(id), sum(n), max(city) FROM `+name+` WHERE `+where)
			if got != want || (err == nil) != (wantErr == nil) {
				t.Errorf("%s WHERE %s: %s %v, want %s %v", name, where, got, err, want, wantErr)
			}
		}
	}
	for _, left := range []string{"ranges", "two", "lists", "random"} {
		for _, on := range []string{`a.id = b.id AND b.id = 7`, `a.dt = b.dt AND b.dt = '2024-01-15'`, `a.id = b.id AND a.dt = b.dt`, `a.city = b.city AND a.n = b.n`} {
			want := answer(t, s, `SELECT count(*), sum(a.n), sum(b.n) FROM plain a JOIN plain b ON `+on)
			for _, right := range []string{"ranges", "lists"} {
				if got := answer(t, s, `SELECT count(*), sum(a.n), sum(b.n) FROM `+left+` a JOIN `+right+` b ON `+on); got != want {
					t.Errorf("%s a JOIN %s b ON %s: %s, want %s", left, right, on, got, want)
				}
			}
		}
	}
}
