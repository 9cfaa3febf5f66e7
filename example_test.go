package basalt_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/basaltdb/basalt"
)

// The shortest program: an engine in memory, one query, rows as Go values.
func Example() {
	ctx := context.Background()
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	defer s.Close()

	rows, err := s.Query(ctx, `SELECT number % 3 AS k, count(*) AS n, sum(number) AS total
		FROM numbers("number" = "10") GROUP BY k HAVING total > ? ORDER BY k`, 12)
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for rows.Next(ctx) {
		var k, n, total int64
		if err := rows.Scan(&k, &n, &total); err != nil {
			log.Fatal(err)
		}
		fmt.Println(k, n, total)
	}
	if err := rows.Err(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 0 4 18
	// 2 3 15
}

// A data folder keeps tables; CREATE TABLE AS writes Parquet, atomically.
func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "basalt-example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	for _, statements := range []string{
		"CREATE TABLE squares AS SELECT number AS n, number * number AS sq FROM numbers('number' = '100')",
		"INSERT INTO squares VALUES (100, 10000), (101, 10201)",
		"SELECT count(*), max(sq) FROM squares WHERE n BETWEEN 50 AND 100",
	} {
		db, err := basalt.Open(dir, basalt.Options{}) // each statement by another process, as it were
		if err != nil {
			log.Fatal(err)
		}
		rows, err := db.NewSession(basalt.SessionOptions{}).Query(ctx, statements)
		if err != nil {
			log.Fatal(err)
		}
		for rows.Next(ctx) {
			fmt.Println(rows.Values()...)
		}
		rows.Close()
		db.Close()
	}
	files, _ := filepath.Glob(filepath.Join(dir, "warehouse", "default.db", "squares_*", "*.parquet"))
	fmt.Println(len(files) >= 2)
	// Output:
	// 51 10000
	// true
}

// Results as Arrow record batches.
func ExampleRows_NextRecord() {
	ctx := context.Background()
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	rows, err := db.NewSession(basalt.SessionOptions{}).Query(ctx, "SELECT number, CAST(number AS DECIMAL(10,2)) / 4 AS quarter FROM numbers('number' = '3') ORDER BY number")
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for {
		rec, err := rows.NextRecord(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if rec == nil {
			break
		}
		fmt.Println(rec.Column(0), rec.Schema().Field(1).Type)
		rec.Release()
	}
	// Output:
	// [0 1 2] decimal(14, 6)
}

// Go functions in SQL.
func ExampleDB_RegisterFunction() {
	ctx := context.Background()
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	err = db.RegisterFunction("slug", func(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") })
	if err != nil {
		log.Fatal(err)
	}
	rows, err := db.NewSession(basalt.SessionOptions{}).Query(ctx, "SELECT slug('Hello Basalt World'), slug(NULL) IS NULL")
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for rows.Next(ctx) {
		fmt.Println(rows.Values()...)
	}
	// Output:
	// hello-basalt-world true
}

// The database/sql driver.
func Example_databaseSQL() {
	db, err := sql.Open("basalt", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	var n int
	var name sql.NullString
	if err := db.QueryRow("SELECT count(*), max(concat('row ', number)) FROM numbers('number' = '10') WHERE number >= ?", 7).Scan(&n, &name); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, name.String)
	// Output:
	// 3 row 9
}
