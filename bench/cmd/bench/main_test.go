package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/bench/runner"
)

func TestPick(t *testing.T) {
	var all []runner.Query
	for n := 1; n <= 22; n++ {
		all = append(all, runner.Query{Name: fmt.Sprintf("q%02d", n)})
	}
	check := func(list, want string) {
		t.Helper()
		got, err := pick(all, list)
		if err != nil {
			if want != "error" {
				t.Errorf("pick(%q) gives %v", list, err)
			}
			return
		}
		var names []string
		for _, q := range got {
			names = append(names, q.Name)
		}
		if s := strings.Join(names, " "); s != want {
			t.Errorf("pick(%q) gives %s, want %s", list, s, want)
		}
	}
	check("1", "q01")
	check("q03,1,20-22", "q03 q01 q20 q21 q22")
	check("0", "error")
	check("23", "error")
	check("5-4", "error")
	check("x", "error")
	all = append(all, runner.Query{Name: "d30-1"}, runner.Query{Name: "d30-2"}, runner.Query{Name: "d30-12"})
	check("30", "d30-1 d30-2 d30-12")
	check("d30", "d30-1 d30-2 d30-12")
	check("d30-2,1", "d30-2 q01")
	check("d30-12", "d30-12")
	check("d30-3", "error")
	check("22-30", "q22 d30-1 d30-2 d30-12")
	if got, err := pick(all, ""); err != nil || len(got) != 25 {
		t.Errorf("no list gives %d queries, %v, want all 25", len(got), err)
	}
}
