package main

import (
	"slices"
	"testing"
)

func TestParseQueries(t *testing.T) {
	check := func(s string, want ...int) {
		t.Helper()
		got, err := parseQueries(s)
		if (err == nil) != (want != nil) || !slices.Equal(got, want) {
			t.Errorf("parseQueries(%q) gives %v, %v, want %v", s, got, err, want)
		}
	}
	check("1", 1)
	check("3,1,20-22", 3, 1, 20, 21, 22)
	check("0")
	check("23")
	check("5-4")
	check("x")
	if all, err := parseQueries(""); err != nil || len(all) != 22 {
		t.Errorf("no list gives %v, %v, want all 22", all, err)
	}
}
