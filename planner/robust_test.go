package planner_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner"
	"github.com/basaltdb/basalt/planner/optimize"
	"github.com/basaltdb/basalt/planner/plantest"
)

// TestAnySubsetOfPasses plans the statements of all golden files with no pass, and with each pass left out: every
// plan must be well formed after each pass and must lower.
func TestAnySubsetOfPasses(t *testing.T) {
	files, err := filepath.Glob("../test/plan/*/*.plan")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, p := range optimize.Passes() {
		all[p] = true
	}
	subsets := []map[string]bool{all}
	for _, p := range optimize.Passes() {
		only := map[string]bool{}
		for _, q := range optimize.Passes() {
			only[q] = q != p
		}
		subsets = append(subsets, map[string]bool{p: true}, only)
	}
	for _, path := range files {
		cases, err := plantest.ReadCases(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			for _, off := range subsets {
				b, err := bound(c.SQL)
				if err != nil {
					t.Fatalf("%s:%d: %s", path, c.Number, err)
				}
				if err := planned(func() error {
					_, err := planner.Plan(b, planner.Options{Instances: 2, DisabledPasses: off, Verify: true, Functions: &function.Context{}})
					return err
				}); err != nil {
					t.Errorf("%s:%d without %v: %s", path, c.Number, off, err)
				}
			}
		}
	}
}

// planned turns a panic into an error, so that the failing statement is named.
func planned(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f()
}
