package budget

import (
	"math"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

func TestGrow(t *testing.T) {
	process := New("process", 1000, nil)
	query := New("query", 800, process)
	a, b := query.Reserve("a"), query.Reserve("b")
	if err := a.Grow(600); err != nil {
		t.Fatal(err)
	}
	err := b.Grow(201)
	if !sqlerr.Is(err, sqlerr.OutOfMemory) || !strings.Contains(err.Error(), "b needs 201") || !strings.Contains(err.Error(), "query limit of 800") {
		t.Fatalf("got %v", err)
	}
	if err := b.Grow(200); err != nil {
		t.Fatal(err)
	}
	other := New("query", 800, process).Reserve("c")
	if err := other.Grow(201); !strings.Contains(err.Error(), "process limit of 1000") {
		t.Fatalf("got %v", err)
	}
	if query.Used() != 800 || process.Used() != 800 || query.Peak() != 800 {
		t.Fatalf("used %d and %d, peak %d", query.Used(), process.Used(), query.Peak())
	}
	a.Release()
	a.Release()
	query.ReleaseAll()
	if query.Used() != 0 || process.Used() != 0 {
		t.Fatalf("used %d and %d", query.Used(), process.Used())
	}
}

func TestTryGrowLeavesASpare(t *testing.T) {
	process := New("process", 1600, nil)
	query := New("query", 800, process)
	r := query.Reserve("r")
	if n := query.Available(); n != 700 {
		t.Fatalf("%d available", n)
	}
	if !r.TryGrow(700) || r.TryGrow(1) || query.Available() != 0 {
		t.Fatalf("used %d", query.Used())
	}
	if err := r.Grow(100); err != nil {
		t.Fatal(err)
	}
	r.Force(50)
	if query.Used() != 850 || process.Used() != 850 || r.Held() != 850 {
		t.Fatalf("used %d and %d, held %d", query.Used(), process.Used(), r.Held())
	}
	// Another query has the rest of the process's seven eighths.
	other := New("query", 0, process)
	if n := other.Available(); n != 550 {
		t.Fatalf("%d available", n)
	}
	if New("query", 0, nil).Available() != math.MaxInt64 {
		t.Fatal("a budget without limits has one")
	}
	query.ReleaseAll()
	if process.Used() != 0 {
		t.Fatalf("used %d", process.Used())
	}
}

func TestSpillAbove(t *testing.T) {
	query := New("query", 1000, nil).SpillAbove(10)
	r := query.Reserve("r")
	if !r.TryGrow(10) || r.TryGrow(1) {
		t.Fatal("not at 10 bytes")
	}
	if err := r.Grow(900); err != nil {
		t.Fatal(err)
	}
}
