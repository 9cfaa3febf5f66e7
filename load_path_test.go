package basalt_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/storage"
)

// fileTree lists the files below a folder.
func fileTree(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLoadPath loads files into tables of Hive's: external ones get the files, ours their rows.
func TestLoadPath(t *testing.T) {
	dir := t.TempDir()
	db, err := basalt.Open(t.TempDir(), basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	for _, f := range []string{"in/a.txt", "in/b.txt", "more/a.txt", "day/000000_0", "own/x.txt", "nested/deep/x"} {
		put(t, filepath.Join(dir, f), f+"|1\n"+f+"|2\n")
	}
	put(t, dir+"/in/_SUCCESS", "")
	put(t, dir+"/empty/_SUCCESS", "")
	put(t, dir+"/bad.txt", "PAR1xx")
	put(t, dir+"/orc/_tmp", "")
	for _, c := range []struct{ sql, want string }{
		{"CREATE EXTERNAL TABLE e (s STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' STORED AS TEXTFILE LOCATION 'D/e'", ""},
		{"LOAD DATA LOCAL INPATH 'D/in' INTO TABLE e", ""},
		{"SELECT s, count(*), sum(n) FROM e GROUP BY s ORDER BY s", "in/a.txt,2,3;in/b.txt,2,3"},
		{"LOAD DATA INPATH 'D/more/a.txt' INTO TABLE e", ""},
		{"SELECT count(*), count(DISTINCT s) FROM e", "6,3"},
		{"LOAD DATA LOCAL INPATH 'file://D/in/b*' OVERWRITE INTO TABLE e", ""},
		{"SELECT DISTINCT s FROM e", "in/b.txt"},
		{"LOAD DATA LOCAL INPATH 'D/bad.txt' INTO TABLE e", "error: Wrong file format. Please check the file's format: D/bad.txt is Parquet, the table is textfile"},
		{"LOAD DATA LOCAL INPATH 'D/nothing' INTO TABLE e", "error: cannot stat D/nothing"},
		{"LOAD DATA LOCAL INPATH 'D/empty' INTO TABLE e", "error: Invalid path 'D/empty': No files matching path"},
		{"LOAD DATA LOCAL INPATH 'D/nested' INTO TABLE e", "error: source contains directory: D/nested/deep"},
		{"LOAD DATA LOCAL INPATH 'D/e' INTO TABLE e", "error: the path D/e lies in the table's own folder"},
		{"LOAD DATA LOCAL INPATH 'D/in' INTO TABLE e PARTITION (d = 1)", "error: Table 'e' is not partitioned"},
		{"LOAD DATA LOCAL INPATH 'D/in' INTO TABLE e INPUTFORMAT 'a' SERDE 'b'", "error: INPUTFORMAT … SERDE of LOAD DATA is not supported yet"},
		// Partitions.
		{"CREATE EXTERNAL TABLE p (s STRING, n INT) PARTITIONED BY (d DATE, h INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' STORED AS TEXTFILE LOCATION 'D/p'", ""},
		{"LOAD DATA LOCAL INPATH 'D/day' INTO TABLE p", "error: Need to specify partition columns because the destination table is partitioned"},
		{"LOAD DATA LOCAL INPATH 'D/day' INTO TABLE p PARTITION (d = '2024-01-02', h)", "error: LOAD DATA needs a value for every partition column"},
		{"LOAD DATA LOCAL INPATH 'D/day' INTO TABLE p PARTITION (h = 3, d = '2024-01-02')", ""},
		{"LOAD DATA LOCAL INPATH 'D/day/000000_0' INTO TABLE p PARTITION (d = '2024-01-02', h = 3)", ""},
		{"LOAD DATA LOCAL INPATH 'D/in/a.txt' OVERWRITE INTO TABLE p PARTITION (d = '2024-01-03', h = 3)", ""},
		{"SELECT d, h, count(*) FROM p GROUP BY d, h ORDER BY d", "2024-01-02,3,4;2024-01-03,3,2"},
		// Ours, and those with buckets: the rows are taken.
		{"CREATE TABLE o (s STRING, n INT) PARTITIONED BY (d DATE) CLUSTERED BY (n) INTO 2 BUCKETS STORED AS ORC", ""},
		{"LOAD DATA LOCAL INPATH 'D/in' INTO TABLE o PARTITION (d = '2024-01-02')", "error: "},
		{"SELECT s, n FROM e INTO OUTFILE 'file://D/orc/f_' FORMAT AS ORC", "1,2,"},
		{"LOAD DATA INPATH 'D/orc' INTO TABLE o PARTITION (d = '2024-01-02')", ""},
		{"SELECT s, n, d FROM o WHERE n = 2", "in/b.txt,2,2024-01-02"},
		{"CREATE EXTERNAL TABLE b (s STRING, n INT) CLUSTERED BY (n) INTO 2 BUCKETS ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' STORED AS TEXTFILE LOCATION 'D/b'", ""},
		{"LOAD DATA LOCAL INPATH 'D/in' INTO TABLE b", ""},
		{"SELECT count(*) FROM b WHERE n = 1", "2"},
	} {
		if got := inDir(t, s, dir, c.sql); got != c.want && (!strings.HasPrefix(c.want, "error: ") && !strings.HasSuffix(c.want, ",") || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
	for sub, want := range map[string]string{"e": "b_copy_1.txt", "p": "d=2024-01-02/h=3/000000_0 d=2024-01-02/h=3/000000_0_copy_1 d=2024-01-03/h=3/a.txt",
		"b": "000000_0 000001_0", "in": "_SUCCESS a.txt b.txt", "more": "", "orc": "_tmp"} {
		if got := fileTree(t, filepath.Join(dir, sub)); got != want {
			t.Errorf("%s has %q, want %q", sub, got, want)
		}
	}
}

// failingFS fails the n-th change of the disk below a folder.
type failingFS struct {
	storage.OSFS
	below string
	at, n int
}

func (f *failingFS) step(path string) error {
	if !strings.HasPrefix(path, f.below) {
		return nil
	}
	if f.n++; f.n == f.at {
		return errors.New("broken disk")
	}
	return nil
}

func (f *failingFS) Create(path string) (storage.WritableFile, error) {
	if err := f.step(path); err != nil {
		return nil, err
	}
	return f.OSFS.Create(path)
}

func (f *failingFS) Rename(a, b string) error {
	if err := f.step(b); err != nil {
		return err
	}
	return f.OSFS.Rename(a, b)
}

func (f *failingFS) MkdirAll(dir string) error {
	if err := f.step(dir); err != nil {
		return err
	}
	return f.OSFS.MkdirAll(dir)
}

// TestLoadPathFails breaks every step of a load: the table has its old rows or the new ones, and the source stays unless the load counts.
func TestLoadPathFails(t *testing.T) {
	for at := 1; ; at++ {
		dir := t.TempDir()
		put(t, dir+"/in/a.txt", "new\n")
		put(t, dir+"/in/b.txt", "new\n")
		put(t, dir+"/e/old.txt", "old\n")
		fs := &failingFS{below: dir + "/e", at: at}
		db, err := basalt.Open("", basalt.Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		s := db.NewSession(basalt.SessionOptions{})
		inDir(t, s, dir, "CREATE EXTERNAL TABLE e (s STRING) STORED AS TEXTFILE LOCATION 'D/e'")
		got := inDir(t, s, dir, "LOAD DATA INPATH 'D/in' OVERWRITE INTO TABLE e")
		rows, left := inDir(t, s, dir, "SELECT s, count(*) FROM e GROUP BY s"), fileTree(t, dir+"/in")
		db.Close()
		if got == "" {
			if rows != "new,2" || left != "" {
				t.Errorf("step %d: %s, left %s", at, rows, left)
			}
			if fs.n < at {
				if at < 5 {
					t.Errorf("only %d steps", at)
				}
				return
			}
			continue
		}
		if rows != "old,1" || left != "a.txt b.txt" || fileTree(t, dir+"/e") != "old.txt" {
			t.Errorf("step %d (%s): %s, left %s and %s", at, got, rows, left, fileTree(t, dir+"/e"))
		}
	}
}
