package basalt_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

// BenchmarkManyPartitions filters a table of 20,000 files of 100 rows in 1,000 partitions, which it writes first: 20 INSERTs
// of 1,000 dynamic partitions each.
//
//	go test . -run '^$' -bench ManyPartitions
func BenchmarkManyPartitions(b *testing.B) {
	db, err := basalt.Open(b.TempDir(), basalt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	ctx := context.Background()
	dir := filepath.Join(b.TempDir(), "many")
	for _, sql := range []string{"SET hive.exec.dynamic.partition.mode = nonstrict", "SET hive.exec.max.dynamic.partitions.pernode = 1000",
		"CREATE EXTERNAL TABLE many (id BIGINT, v STRING) PARTITIONED BY (p INT) STORED AS PARQUET LOCATION '" + dir + "'"} {
		if _, err := s.Exec(ctx, sql); err != nil {
			b.Fatal(err)
		}
	}
	for n := range 20 {
		if _, err := s.Exec(ctx, fmt.Sprintf(`INSERT INTO many SELECT number, concat('v', number, '-%d'), number %% 1000 FROM numbers("number"="100000")`, n)); err != nil {
			b.Fatal(err)
		}
	}
	run := func(sql string) string {
		rows, err := s.Query(ctx, sql)
		if err != nil {
			b.Fatal(err)
		}
		defer rows.Close()
		var out []string
		for rows.Next(ctx) {
			out = append(out, fmt.Sprint(rows.Values()...))
		}
		if rows.Err() != nil {
			b.Fatal(rows.Err())
		}
		return strings.Join(out, "\n")
	}
	if plan := run("EXPLAIN SELECT count(*) FROM many WHERE p = 7"); !strings.Contains(plan, "partitions=1/1000") {
		b.Fatalf("the plan reads more than a partition:\n%s", plan)
	}
	for i := 0; b.Loop(); i++ {
		if got := run(fmt.Sprintf("SELECT count(*), count(DISTINCT v), max(id) FROM many WHERE p = %d", i%1000)); got != fmt.Sprintf("2000 2000 %d", 99000+i%1000) {
			b.Fatal(got)
		}
	}
}
