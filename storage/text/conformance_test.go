package text

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

const dataDir = "../../../shared/data/tables"

type expectation struct {
	Expect  string
	Rows    *int64
	Columns []struct {
		Name, Type    string
		Nulls         int64
		Min, Max, Sum *string
	}
}

func optionsFor(path string) Options {
	if strings.Contains(path, ".json") {
		return Options{Kind: JSON, Strict: true}
	}
	return Options{Kind: CSV, Quote: '"', Line: '\n', HasNull: true, Strict: true}
}

func readColumn(t testing.TB, s *Source, i int) []vector.Value {
	t.Helper()
	req := &storage.ScanRequest{Columns: []int{i}, Limit: -1}
	splits, err := s.Splits(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	parts := make([][]vector.Value, len(splits))
	order := make([]int, len(splits))
	for k := range order {
		if order[k] = k; readBackwards { // readers then know nothing of each other
			order[k] = len(splits) - 1 - k
		}
	}
	for _, k := range order {
		r, err := s.Open(t.Context(), splits[k], req)
		if err != nil {
			t.Fatal(err)
		}
		var out []vector.Value
		for {
			b, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			for i := range b.NumRows() {
				out = append(out, b.Cols[0].Value(b.Row(i)))
			}
		}
		r.Close()
		parts[k] = out
	}
	return slices.Concat(parts...)
}

// readBackwards makes readColumn read the last split first.
var readBackwards bool

// TestConformance reads the CSV and JSON files of the corpus, their schema inferred, and compares
// with what DuckDB read.
func TestConformance(t *testing.T) {
	if _, err := os.Stat(dataDir); err != nil {
		t.Skip("no conformance files: ../shared/data is absent")
	}
	files, good := 0, 0
	err := filepath.WalkDir(filepath.Join(dataDir, "expected"), func(path string, d os.DirEntry, err error) error {
		rel, _ := filepath.Rel(filepath.Join(dataDir, "expected"), strings.TrimSuffix(path, ".json"))
		if err != nil || d.IsDir() || !strings.Contains(rel, ".csv") && !strings.Contains(rel, ".tsv") && !strings.Contains(rel, ".json") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var want expectation
		if err := json.Unmarshal(text, &want); err != nil || want.Rows == nil {
			return nil
		}
		files++
		if t.Run(rel, func(t *testing.T) { compare(t, filepath.Join(dataDir, rel), want) }) {
			good++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d", good, files)
	if files < 30 {
		t.Errorf("only %d files", files)
	}
}

func compare(t *testing.T, path string, want expectation) {
	s, err := NewSource(storage.OSFS{}, []string{path}, nil, optionsFor(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range want.Columns {
		at := -1
		for i, c := range s.Columns() {
			if c.Name == w.Name {
				at = i
			}
		}
		if at < 0 {
			t.Fatalf("no column %s among %v", w.Name, s.Columns())
		}
		vals := readColumn(t, s, at)
		if int64(len(vals)) != *want.Rows {
			t.Fatalf("%d rows, want %d", len(vals), *want.Rows)
		}
		typ := s.Columns()[at].Type
		nulls := int64(0)
		sum := 0.0
		var lo, hi *vector.Value
		for i := range vals {
			v := &vals[i]
			if v.Null {
				nulls++
				continue
			}
			if lo == nil || v.Compare(*lo) < 0 {
				lo = v
			}
			if hi == nil || v.Compare(*hi) > 0 {
				hi = v
			}
			if typ.IsInteger() {
				sum += float64(v.Int64())
			}
			sum += v.F
		}
		if nulls != w.Nulls {
			t.Errorf("%s %s: %d nulls, want %d", w.Name, typ, nulls, w.Nulls)
		}
		same := func(what string, v *vector.Value, text *string) {
			if v == nil || text == nil {
				return
			}
			got := v.Text()
			if v.Type.Kind == sqltype.Boolean {
				got = strconv.FormatBool(got == "1")
			}
			a, aerr := strconv.ParseFloat(got, 64)
			b, berr := strconv.ParseFloat(*text, 64)
			if got != *text && !(aerr == nil && berr == nil && a == b) && !(v.Type.IsTemporal() && strings.HasPrefix(got, *text)) && (v.Type.IsString() == strings.HasPrefix(w.Type, "VARCHAR")) {
				t.Errorf("%s %s (%s): %s %q, want %q", w.Name, typ, w.Type, what, got, *text)
			}
		}
		same("min", lo, w.Min)
		same("max", hi, w.Max)
		if w.Sum != nil && (typ.IsInteger() || typ.Kind == sqltype.Double) {
			if x, err := strconv.ParseFloat(*w.Sum, 64); err == nil && math.Abs(x-sum) > 1e-9*math.Abs(x) {
				t.Errorf("%s: sum %v, want %s", w.Name, sum, *w.Sum)
			}
		}
	}
}
