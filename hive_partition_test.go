package basalt_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

// adminSteps are statements on tables of Hive, of both kinds unless they begin with "E " (external) or "M " (managed).
var adminSteps = []string{
	"SET hive.exec.dynamic.partition.mode = nonstrict",
	"CREATE TABLE o (id INT, v STRING) PARTITIONED BY (dt DATE, cc STRING)",
	"INSERT INTO o VALUES (1, 'a', '2024-01-01', 'us'), (2, 'b', '2024-01-01', 'de'), (3, 'c', '2024-01-02', 'us'), (4, 'd', '2024-01-03', NULL)",
	"SHOW PARTITIONS o\n=> dt=2024-01-01/cc=de;dt=2024-01-01/cc=us;dt=2024-01-02/cc=us;dt=2024-01-03/cc=__HIVE_DEFAULT_PARTITION__",
	"SHOW PARTITIONS o PARTITION (dt='2024-01-01')\n=> dt=2024-01-01/cc=de;dt=2024-01-01/cc=us",
	"SHOW PARTITIONS o PARTITION (cc='us', dt='2024-01-02')\n=> dt=2024-01-02/cc=us",
	"SHOW PARTITIONS o WHERE dt > '2024-01-01' ORDER BY dt DESC LIMIT 1\n=> dt=2024-01-03/cc=__HIVE_DEFAULT_PARTITION__",
	"SHOW PARTITIONS o PARTITION (id='1')\n=> error: 'id' is no partition column",
	// ADD.
	"ALTER TABLE o ADD PARTITION (dt='2024-02-01', cc='a/b') PARTITION (dt='2024-02-01', cc='')",
	"ALTER TABLE o ADD PARTITION (dt='2024-01-01', cc='us')\n=> error: Duplicate partition name dt=2024-01-01/cc=us",
	"ALTER TABLE o ADD IF NOT EXISTS PARTITION (dt='2024-01-01', cc='us') PARTITION (cc='x', dt='2024-02-02')",
	"ALTER TABLE o ADD PARTITION (dt='2024-02-01')\n=> error: does not name all of (dt, cc)",
	"ALTER TABLE o ADD PARTITION (dt='nope', cc='x')\n=> error: 'nope'",
	"ALTER TABLE o ADD PARTITION p VALUES LESS THAN ('x')\n=> error: named by PARTITION (column = value)",
	"SHOW PARTITIONS o WHERE dt > '2024-02-00'\n=> dt=2024-02-01/cc=__HIVE_DEFAULT_PARTITION__;dt=2024-02-01/cc=a%2Fb;dt=2024-02-02/cc=x",
	"SELECT count(*) FROM o\n=> 4",
	// DROP, with comparisons.
	"ALTER TABLE o DROP PARTITION (dt='2025-01-01')",
	"SET hive.exec.drop.ignorenonexistent = false",
	"ALTER TABLE o DROP PARTITION (dt='2025-01-01')\n=> error: No partition of table 'o' is (dt = '2025-01-01')",
	"ALTER TABLE o DROP IF EXISTS PARTITION (dt='2025-01-01')",
	"ALTER TABLE o DROP PARTITION (dt>='2024-02-01', cc<>'x'), PARTITION (dt='2024-01-03', cc='')",
	"SHOW PARTITIONS o\n=> dt=2024-01-01/cc=de;dt=2024-01-01/cc=us;dt=2024-01-02/cc=us;dt=2024-02-01/cc=__HIVE_DEFAULT_PARTITION__;dt=2024-02-02/cc=x",
	"ALTER TABLE o DROP PARTITION (dt>'2024-01-31') PURGE",
	"ALTER TABLE o DROP PARTITION (dt<'2024-01-02', cc='de')",
	"SHOW PARTITIONS o\n=> dt=2024-01-01/cc=us;dt=2024-01-02/cc=us",
	"SELECT * FROM o ORDER BY id\n=> 1,a,2024-01-01,us;3,c,2024-01-02,us",
	// What was dropped can be written again. Files of an external partition had stayed.
	"INSERT INTO o PARTITION (dt='2024-01-01', cc='de') VALUES (5, 'e')",
	"M SELECT * FROM o WHERE cc = 'de'\n=> 5,e,2024-01-01,de",
	"E SELECT * FROM o WHERE cc = 'de' ORDER BY id\n=> 2,b,2024-01-01,de;5,e,2024-01-01,de",
	"ALTER TABLE o DROP PARTITION (cc='de')",
	"ALTER TABLE o ADD PARTITION (dt='2024-01-01', cc='de')",
	"M SELECT count(*) FROM o WHERE cc = 'de'\n=> 0",
	"E SELECT count(*) FROM o WHERE cc = 'de'\n=> 2",
	"ALTER TABLE o DROP PARTITION (cc='de')",
	// RENAME.
	"ALTER TABLE o PARTITION (dt='2024-01-02', cc='us') RENAME TO PARTITION (dt='2024-01-01', cc='us')\n=> error: Duplicate partition name",
	"ALTER TABLE o PARTITION (dt='2024-01-09', cc='us') RENAME TO PARTITION (dt='2024-01-10', cc='us')\n=> error: Unknown partition 'dt=2024-01-09/cc=us'",
	"ALTER TABLE o PARTITION (dt='2024-01-02', cc='us') RENAME TO PARTITION (dt='2024-01-05', cc='u s')",
	"SELECT * FROM o ORDER BY id\n=> 1,a,2024-01-01,us;3,c,2024-01-05,u s",
	"INSERT INTO o PARTITION (dt='2024-01-05', cc='u s') VALUES (6, 'f')",
	"SELECT id FROM o WHERE cc = 'u s' AND dt = '2024-01-05' ORDER BY id\n=> 3;6",
	"INSERT OVERWRITE TABLE o PARTITION (dt='2024-01-05', cc='u s') VALUES (7, 'g')",
	"SELECT id FROM o WHERE cc = 'u s'\n=> 7",
	"INSERT INTO o PARTITION (dt='2024-01-02', cc='us') VALUES (8, 'h')",
	"SELECT id FROM o ORDER BY id\n=> 1;7;8",
	// MSCK.
	"M MSCK TABLE o",
	"M MSCK REPAIR TABLE o SYNC PARTITIONS",
	"E ALTER TABLE o DROP PARTITION (dt='2024-01-01', cc='us')",
	"E SELECT count(*) FROM o WHERE dt = '2024-01-01'\n=> 0",
	"E MSCK TABLE o\n=> Partitions not in metastore: o:dt=2024-01-01/cc=de o:dt=2024-01-01/cc=us o:dt=2024-01-03/cc=__HIVE_DEFAULT_PARTITION__ o:dt=2024-02-01/cc=__HIVE_DEFAULT_PARTITION__ o:dt=2024-02-01/cc=a%2Fb o:dt=2024-02-02/cc=x",
	"E MSCK REPAIR TABLE o DROP PARTITIONS",
	"E SELECT count(*) FROM o WHERE dt = '2024-01-01'\n=> 0",
	"E MSCK REPAIR TABLE o",
	"E SELECT count(*) FROM o\n=> 6",
	"E MSCK TABLE o",
	// TRUNCATE.
	"E TRUNCATE TABLE o\n=> error: Cannot truncate non-managed table o",
	"E ALTER TABLE o SET TBLPROPERTIES ('external.table.purge'='true')",
	"TRUNCATE TABLE o PARTITION (cc='us', dt='2024-01-02')",
	"TRUNCATE TABLE o PARTITION (dt='2025-01-02')\n=> error: No partition of table 'o'",
	"SELECT count(*) FROM o WHERE dt = '2024-01-02'\n=> 0",
	"M SHOW PARTITIONS o\n=> dt=2024-01-01/cc=us;dt=2024-01-02/cc=us;dt=2024-01-05/cc=u s",
	"TRUNCATE TABLE o",
	"SELECT count(*) FROM o\n=> 0",
	"INSERT INTO o PARTITION (dt='2024-01-05', cc='u s') VALUES (7, 'g')",
	"SELECT * FROM o\n=> 7,g,2024-01-05,u s",
	// Unpartitioned tables.
	"CREATE TABLE u (id INT)",
	"SHOW PARTITIONS u\n=> error: is not partitioned",
	"ALTER TABLE u ADD PARTITION (id=1)\n=> error: is not partitioned",
	"MSCK REPAIR TABLE u",
	// DESCRIBE.
	"DESCRIBE o PARTITION (dt='2024-01-05', cc='u s')\n=> id,int,Yes,false,NULL,;v,string,Yes,false,NULL,;dt,date,Yes,false,NULL,;cc,string,Yes,false,NULL,",
	"DESCRIBE o PARTITION (dt='2025-01-05', cc='u s')\n=> error: Unknown partition",
	"DESCRIBE FORMATTED o v\n=> v,string,",
}

