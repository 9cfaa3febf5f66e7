package tpch

import (
	"database/sql"
	"flag"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"github.com/basaltdb/basalt/bench/result"
)

var (
	dsn   = flag.String("dsn", "", "a MySQL data source with the TPC-H tables, such as root@tcp(127.0.0.1:9030)/tpch")
	scale = flag.String("scale", "0.01", "scale factor of the tables behind -dsn: 0.01 or 1")
)

// TestAnswersFit checks that every answer can be compared by the rules of its query.
func TestAnswersFit(t *testing.T) {
	for n := 1; n <= Count; n++ {
		if text := Query(n); !strings.Contains(text, "TPC-H Q") || strings.Contains(text, ";") {
			t.Errorf("%s: not one commented statement without a semicolon", Name(n))
		}
		set, err := result.Parse(Answer(n))
		if err != nil {
			t.Errorf("%s: %v", Name(n), err)
			continue
		}
		if len(set.Columns) != len(official[n]) {
			t.Errorf("%s: %d columns, the published answer has %d", Name(n), len(set.Columns), len(official[n]))
		}
		if err := result.Compare(set, set, Rules(n)); err != nil {
			t.Errorf("%s: %v", Name(n), err)
		}
		if result.Format(set) != Answer(n) {
			t.Errorf("%s: the answer is not in the form that result.Format writes", Name(n))
		}
		for _, row := range set.Rows[:min(1, len(set.Rows))] {
			row[0] = result.Value{Text: "9" + row[0].Text}
		}
		if good, _ := result.Parse(Answer(n)); len(good.Rows) > 0 && result.Compare(set, good, Rules(n)) == nil {
			t.Errorf("%s: a changed answer compares as equal", Name(n))
		}
	}
}

func TestAgrees(t *testing.T) {
	check := func(got, want string, ok bool) {
		t.Helper()
		if agrees(got, want) != ok {
			t.Errorf("agrees(%s, %s) is %v", got, want, !ok)
		}
	}
	check("734235.2455", "734235.24", true)
	check("406181.0111", "406181.01", true)
	check("406181.0311", "406181.01", false)
	check("10595", "10594", false)
	check("x", "y", false)
}

// TestServer runs the queries on a server and compares with the stored answers at scale
// factor 0.01 and with the published first rows at scale factor 1.
func TestServer(t *testing.T) {
	if *dsn == "" {
		t.Skip("no server to ask: pass -args -dsn 'root@tcp(HOST:PORT)/tpch' [-scale 1]")
	}
	db, err := sql.Open("mysql", *dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for n := 1; n <= Count; n++ {
		t.Run(Name(n), func(t *testing.T) {
			got, err := ask(db, Query(n))
			if err != nil {
				t.Fatal(err)
			}
			if *scale == "1" {
				if err := CheckOfficial(n, got); err != nil {
					t.Error(err)
				}
				return
			}
			want, err := result.Parse(Answer(n))
			if err != nil {
				t.Fatal(err)
			}
			if err := result.Compare(got, want, Rules(n)); err != nil {
				t.Error(err)
			}
		})
	}
}

func ask(db *sql.DB, text string) (result.Set, error) {
	rows, err := db.Query(text)
	if err != nil {
		return result.Set{}, err
	}
	defer rows.Close()
	return result.Read(rows)
}
