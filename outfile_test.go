package basalt_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// inDir replaces D/ by a folder in a statement, and back in its outcome.
func inDir(t *testing.T, s *basalt.Session, dir, sql string) string {
	t.Helper()
	return strings.ReplaceAll(lines(t, s, strings.ReplaceAll(sql, "D/", dir+"/")), dir+"/", "D/")
}

func readFile(t *testing.T, pattern string) string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) != 1 {
		t.Fatalf("%s: %v %v", pattern, paths, err)
	}
	b, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestOutfileMySQL writes files as MySQL does, byte by byte.
func TestOutfileMySQL(t *testing.T) {
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	rows := `SELECT 1 AS a, 'x\ty' AS b, NULL AS c, 2.50 AS d UNION ALL SELECT 2, 'a"b,\\\n', '', NULL ORDER BY a`
	for i, c := range []struct{ clauses, want string }{
		{"", "1\tx\\\ty\t\\N\t2.50\n2\ta\"b,\\\\\\\n\t\t\\N\n"},
		{`FIELDS TERMINATED BY ',' ENCLOSED BY '"'`, "\"1\",\"x\ty\",\\N,\"2.50\"\n\"2\",\"a\\\"b,\\\\\\\n\",\"\",\\N\n"},
		{`CHARACTER SET utf8mb4 FIELDS TERMINATED BY '||' OPTIONALLY ENCLOSED BY '\''`, "1||'x\ty'||\\N||2.50\n2||'a\"b,\\\\\\\n'||''||\\N\n"},
		{`FIELDS TERMINATED BY ';' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' LINES STARTING BY '>' TERMINATED BY '\r\n'`,
			">1;\"x\ty\";NULL;2.50\r\n>2;\"a\"\"b,\\\n\";\"\";NULL\r\n"},
	} {
		path := filepath.Join(t.TempDir(), "x.txt")
		got := inDir(t, s, filepath.Dir(path), fmt.Sprintf("%s INTO OUTFILE 'D/x.txt' %s", rows, c.clauses))
		if got != "" {
			t.Errorf("%d: %s", i, got)
			continue
		}
		if text := readFile(t, path); text != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.clauses, text, c.want)
		}
	}
	dir := t.TempDir()
	for _, c := range []struct{ sql, want string }{
		{"SELECT 1 WHERE 1 = 0 INTO OUTFILE 'D/empty'", ""},
		{"SELECT 1 INTO OUTFILE 'D/empty'", "error: File 'D/empty' already exists"},
		{"SELECT 1 INTO OUTFILE 'D/x' FIELDS ENCLOSED BY 'ab'", "error: Field separator argument is not what is expected; check the manual"},
		{"SELECT 1 INTO OUTFILE 'D/x' CHARACTER SET utf16", "error: CHARACTER SET utf16 of a text file is not supported yet"},
		{"SELECT 1 / 0 AS a, cast('x' AS INT) INTO OUTFILE 'D/nulls'", ""},
		{"SELECT k FROM nothing INTO OUTFILE 'D/x'", "error: Table 'default.nothing' doesn't exist"},
	} {
		if got := inDir(t, s, dir, c.sql); got != c.want && (c.want == "" || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
	if got := readFile(t, dir+"/nulls"); got != "\\N\t\\N\n" {
		t.Errorf("%q", got)
	}
	r, err := s.Query(context.Background(), "SELECT number FROM numbers('number' = '5000') INTO OUTFILE '"+dir+"/n'")
	if err != nil || r.RowsAffected() != 5000 {
		t.Error(r, err)
	}
}

// TestOutfileDoris writes every format and reads it back, by ourselves and by the standard library.
func TestOutfileDoris(t *testing.T) {
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	dir := t.TempDir()
	query := `SELECT 1 AS id, 'x,y' AS s, CAST(NULL AS DECIMAL(9,2)) AS d, CAST('2024-02-29' AS DATE) AS day UNION ALL SELECT 2, 'q"', 1.25, NULL ORDER BY id`
	for i, c := range []struct{ format, ending string }{
		{`CSV_WITH_NAMES PROPERTIES ("column_separator" = ",", "enclose" = "\"")`, "csv"},
		{`CSV_WITH_NAMES PROPERTIES ("column_separator" = ",", "enclose" = "\"", "compress_type" = "zstd")`, "csv.zst"},
		{"PARQUET", "parquet"}, {`PARQUET PROPERTIES ("compress_type" = "zstd")`, "parquet"}, {"ORC", "orc"}, {"JSON", "json"},
	} {
		prefix := fmt.Sprintf("D/f%d_", i)
		got := inDir(t, s, dir, query+" INTO OUTFILE 'file://"+prefix+"' FORMAT AS "+c.format)
		if cells := strings.Split(got, ","); len(cells) != 4 || cells[0] != "1" || cells[1] != "2" || !strings.HasPrefix(cells[3], "file://"+prefix) {
			t.Errorf("%s: %s", c.format, got)
			continue
		}
		where := "'" + prefix + "*." + c.ending + "'"
		null := "d IS NULL"
		if strings.HasPrefix(c.format, "CSV") {
			null = `d = '\\N'` // inference knows the empty NULL alone
		}
		if got := inDir(t, s, dir, "SELECT id, s FROM "+where+" WHERE "+null); got != "1,x,y" {
			t.Errorf("%s: %s", c.format, got)
		}
	}
	r := csv.NewReader(strings.NewReader(readFile(t, dir+"/f0_*.csv")))
	all, err := r.ReadAll()
	if fmt.Sprint(all) != `[[id s d day] [1 x,y \N 2024-02-29] [2 q" 1.25 \N]]` {
		t.Errorf("%q %v", all, err)
	}
	var row struct {
		ID  int
		S   string
		D   *float64
		Day *string
	}
	if err := json.NewDecoder(strings.NewReader(readFile(t, dir+"/f5_*.json"))).Decode(&row); err != nil || row.S != "x,y" || row.D != nil || *row.Day != "2024-02-29" {
		t.Errorf("%v %v", row, err)
	}
	for _, c := range []struct{ sql, want string }{
		{`INTO OUTFILE 'D/t_' FORMAT AS CSV_WITH_NAMES_AND_TYPES PROPERTIES ("success_file_name" = "OK", "line_delimiter" = "\\x0d0a", "file_suffix" = "tsv")`, ""},
		{`INTO OUTFILE 'D/t_' PROPERTIES ("success_file_name" = "OK")`, "error: File 'D/t_OK' already exists"},
		{`INTO OUTFILE 'D/u_' PROPERTIES ("column_separator" = "x")`, "error: column 's' has a value with a separator in it"},
		{`INTO OUTFILE 'D/u_' FORMAT AS AVRO`, "error: FORMAT AS AVRO is not supported yet"},
		{`INTO OUTFILE 's3://b/u_' FORMAT AS CSV`, "error: files at s3:// is not supported yet"},
		{`INTO OUTFILE 'D/u_' PROPERTIES ("max_file_size" = "1MB")`, "error: errCode = 2, detailMessage = max file size should between 5MB and 2GB but given '1MB'"},
		{`INTO OUTFILE 'D/u_' PROPERTIES ("x" = "1")`, "error: errCode = 2, detailMessage = Unknown properties: [x]"},
		{`INTO OUTFILE 'D/u_' FORMAT AS ORC PROPERTIES ("line_delimiter" = "x")`, "error: errCode = 2, detailMessage = line_delimiter is only for CSV format"},
		{`INTO OUTFILE 'D/u_' PROPERTIES ("delete_existing_files" = "true")`, `error: "delete_existing_files" is not supported yet`},
		{`INTO OUTFILE 'D/none/u_' FORMAT AS CSV`, "error: cannot create D/none/"},
	} {
		if got := inDir(t, s, dir, query+" "+c.sql); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.sql, got, c.want)
		}
	}
	want := "id\ts\td\tday\r\nTINYINT\tVARCHAR\tDECIMAL(9,2)\tDATE\r\n1\tx,y\t\\N\t2024-02-29\r\n2\tq\"\t1.25\t\\N\r\n"
	if got := readFile(t, dir+"/t_*.tsv"); got != want {
		t.Errorf("%q", got)
	}
	if left, _ := filepath.Glob(dir + "/.basalt*"); left != nil {
		t.Error("left behind:", left)
	}
	if left, _ := filepath.Glob(dir + "/u_*"); left != nil {
		t.Error("left behind:", left)
	}
}