// TestHivePartitions administers partitions of both kinds of tables.
func TestHivePartitions(t *testing.T) {
	for _, kind := range []string{"M", "E"} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			s := hiveSession(t, t.TempDir())
			for _, step := range adminSteps {
				sql, want, _ := strings.Cut(step, "\n=> ")
				if only, rest, _ := strings.Cut(sql, " "); len(only) == 1 {
					if only != kind {
						continue
					}
					sql = rest
				}
				if name := strings.Fields(sql)[2]; strings.HasPrefix(sql, "CREATE TABLE") {
					if sql += " STORED AS ORC"; kind == "E" {
						sql = strings.Replace(sql, "CREATE", "CREATE EXTERNAL", 1) + " LOCATION '" + filepath.Join(dir, name) + "'"
					}
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

// TestPartitionsElsewhere has partitions with a LOCATION of their own, and tables that discover none.
func TestPartitionsElsewhere(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	db, err := basalt.Open(data, basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := db.NewSession(basalt.SessionOptions{})
	run := func(sql, want string) {
		t.Helper()
		if got := strings.ReplaceAll(lines(t, s, strings.ReplaceAll(sql, "D/", dir+"/")), dir+"/", "D/"); got != want {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
	put := func(name, body string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("t/k=1/a", "1\n")
	put("t/k=2/a", "2\n")
	put("far/away/a", "3\n")
	run("CREATE EXTERNAL TABLE t (id INT) PARTITIONED BY (k INT) STORED AS TEXTFILE LOCATION 'D/t'", "")
	run("ALTER TABLE t ADD PARTITION (k=3) LOCATION 'D/far/away'", "")
	run("SELECT * FROM t ORDER BY k", "1,1;2,2;3,3")
	run("INSERT INTO t PARTITION (k=3) VALUES (4)", "")
	run("INSERT OVERWRITE TABLE t PARTITION (k=2) VALUES (22)", "")
	run("SELECT * FROM t ORDER BY k, id", "1,1;22,2;3,3;4,3")
	run("ALTER TABLE t PARTITION (k=1) RENAME TO PARTITION (k=11)", "")
	run("ALTER TABLE t PARTITION (k=3) RENAME TO PARTITION (k=33)", "")
	run("SELECT * FROM t ORDER BY k, id", "22,2;1,11;3,33;4,33")
	if got := tree(t, dir); got != "far/away/000000_0 far/away/a t/k=11/a t/k=2/000000_0" {
		t.Errorf("after RENAME: %s", got)
	}
	run("ALTER TABLE t PARTITION (k=33) RENAME TO PARTITION (k=3)", "")
	run("INSERT INTO t PARTITION (k=1) VALUES (5)", "")
	run("SELECT * FROM t WHERE k < 10 ORDER BY k, id", "5,1;22,2;3,3;4,3")
	run("ALTER TABLE t PARTITION (k=2) SET LOCATION 'D/nowhere'", "")
	run("SELECT count(*) FROM t WHERE k = 2", "0")
	run("ALTER TABLE t DROP PARTITION (k=3)", "")
	run("SELECT count(*) FROM t WHERE k = 3", "0")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = basalt.Open(data, basalt.Options{}); err != nil { // the catalog kept it all
		t.Fatal(err)
	}
	defer db.Close()
	s = db.NewSession(basalt.SessionOptions{})
	run("SHOW PARTITIONS t", "k=1;k=11;k=2")
	run("SELECT * FROM t ORDER BY id", "1,11;5,1")

	put("d/k=1/a", "1\n")
	run("CREATE EXTERNAL TABLE d (id INT) PARTITIONED BY (k INT) STORED AS TEXTFILE LOCATION 'D/d' TBLPROPERTIES ('discover.partitions'='false')", "")
	run("SELECT * FROM d", "")
	run("MSCK TABLE d", "Partitions not in metastore: d:k=1")
	run("MSCK REPAIR TABLE d ADD PARTITIONS", "")
	run("SELECT * FROM d", "1,1")
	run("INSERT INTO d PARTITION (k=2) VALUES (2)", "")
	run("SELECT * FROM d ORDER BY id", "1,1;2,2")
	if err := os.RemoveAll(filepath.Join(dir, "d/k=1")); err != nil {
		t.Fatal(err)
	}
	run("SHOW PARTITIONS d", "k=1;k=2")
	run("MSCK TABLE d", "Partitions missing from filesystem: d:k=1")
	run("MSCK REPAIR TABLE d SYNC PARTITIONS", "")
	run("SHOW PARTITIONS d", "k=2")

	// DROP TABLE leaves the files, unless they are to be purged.
	run("DROP TABLE d", "")
	if got := tree(t, filepath.Join(dir, "d")); got != "k=2/000000_0" {
		t.Errorf("after DROP TABLE: %s", got)
	}
	run("CREATE EXTERNAL TABLE d (id INT) PARTITIONED BY (k INT) STORED AS TEXTFILE LOCATION 'D/d' TBLPROPERTIES ('external.table.purge'='true')", "")
	run("DROP TABLE d", "")
	if _, err := os.Stat(filepath.Join(dir, "d")); !os.IsNotExist(err) {
		t.Errorf("the purged folder: %v", err)
	}
}

// TestHiveShowCreate makes tables from what SHOW CREATE TABLE prints of them.
func TestHiveShowCreate(t *testing.T) {
	dir := t.TempDir()
	s := hiveSession(t, t.TempDir())
	for i, ddl := range []string{
		"CREATE TABLE t (a INT, b STRING COMMENT 'it''s') COMMENT 'c' PARTITIONED BY (d DATE COMMENT 'day', e STRING) CLUSTERED BY (a, b) SORTED BY (b DESC, a) INTO 4 BUCKETS STORED AS ORC TBLPROPERTIES ('orc.compress'='ZLIB')",
		"CREATE TABLE t (a INT, m MAP<STRING,ARRAY<INT>>) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' COLLECTION ITEMS TERMINATED BY ',' MAP KEYS TERMINATED BY ':' NULL DEFINED AS 'nil' STORED AS TEXTFILE",
		"CREATE TABLE t (a STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' WITH SERDEPROPERTIES ('separatorChar'=';') STORED AS TEXTFILE",
		"CREATE EXTERNAL TABLE t (a INT) PARTITIONED BY (k INT) CLUSTERED BY (a) INTO 2 BUCKETS STORED AS PARQUET LOCATION 'D/t' TBLPROPERTIES ('bucket_hash'='spark')",
		"CREATE EXTERNAL TABLE t (a INT) STORED AS JSONFILE LOCATION 'D/j'",
	} {
		if got := lines(t, s, strings.ReplaceAll(ddl, "D/", dir+"/")); got != "" {
			t.Fatalf("%s: %s", ddl, got)
		}
		first := strings.TrimPrefix(lines(t, s, "SHOW CREATE TABLE t"), "t,")
		lines(t, s, "DROP TABLE t FORCE")
		if got := lines(t, s, first); got != "" {
			t.Fatalf("%d: %s\n%s", i, first, got)
		}
		if again := strings.TrimPrefix(lines(t, s, "SHOW CREATE TABLE t"), "t,"); again != first {
			t.Errorf("%d:\n%s\nbecame\n%s", i, first, again)
		}
		lines(t, s, "DROP TABLE IF EXISTS l")
		if got := lines(t, s, "CREATE TABLE l LIKE t"); got != "" {
			t.Errorf("LIKE: %s", got)
		}
		like := strings.TrimPrefix(lines(t, s, "SHOW CREATE TABLE l"), "l,")
		want, _, _ := strings.Cut(strings.Replace(strings.Replace(first, "EXTERNAL ", "", 1), "`t`", "`l`", 1), "\nSTORED AS")
		if !strings.HasPrefix(like, want) {
			t.Errorf("LIKE:\n%s\nmust begin with\n%s", like, want)
		}
		lines(t, s, "DROP TABLE t FORCE")
	}
	for _, c := range [][2]string{
		{"CREATE TABLE p (a INT) PARTITIONED BY (k STRING) STORED AS ORC", ""},
		{"INSERT INTO p PARTITION (k='x') VALUES (1)", ""},
		{"CREATE TABLE p2 LIKE p", ""},
		{"SHOW PARTITIONS p2", ""},
		{"INSERT INTO p2 PARTITION (k='y') SELECT a FROM p", ""},
		{"SELECT * FROM p2", "1,y"},
		{"CREATE EXTERNAL TABLE p3 LIKE p LOCATION '" + dir + "/p3'", ""},
		{"INSERT INTO p3 PARTITION (k='z') SELECT a FROM p", ""},
		{"SELECT * FROM p3", "1,z"},
		{"CREATE TABLE p4 LIKE p3", ""},
		{"SELECT * FROM p4", ""},
		// The recycle bin tells names apart by case.
		{"INSERT INTO p PARTITION (k='Ab') VALUES (2)", ""},
		{"INSERT INTO p PARTITION (k='aB') VALUES (3)", ""},
		{"ALTER TABLE p DROP PARTITION (k='Ab')", ""},
		{"ALTER TABLE p DROP PARTITION (k='aB')", ""},
		{"RECOVER PARTITION `k=Ab` FROM p", ""},
		{"SELECT * FROM p ORDER BY a", "1,x;2,Ab"},
	} {
		if got := lines(t, s, c[0]); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
	if got := tree(t, filepath.Join(dir, "p3")); got != "k=z/000000_0" {
		t.Errorf("p3: %s", got)
	}
}

// TestDescribeCounts: DESCRIBE FORMATTED tells what the files of a table of ours take.
func TestDescribeCounts(t *testing.T) {
	s := hiveSession(t, t.TempDir())
	for _, sql := range []string{"CREATE TABLE c (id INT) STORED AS ORC TBLPROPERTIES ('note'='x')", "INSERT INTO c VALUES (1), (2)", "INSERT INTO c VALUES (3)"} {
		if got := lines(t, s, sql); got != "" {
			t.Fatal(got)
		}
	}
	got := lines(t, s, "DESCRIBE FORMATTED c")
	for _, want := range []string{";,note,x;", ";,numFiles,2;", ";,numRows,3;", ";,totalSize,"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %q", got, want)
		}
	}
}
