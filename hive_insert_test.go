package basalt_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

// hiveSession opens an engine whose session writes dynamic partitions only where it is told to.
func hiveSession(t *testing.T, dir string) *basalt.Session {
	t.Helper()
	db, err := basalt.Open(dir, basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db.NewSession(basalt.SessionOptions{})
}

// tree lists the files and empty folders below dir, hidden ones too.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if !d.IsDir() {
			out = append(out, rel)
		} else if entries, lerr := os.ReadDir(path); lerr != nil || len(entries) == 0 {
			out = append(out, rel+"/")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestHiveInsert runs what FEATURES says of INSERT into tables of Hive, on tables of ours and on external ones, in
// every format.
func TestHiveInsert(t *testing.T) {
	for _, c := range []struct{ kind, format string }{{"", "PARQUET"}, {"EXTERNAL", "ORC"}, {"EXTERNAL", "PARQUET"}, {"EXTERNAL", "TEXTFILE"}, {"", "JSONFILE"}} {
		t.Run(c.kind+c.format, func(t *testing.T) {
			dir := t.TempDir()
			s := hiveSession(t, t.TempDir())
			for _, step := range insertSteps {
				sql, want, _ := strings.Cut(step, "\n=> ")
				if strings.HasPrefix(sql, "CREATE TABLE") {
					name := strings.Fields(sql)[2]
					sql = strings.Replace(sql, "CREATE TABLE", "CREATE "+c.kind+" TABLE", 1) + " STORED AS " + c.format
					if c.kind != "" {
						sql += " LOCATION '" + filepath.Join(dir, name) + "'"
					}
				}
				if i := strings.Index(sql, " TBLPROPERTIES"); i >= 0 && strings.HasPrefix(sql, "CREATE") {
					props, rest, _ := strings.Cut(sql[i:], ")")
					sql = sql[:i] + rest + props + ")"
				}
				got := lines(t, s, sql)
				if e, ok := strings.CutPrefix(want, "error: "); ok && strings.HasPrefix(got, "error: ") && strings.Contains(got, e) {
					continue
				}
				if got != want {
					t.Errorf("%s\n got %s\nwant %s", sql, got, want)
				}
			}
		})
	}
}

// insertSteps are statements with what they give; errors by a part of their message.
var insertSteps = []string{
	"CREATE TABLE o (id INT, v STRING) PARTITIONED BY (dt STRING, cc STRING)",
	"CREATE TABLE u (id INT, v STRING)",
	// Static partitions come before dynamic ones.
	"INSERT INTO o PARTITION (dt, cc='us') SELECT 1, 'a', '2024-01-01'\n=> error: Dynamic partition cannot be the parent of a static partition",
	"INSERT INTO o PARTITION (cc, dt='2024-01-01') SELECT 1, 'a', 'us'\n=> error: Dynamic partition cannot be the parent of a static partition",
	"INSERT INTO o PARTITION (dt='x') SELECT 1, 'a', 'us'\n=> error: The partition spec has no column 'cc'",
	"INSERT INTO o PARTITION (dt='x', dt='y') SELECT 1, 'a'\n=> error: given twice",
	"INSERT INTO o PARTITION (nope='x') SELECT 1, 'a'\n=> error: 'nope' is no partition column",
	"INSERT INTO o PARTITION (id='1', dt='x', cc='y') SELECT 'a'\n=> error: 'id' is no partition column",
	"INSERT INTO u PARTITION (dt='x') SELECT 1, 'a'\n=> error: is not partitioned",
	// strict asks for one static partition.
	"INSERT INTO o SELECT 1, 'a', 'd', 'c'\n=> error: hive.exec.dynamic.partition.mode=nonstrict",
	"INSERT INTO o PARTITION (dt, cc) SELECT 1, 'a', 'd', 'c'\n=> error: hive.exec.dynamic.partition.mode=nonstrict",
	"SET hive.exec.dynamic.partition = false",
	"INSERT INTO o PARTITION (dt='d', cc) SELECT 1, 'a', 'c'\n=> error: Dynamic partition is disabled",
	"SET hive.exec.dynamic.partition = true",
	// Dynamic values go by position, whatever their names, in the order of the spec.
	"INSERT INTO o PARTITION (dt='2024-01-01', cc) SELECT 1 AS cc, 'a' AS dt, 'us' AS id",
	"SELECT * FROM o\n=> 1,a,2024-01-01,us",
	"SET hive.exec.dynamic.partition.mode = nonstrict",
	"INSERT INTO o PARTITION (cc, dt) SELECT 2, 'b', 'de', '2024-01-01'",
	"INSERT INTO o SELECT 3, 'c', '2024-01-02', 'us'",
	"INSERT INTO o VALUES (4, 'd', '2024-01-02', 'de'), (5, 'e', '2024-01-02', 'de')",
	"INSERT INTO o PARTITION (dt='2024-01-03', cc) SELECT 6, 'f'\n=> error: Column count",
	"SELECT * FROM o ORDER BY id\n=> 1,a,2024-01-01,us;2,b,2024-01-01,de;3,c,2024-01-02,us;4,d,2024-01-02,de;5,e,2024-01-02,de",
	// A column list: what is missing is NULL; dynamic columns follow, or are in the list.
	"INSERT INTO o PARTITION (dt='2024-01-03', cc='us') (v) SELECT 'only v'",
	"INSERT INTO o PARTITION (dt='2024-01-03', cc) (id) SELECT 7, 'fr'",
	"INSERT INTO o (cc, id, dt) SELECT 'it', 8, '2024-01-03'",
	"SELECT * FROM o WHERE dt = '2024-01-03' ORDER BY cc\n=> 7,NULL,2024-01-03,fr;8,NULL,2024-01-03,it;NULL,only v,2024-01-03,us",
	// OVERWRITE of a static partition replaces it, with nothing as well.
	"INSERT OVERWRITE TABLE o PARTITION (dt='2024-01-02', cc='de') SELECT 9, 'g'",
	"SELECT * FROM o WHERE dt = '2024-01-02' ORDER BY id\n=> 3,c,2024-01-02,us;9,g,2024-01-02,de",
	"INSERT OVERWRITE TABLE o PARTITION (dt='2024-01-02', cc='de') SELECT 1, 'x' WHERE false",
	"SELECT count(*) FROM o WHERE dt = '2024-01-02' AND cc = 'de'\n=> 0",
	// OVERWRITE of dynamic ones replaces those that get rows; none, nothing.
	"INSERT OVERWRITE TABLE o PARTITION (dt='2024-01-01', cc) SELECT id, cc FROM o WHERE false\n=> error: Column count",
	"INSERT OVERWRITE TABLE o PARTITION (dt='2024-01-01', cc) SELECT id, v, cc FROM o WHERE false",
	"SELECT count(*) FROM o WHERE dt = '2024-01-01'\n=> 2",
	"INSERT OVERWRITE TABLE o PARTITION (dt='2024-01-01', cc) SELECT 10, 'h', 'us'",
	"SELECT * FROM o WHERE dt = '2024-01-01' ORDER BY id\n=> 2,b,2024-01-01,de;10,h,2024-01-01,us",
	// Unpartitioned tables are replaced always; a table may be read while it is overwritten.
	"INSERT INTO u VALUES (1, 'a'), (2, 'b'), (3, 'c')",
	"INSERT OVERWRITE TABLE u SELECT id + 10, v FROM u WHERE id > 1",
	"SELECT * FROM u ORDER BY id\n=> 12,b;13,c",
	"INSERT OVERWRITE TABLE u SELECT * FROM u WHERE false",
	"SELECT count(*) FROM u\n=> 0",
	// IF NOT EXISTS passes over a partition that is there, be it empty.
	"INSERT OVERWRITE TABLE o PARTITION (dt='2024-01-01', cc='us') IF NOT EXISTS SELECT 11, 'i'",
	"INSERT OVERWRITE TABLE o PARTITION (dt='2024-01-02', cc='de') IF NOT EXISTS SELECT 11, 'i'",
	"INSERT OVERWRITE TABLE o PARTITION (dt='2024-01-09', cc='us') IF NOT EXISTS SELECT 12, 'j'",
	"INSERT OVERWRITE TABLE o PARTITION (dt='2024-01-09', cc) IF NOT EXISTS SELECT 12, 'j', 'us'\n=> error: IF NOT EXISTS needs a value",
	"SELECT id FROM o WHERE id > 10\n=> 12",
	// NULL and the empty text are the default partition; other values are escaped.
	"CREATE TABLE e (id INT) PARTITIONED BY (k STRING)",
	"INSERT INTO e VALUES (1, NULL), (2, ''), (3, 'a/b=c:d%'), (4, 'é x+y'), (5, '{\"[*]\"}'), (6, 'Ab'), (7, 'aB')",
	"INSERT INTO e PARTITION (k='') VALUES (8)",
	"INSERT INTO e PARTITION (k=NULL) VALUES (9)",
	"INSERT INTO e PARTITION (k='__HIVE_DEFAULT_PARTITION__') VALUES (10)",
	"SELECT * FROM e ORDER BY id\n=> 1,NULL;2,NULL;3,a/b=c:d%;4,é x+y;5,{\"[*]\"};6,Ab;7,aB;8,NULL;9,NULL;10,NULL",
	"SELECT count(DISTINCT k), count(*) FROM e WHERE k IS NOT NULL\n=> 5,5",
	// Types of partition columns, static values included.
	"CREATE TABLE ty (id INT) PARTITIONED BY (i INT, d DATE, b BOOLEAN, n DECIMAL(10,2), ts DATETIME)",
	"INSERT INTO ty PARTITION (i='007', d='2024-02-29', b=true, n=1.5, ts='2024-01-01 10:20:30') VALUES (1)",
	"INSERT INTO ty SELECT 2, 7, '2024-02-29', 1, '1.50', '2024-01-01 10:20:30'",
	"INSERT INTO ty SELECT 3, 'x', 'y', NULL, 'z', 'w'",
	"SELECT * FROM ty ORDER BY id\n=> 1,7,2024-02-29,1,1.50,2024-01-01 10:20:30;2,7,2024-02-29,1,1.50,2024-01-01 10:20:30;3,NULL,NULL,NULL,NULL,NULL",
	"SELECT count(*) FROM ty WHERE i = 7 AND d > '2024-01-01' AND n < 2 AND b\n=> 2",
	"INSERT INTO ty PARTITION (i='x', d='2024-02-29', b=true, n=1, ts=NULL) VALUES (1)\n=> error: 'x'",
	// Values that do not fit become NULL.
	"CREATE TABLE cv (a TINYINT, b INT, c DATE, d DECIMAL(4,1))",
	"INSERT INTO cv SELECT '12', '1000', '2024-01-01', '1.25'",
	"INSERT INTO cv SELECT 1000, 'abc', '2024-13-01', 'x'",
	"SELECT * FROM cv ORDER BY a\n=> NULL,NULL,NULL,NULL;12,1000,2024-01-01,1.3",
	"INSERT INTO cv SELECT [1], 2, NULL, NULL\n=> error: ",
	// Limits.
	"SET hive.exec.max.dynamic.partitions = 3",
	"INSERT INTO e SELECT number, concat('n', number) FROM numbers(\"number\"=\"4\")\n=> error: more than 3 dynamic partitions",
	"INSERT INTO e SELECT number + 100, concat('n', number % 3) FROM numbers(\"number\"=\"4\")",
	"SET hive.exec.max.dynamic.partitions = DEFAULT",
	"SET hive.exec.max.dynamic.partitions.pernode = 2",
	"INSERT INTO e SELECT number, concat('m', number) FROM numbers(\"number\"=\"4\")\n=> error: more than 2 dynamic partitions",
	"SET hive.exec.max.dynamic.partitions.pernode = DEFAULT",
	"INSERT INTO e SELECT number, concat('o', number) FROM numbers(\"number\"=\"101\")\n=> error: more than 100 dynamic partitions",
	"SET hive.exec.max.created.files = 2",
	"INSERT INTO e SELECT number, concat('p', number) FROM numbers(\"number\"=\"3\")\n=> error: makes 3 files, more than 2",
	"SET hive.exec.max.created.files = DEFAULT",
	"SELECT count(*), count(DISTINCT k) FROM e WHERE k LIKE 'n%'\n=> 4,3",
	"SELECT count(*) FROM e WHERE k LIKE 'm%' OR k LIKE 'o%' OR k LIKE 'p%'\n=> 0",
	// Immutable tables take rows once; OVERWRITE replaces them.
	"CREATE TABLE im (id INT) TBLPROPERTIES('immutable'='true')",
	"INSERT INTO im VALUES (1)",
	"INSERT INTO im VALUES (2)\n=> error: immutable",
	"INSERT OVERWRITE TABLE im VALUES (3)",
	"SELECT * FROM im\n=> 3",
	// Buckets, in order.
	"CREATE TABLE bk (id INT, v STRING) CLUSTERED BY (id) SORTED BY (v DESC, id) INTO 3 BUCKETS",
	"INSERT INTO bk SELECT number, concat('v', number % 7) FROM numbers(\"number\"=\"1000\")",
	"INSERT INTO bk SELECT number, concat('v', number % 7) FROM numbers(\"number\"=\"1000\")",
	"SELECT count(*), sum(id) FROM bk\n=> 2000,999000",
	"SELECT count(*) FROM bk WHERE id IN (5, 77, 999)\n=> 6",
	"SELECT count(*) FROM bk x JOIN bk y ON x.id = y.id\n=> 4000",
	"INSERT OVERWRITE TABLE bk SELECT id, v FROM bk WHERE id < 10",
	"SELECT count(*), sum(id) FROM bk\n=> 20,90",
}

// TestHiveLayout looks at the folders and files that other engines find.
func TestHiveLayout(t *testing.T) {
	dir := t.TempDir()
	s := hiveSession(t, t.TempDir())
	run := func(sql string) {
		t.Helper()
		if got := lines(t, s, strings.ReplaceAll(sql, "D/", dir+"/")); got != "" {
			t.Fatalf("%s: %s", sql, got)
		}
	}
	want := func(folder, files string) {
		t.Helper()
		if got := tree(t, filepath.Join(dir, folder)); got != files {
			t.Errorf("%s:\n got %s\nwant %s", folder, got, files)
		}
	}
	run("SET hive.exec.dynamic.partition.mode = nonstrict")
	run("CREATE EXTERNAL TABLE p (id INT) PARTITIONED BY (Dt DATE, K STRING) STORED AS PARQUET LOCATION 'D/p'")
	run("INSERT INTO p VALUES (1, '2024-01-01', 'a/b'), (2, NULL, '')")
	want("p", "dt=2024-01-01/k=a%2Fb/000000_0 dt=__HIVE_DEFAULT_PARTITION__/k=__HIVE_DEFAULT_PARTITION__/000000_0")
	run("INSERT INTO p VALUES (3, '2024-01-01', 'a/b')")
	want("p", "dt=2024-01-01/k=a%2Fb/000000_0 dt=2024-01-01/k=a%2Fb/000000_0_copy_1 dt=__HIVE_DEFAULT_PARTITION__/k=__HIVE_DEFAULT_PARTITION__/000000_0")
	run("INSERT OVERWRITE TABLE p PARTITION (dt='2024-01-01', k='a/b') SELECT 1 WHERE false")
	run("INSERT INTO p PARTITION (dt='2024-01-02', k='c') SELECT 1 WHERE false")
	want("p", "dt=2024-01-01/k=a%2Fb/ dt=2024-01-02/k=c/ dt=__HIVE_DEFAULT_PARTITION__/k=__HIVE_DEFAULT_PARTITION__/000000_0")

	// int buckets of Hive's first hash are the values modulo 4.
	run("CREATE EXTERNAL TABLE b (id INT) CLUSTERED BY (id) INTO 4 BUCKETS STORED AS ORC LOCATION 'D/b'")
	run("INSERT INTO b VALUES (1), (2), (5)")
	want("b", "000001_0 000002_0")
	run("INSERT INTO b VALUES (9)")
	want("b", "000001_0 000001_0_copy_1 000002_0")

	// Checksums of Hadoop go with their files.
	if err := os.WriteFile(filepath.Join(dir, "b", ".000002_0.crc"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	run("INSERT OVERWRITE TABLE b VALUES (2)")
	want("b", "000002_0_copy_1")

	run("CREATE EXTERNAL TABLE sp (id INT) CLUSTERED BY (id) INTO 8 BUCKETS STORED AS PARQUET LOCATION 'D/sp' TBLPROPERTIES ('bucket_hash'='spark')")
	run("INSERT INTO sp VALUES (1)")
	if got := tree(t, filepath.Join(dir, "sp")); !strings.HasPrefix(got, "part-00000-") || !strings.HasSuffix(got, "_00003.c000.parquet") {
		t.Errorf("Spark's bucket of 1 of 8 is 3: %s", got)
	}
	run("CREATE EXTERNAL TABLE z (id INT) STORED AS TEXTFILE LOCATION 'D/z' TBLPROPERTIES ('compression'='gzip')")
	run("INSERT INTO z VALUES (1)")
	want("z", "000000_0.gz")
	if got := lines(t, s, "SELECT * FROM z"); got != "1" {
		t.Errorf("z: %s", got)
	}
}

// TestHiveValuesOfFolders writes to folders that others named: their spelling of a value is kept.
func TestHiveValuesOfFolders(t *testing.T) {
	dir := t.TempDir()
	s := hiveSession(t, "")
	run := func(sql, want string) {
		t.Helper()
		if got := lines(t, s, strings.ReplaceAll(sql, "D/", dir+"/")); got != want {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
	for _, f := range []string{"m/MONTH=03/a", "m/MONTH=03/_SUCCESS", "m/month=3/b"} {
		path := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE EXTERNAL TABLE m (id INT) PARTITIONED BY (month INT) STORED AS TEXTFILE LOCATION 'D/m'", "")
	run("INSERT INTO m PARTITION (month=3) VALUES (2)", "")
	run("SELECT * FROM m ORDER BY id", "1,3;1,3;2,3")
	if got, want := tree(t, dir), "m/MONTH=03/000000_0 m/MONTH=03/_SUCCESS m/MONTH=03/a m/month=3/b"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	run("INSERT OVERWRITE TABLE m PARTITION (month=3) VALUES (4)", "")
	run("SELECT * FROM m", "4,3")
}

// TestReadersOfOverwritten keeps what a statement listed readable while others replace it.
func TestReadersOfOverwritten(t *testing.T) {
	dir := t.TempDir()
	db, err := basalt.Open(t.TempDir(), basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, s2 := db.NewSession(basalt.SessionOptions{}), db.NewSession(basalt.SessionOptions{})
	if got := lines(t, s, "CREATE EXTERNAL TABLE r (id INT) STORED AS PARQUET LOCATION '"+dir+"/r'"); got != "" {
		t.Fatal(got)
	}
	ctx := context.Background()
	if got := lines(t, s, `INSERT INTO r SELECT number FROM numbers("number"="10000")`); got != "" {
		t.Fatal(got)
	}
	rows, err := s.Query(ctx, "SELECT id FROM r")
	if err != nil {
		t.Fatal(err)
	}
	sum, n := 0, 0
	for round := 0; rows.Next(ctx); round++ {
		if round < 3 {
			if got := lines(t, s2, fmt.Sprintf("INSERT OVERWRITE TABLE r VALUES (%d)", round)); got != "" {
				t.Fatal(got)
			}
		}
		var id int
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		sum, n = sum+id, n+1
	}
	if err := rows.Close(); err != nil || rows.Err() != nil || n != 10000 || sum != 49995000 {
		t.Errorf("%d rows, sum %d: %v, %v", n, sum, err, rows.Err())
	}
	if got := lines(t, s2, "SELECT * FROM r"); got != "2" {
		t.Errorf("after: %s", got)
	}
	if got := tree(t, dir); strings.Contains(got, "_staging") {
		t.Errorf("staging folders stay: %s", got)
	}
}