// TestOutfileSizes cuts large results by max_file_size, one after the other and by all drivers at once.
func TestOutfileSizes(t *testing.T) {
	db, err := basalt.Open("", basalt.Options{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	dir := t.TempDir()
	for _, c := range []struct{ set, prefix, order string }{{"0", "a_", " ORDER BY n"}, {"0", "b_", ""}, {"1", "c_", ""}} {
		lines(t, s, "SET enable_parallel_outfile = "+c.set)
		out := inDir(t, s, dir, "SELECT number AS n, repeat('x', 20) AS s FROM numbers('number' = '600000')"+c.order+
			" INTO OUTFILE 'D/"+c.prefix+"' FORMAT AS CSV PROPERTIES ('max_file_size' = '5MB')")
		cells := strings.Split(out, ",")
		files, _ := filepath.Glob(dir + "/" + c.prefix + "*.csv")
		if len(cells) != 4 || cells[0] != fmt.Sprint(len(files)) || cells[1] != "600000" || len(files) < 3 {
			t.Fatalf("%s: %d files", out, len(files))
		}
		if got := inDir(t, s, dir, "SELECT count(*), sum(c1), count(DISTINCT c1) FROM local('file_path' = 'D/"+c.prefix+"*.csv', 'format' = 'csv')"); got != "600000,179999700000,600000" {
			t.Errorf("%s: %s", c.prefix, got)
		}
		if c.order != "" {
			text, _ := os.ReadFile(strings.Replace(files[0], "_0.csv", "_1.csv", 1))
			if files[0] == "" || len(text) < 5<<20 || !strings.Contains(readFile(t, dir+"/a_*_0.csv")[:20], "0\txx") {
				t.Error("the order of files is not that of rows")
			}
		}
	}
}

// TestSecureFilePriv keeps files inside of the folder that the server allows.
func TestSecureFilePriv(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/in", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, dir+"/in/out"); err != nil {
		t.Fatal(err)
	}
	for _, priv := range []string{"NULL", dir + "/in", ""} {
		db, err := basalt.Open("", basalt.Options{Settings: map[string]string{"secure_file_priv": priv}})
		if err != nil {
			t.Fatal(err)
		}
		s := db.NewSession(basalt.SessionOptions{})
		for _, path := range []string{"D/in/x", "D/in/../in/z", "D/out", "D/in/../w", "D/in/out/v", "D/in2"} {
			sql := "SELECT 1 INTO OUTFILE '" + strings.ReplaceAll(path, "D/", dir+"/") + "'"
			_, err := s.Query(context.Background(), sql)
			clean := strings.ReplaceAll(filepath.Clean(path), "D/", "")
			want := priv == "" || priv != "NULL" && strings.HasPrefix(clean, "in/") && clean != "in/out/v"
			if want && sqlerr.Is(err, sqlerr.OptionPrevents) || !want && !sqlerr.Is(err, sqlerr.OptionPrevents) {
				t.Errorf("secure_file_priv = %s: %s: %v", priv, sql, err)
			}
		}
		if got := lines(t, s, "SET GLOBAL secure_file_priv = ''"); !strings.Contains(got, "read only") {
			t.Error(got)
		}
		if got := lines(t, s, "SELECT @@secure_file_priv"); got != priv {
			t.Error(got)
		}
		db.Close()
	}
}
