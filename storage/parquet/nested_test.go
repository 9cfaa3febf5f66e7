package parquet

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// TestNestedConformance compares the nested columns of the corpus with what DuckDB read of
// them: null counts, the number of elements, and the values of small files.
func TestNestedConformance(t *testing.T) {
	columns, rows := 0, 0
	corpus(t, func(t *testing.T, path string, want expectation) {
		s, cols, err := readAll(t, path)
		if err != nil || want.Expect != "read" || isException(path, "DuckDB takes a repeated group") {
			return
		}
		for i, c := range s.Columns() {
			vals := cols[c.Name]
			if !c.Type.IsNested() || vals == nil {
				continue
			}
			for _, w := range want.Columns {
				if w.Name != c.Name {
					continue
				}
				columns++
				nulls, elements := int64(0), int64(0)
				for _, v := range vals {
					if v.Null {
						nulls++
						continue
					}
					elements += int64(countElements(v))
				}
				if nulls != w.Nulls {
					t.Errorf("%s %s: %d nulls, want %d", c.Name, c.Type, nulls, w.Nulls)
				}
				if w.Elements != nil && strconv.FormatInt(elements, 10) != *w.Elements {
					t.Errorf("%s %s: %d elements, want %s", c.Name, c.Type, elements, *w.Elements)
				}
			}
			if len(want.Sample) == len(vals) {
				for k := range want.Sample {
					sample, ok := want.Sample[k].(map[string]any)
					if !ok {
						continue
					}
					rows++
					if diff := differs(vals[k], sample[s.Columns()[i].Name]); diff != "" {
						t.Fatalf("%s %s row %d: %s", c.Name, c.Type, k, diff)
					}
				}
			}
		}
	})
	t.Logf("nested columns: %d, values compared: %d", columns, rows)
	if columns < 100 || rows < 200 {
		t.Errorf("compared %d nested columns and %d values", columns, rows)
	}
}

func countElements(v vector.Value) int {
	switch v.Type.Kind {
	case sqltype.Array:
		return vector.DecodeElements(v.Type.Nested.Elems[0], []byte(v.S)).N
	case sqltype.Map:
		keys, _ := vector.DecodeMap(v.Type, []byte(v.S))
		return keys.N
	}
	return 0
}

func elementValues(e vector.Elements) (out []vector.Value) {
	v := vector.New(e.Type, 0)
	e.AppendTo(v)
	for i := range v.Len {
		out = append(out, v.Value(i))
	}
	return out
}

// differs says how v is not the JSON value want.
func differs(v vector.Value, want any) string {
	if v.Null || want == nil {
		if v.Null != (want == nil) {
			return fmt.Sprintf("got %s, want %v", v.Text(), want)
		}
		return ""
	}
	switch v.Type.Kind {
	case sqltype.Array:
		list, ok := want.([]any)
		got := elementValues(vector.DecodeElements(v.Type.Nested.Elems[0], []byte(v.S)))
		if !ok || len(got) != len(list) {
			return fmt.Sprintf("got %s, want %v", v.Text(), want)
		}
		for i := range got {
			if d := differs(got[i], list[i]); d != "" {
				return fmt.Sprintf("element %d: %s", i, d)
			}
		}
		return ""
	case sqltype.Map:
		object, ok := want.(map[string]any)
		k, x := vector.DecodeMap(v.Type, []byte(v.S))
		keys, values := elementValues(k), elementValues(x)
		if !ok || len(keys) != len(object) {
			return fmt.Sprintf("got %s, want %v", v.Text(), want)
		}
		for i := range keys {
			if d := differs(values[i], object[keys[i].Text()]); d != "" {
				return fmt.Sprintf("key %s: %s", keys[i].Text(), d)
			}
		}
		return ""
	case sqltype.Struct:
		object, ok := want.(map[string]any)
		if !ok {
			return fmt.Sprintf("got %s, want %v", v.Text(), want)
		}
		one := vector.NewConstant(v, 1)
		for i, name := range v.Type.Nested.Fields {
			if d := differs(vector.UnpackField(one, nil, i).Value(0), object[name]); d != "" {
				return fmt.Sprintf("field %s: %s", name, d)
			}
		}
		return ""
	}
	return scalarDiffers(v, want)
}

func scalarDiffers(v vector.Value, want any) string {
	got, text := v.Text(), strings.TrimSuffix(fmt.Sprint(want), "+00")
	a, aerr := strconv.ParseFloat(got, 64)
	b, berr := strconv.ParseFloat(text, 64)
	switch {
	case got == text, strings.HasPrefix(text, got) && v.Type.IsTemporal(), strings.HasPrefix(got, text) && v.Type.IsTemporal():
		return ""
	case aerr == nil && berr == nil && math.Abs(a-b) <= 1e-6*math.Abs(b):
		return ""
	case v.Type.Kind == sqltype.Boolean && (got == "1") == (text == "true"):
		return ""
	case v.Type.IsString() && text != want: // JSON, which DuckDB prints as a tree
		return ""
	case v.Type.Kind == sqltype.Binary:
		return ""
	}
	return fmt.Sprintf("got %s, want %s", got, text)
}

// TestNestedWindows reads the nested columns of a file in windows of every small size, from
// every start, and by picking rows: all must give the rows of the whole.
func TestNestedWindows(t *testing.T) {
	paths, _ := filepath.Glob(filepath.Join(dataDir, "*nested*.parquet"))
	more, _ := filepath.Glob(filepath.Join(dataDir, "*", "*nested*.parquet"))
	if paths = append(paths, more...); len(paths) == 0 {
		t.Skip("no conformance files: ../shared/data is absent")
	}
	for _, path := range paths {
		s, err := NewSource(storage.OSFS{}, []string{path}, nil)
		if err != nil {
			continue
		}
		for i, c := range s.Columns() {
			if !c.Type.IsNested() {
				continue
			}
			whole, err := readColumnValues(t, s, i)
			if err != nil {
				t.Fatal(err)
			}
			for size := 1; size < 5; size++ {
				at := 0
				err := scan(t, s, &storage.ScanRequest{Columns: []int{i}, Limit: -1, BatchRows: size, Filters: []storage.Filter{{Columns: []int{i}, New: everyOther}}}, func(b *vector.Batch) {
					for k := range b.NumRows() {
						v := b.Cols[0].Value(b.Row(k))
						for at < len(whole) && valueText(whole[at]) != valueText(v) {
							at++
						}
						if at == len(whole) {
							t.Errorf("%s %s: a row of windows of %d is not in the whole", path, c.Name, size)
						}
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// everyOther keeps each second row of a batch.
func everyOther() (storage.FilterFunc, error) {
	var out []int32
	return func(_ []*vector.Vector, n int, sel []int32) ([]int32, error) {
		out = out[:0]
		if sel == nil {
			for i := 0; i < n; i += 2 {
				out = append(out, int32(i))
			}
			return out, nil
		}
		for i := 0; i < len(sel); i += 2 {
			out = append(out, sel[i])
		}
		return out, nil
	}, nil
}
