package basalt_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestEvolvedFiles: external tables whose columns have other types than their files. A column that cannot be read so fails the
// queries that read it, no others.
func TestEvolvedFiles(t *testing.T) {
	for _, format := range []string{"PARQUET", "ORC"} {
		dir := t.TempDir()
		s := hiveSession(t, t.TempDir())
		for _, step := range [][2]string{
			{`CREATE EXTERNAL TABLE w (id INT, s STRING, dup INT, st STRUCT<a:INT>) STORED AS F LOCATION 'D'`, ""},
			{`INSERT INTO w SELECT number, if(number = 7, NULL, if(number % 2 = 0, concat(number, ''), 'none')), number, named_struct('a', number) FROM numbers("number"="1000")`, ""},
			{`CREATE EXTERNAL TABLE r (id BIGINT, s INT, dup ARRAY<INT>, st STRING) STORED AS F LOCATION 'D'`, ""},
			{`SELECT count(*), count(id), sum(id), count(s), sum(s) FROM r`, "1000,1000,499500,500,249500"},
			{`SELECT count(*) FROM r WHERE s IS NULL`, "500"},
			{`SELECT count(*) FROM r WHERE s IS NOT NULL`, "500"},
			{`SELECT id, s FROM r WHERE s = 998`, "998,998"},
			{`SELECT count(*) FROM r WHERE s > 900 OR id = 1`, "50"},
			{`SELECT min(s), max(s) FROM r`, "0,998"},
			{`SELECT dup FROM r`, "error: column dup is int"},
			{`SELECT id FROM r WHERE st = 'x'`, "error: column st is struct"},
			{`SELECT count(*) FROM r WHERE st IS NULL`, "error: column st is struct"},
		} {
			sql := strings.NewReplacer("'D'", "'"+filepath.Join(dir, "w")+"'", "AS F", "AS "+format).Replace(step[0])
			if got := lines(t, s, sql); got != step[1] && (!strings.HasPrefix(step[1], "error: ") || !strings.HasPrefix(got, step[1])) {
				t.Errorf("%s: %s\n got %s\nwant %s", format, sql, got, step[1])
			}
		}
	}
}
