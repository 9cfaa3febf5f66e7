package basalt_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/basaltdb/basalt"
)

// BenchmarkInsert copies a million rows into tables that are laid out in different ways.
func BenchmarkInsert(b *testing.B) {
	const rows = 1_000_000
	db, err := basalt.Open(b.TempDir(), basalt.Options{Settings: map[string]string{"enable_auto_compaction": "0"}})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	exec := func(sql string) {
		if _, err := s.Exec(context.Background(), sql); err != nil {
			b.Fatalf("%s: %v", sql, err)
		}
	}
	cols := `(id BIGINT NOT NULL, dt DATE NOT NULL, k INT, city VARCHAR(20), amt DECIMAL(10,2), note VARCHAR(100))`
	exec(`CREATE TABLE src ` + cols)
	exec(fmt.Sprintf(`INSERT INTO src SELECT number * 7919 %% 10000019, date_add('2024-01-01', cast(number %% 365 AS int)), number %% 1000, concat('city ', number %% 90), number / 100, concat('a longer note of order ', number %% 100003) FROM numbers("number"="%d")`, rows))
	for name, layout := range map[string]string{
		"plain":       ``,
		"32buckets":   `DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 32`,
		"12x8tablets": `DUPLICATE KEY(id, dt) PARTITION BY RANGE(dt) (FROM ("2024-01-01") TO ("2025-01-01") INTERVAL 1 MONTH) DISTRIBUTED BY HASH(id) BUCKETS 8`,
	} {
		b.Run(name, func(b *testing.B) {
			exec(`DROP TABLE IF EXISTS t FORCE`)
			exec(`CREATE TABLE t ` + cols + ` ` + layout)
			for b.Loop() {
				exec(`INSERT INTO t SELECT * FROM src`)
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
