package tpcds

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

var (
	data = flag.String("data", "", "a folder with one folder of Parquet files a table")
	out  = flag.String("out", "", "a folder for the rows of every query")
	only = flag.String("only", "", "names of queries, with commas")
	full = flag.Bool("analyze", false, "ANALYZE the tables first")
)

// TestRun runs the queries over given data: those that need what is not built yet are refused by name.
func TestRun(t *testing.T) {
	if *data == "" {
		t.Skip("no -data")
	}
	ctx := context.Background()
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	for _, name := range Tables() {
		mustRun(t, s, fmt.Sprintf("CREATE EXTERNAL TABLE %s STORED AS PARQUET LOCATION '%s'", name, filepath.Join(*data, name)))
	}
	if *full {
		mustRun(t, s, "ANALYZE DATABASE `default`")
	}
	ran, refused := 0, 0
	for _, q := range Queries() {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), q.Name) {
			continue
		}
		start := time.Now()
		qctx, cancel := context.WithTimeout(ctx, time.Minute)
		text, err := rowsOf(qctx, s, q.SQL)
		cancel()
		took := time.Since(start)
		switch {
		case sqlerr.Is(err, sqlerr.NotSupported):
			refused++
			t.Logf("%s: refused: %v", q.Name, err)
		case err != nil:
			t.Errorf("%s: %v (%s)", q.Name, err, took)
		default:
			ran++
			t.Logf("%s: %d rows, %d ms", q.Name, strings.Count(text, "\n")-1, took.Milliseconds())
			if *out != "" {
				if err := os.WriteFile(filepath.Join(*out, q.Name+".tsv"), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	t.Logf("%d ran, %d refused", ran, refused)
}

func mustRun(t *testing.T, s *basalt.Session, text string) {
	t.Helper()
	if _, err := rowsOf(context.Background(), s, text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func rowsOf(ctx context.Context, s *basalt.Session, text string) (string, error) {
	rows, err := s.Query(ctx, text)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var b strings.Builder
	for _, c := range rows.Columns() {
		b.WriteString(c.Name + "\t")
	}
	b.WriteString("\n")
	for rows.Next(ctx) {
		for _, v := range rows.Values() {
			if v == nil {
				b.WriteString(`\N`)
			} else {
				fmt.Fprint(&b, v)
			}
			b.WriteString("\t")
		}
		b.WriteString("\n")
	}
	return b.String(), rows.Err()
}
