package transitivity

import (
	"context"
	"slices"
	"testing"

	"github.com/basaltdb/basalt"
)

// TestWorkload: at a small scale, plans prune as claimed and rows are the same with the rule off.
func TestWorkload(t *testing.T) {
	ctx := context.Background()
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	for _, sql := range Statements(0.05) {
		if _, err := s.Exec(ctx, sql); err != nil {
			t.Fatal(err, sql)
		}
	}
	for _, q := range Queries() {
		if err := q.Check(ctx, s); err != nil {
			t.Error(err)
		}
		var got [2][]string
		for i, off := range []string{"", "infer_predicates"} {
			if _, err := s.Exec(ctx, "SET optimizer_disable = '"+off+"'"); err != nil {
				t.Fatal(err)
			}
			if got[i], _, err = Rows(ctx, s, q.SQL); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got[0], got[1]) || len(got[0]) == 0 {
			t.Errorf("%s: %q with inference, %q without", q.Name, got[0], got[1])
		}
		if _, err := s.Exec(ctx, "SET optimizer_disable = ''"); err != nil {
			t.Fatal(err)
		}
	}
}
