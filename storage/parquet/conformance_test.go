package parquet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/parquet-go/parquet-go"
)

// dataDir holds real files with expectations; a plain clone has none.
const dataDir = "../../../shared/data/parquet"

type expectation struct {
	Expect  string
	Rows    *int64
	Columns []struct {
		Name, Type    string
		Nulls         int64
		Trues         *int64
		Min, Max, Sum *string
		Elements      *string
	}
	Sample []any // objects by column name; text where a value has no JSON form
}

// exceptions are files where one of the references is known to be wrong, and why.
var exceptions = map[string]string{
	"corrupt_stats.parquet":                     "the statistics lie, for tests of readers that believe them",
	"alltypes_agg_bitpacked_def_levels.parquet": "DuckDB has no BIT_PACKED levels, and neither has parquet-go",
	"dateless_timestamps.parquet":               "DuckDB takes the Julian day for unsigned",
	"out_of_range_time_of_day.parquet":          "DuckDB rounds -1 nanosecond of the day towards zero",
	"rle_encoded_bool.parquet":                  "parquet-go decodes these RLE booleans wrongly; the number of trues is checked",
	"lz4_raw_compressed_larger.parquet":         "parquet-go returns empty strings",
	"AvroSingleFieldGroupInList.parquet":        "DuckDB takes a repeated group named array for the middle of a three-level list",
	"ThriftSingleFieldGroupInList.parquet":      "DuckDB takes a repeated group named _tuple for the middle of a three-level list",
}

// corpus calls f for every file of the corpus.
func corpus(t *testing.T, f func(t *testing.T, path string, want expectation)) {
	t.Helper()
	if _, err := os.Stat(dataDir); err != nil {
		t.Skip("no conformance files: ../shared/data is absent")
	}
	n := 0
	err := filepath.WalkDir(dataDir, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		rel, _ := filepath.Rel(dataDir, path)
		b, err := os.ReadFile(filepath.Join(dataDir, "expected", rel+".json"))
		if err != nil {
			return err
		}
		var want expectation
		if err := json.Unmarshal(b, &want); err != nil {
			return fmt.Errorf("%s: %w", rel, err)
		}
		n++
		t.Run(rel, func(t *testing.T) { f(t, path, want) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 200 {
		t.Errorf("only %d files", n)
	}
}

// readAll reads every readable column of a file, each alone.
func readAll(t testing.TB, path string) (*Source, map[string][]vector.Value, error) {
	s, err := NewSource(storage.OSFS{}, []string{path}, nil)
	if err != nil {
		return nil, nil, err
	}
	out := map[string][]vector.Value{}
	for i, c := range s.Columns() {
		vals, err := readColumnValues(t, s, i)
		if sqlerr.Is(err, sqlerr.NotSupported) && c.Comment != "" {
			continue
		}
		if err != nil {
			return s, nil, err
		}
		out[c.Name] = vals
	}
	return s, out, nil
}

func readColumnValues(t testing.TB, s *Source, i int) ([]vector.Value, error) {
	var vals []vector.Value
	err := scan(t, s, &storage.ScanRequest{Columns: []int{i}, Limit: -1}, func(b *vector.Batch) {
		for k := range b.NumRows() {
			vals = append(vals, b.Cols[0].Value(b.Row(k)))
		}
	})
	return vals, err
}

// TestConformance reads the corpus and compares with parquet-go and with what DuckDB said.
func TestConformance(t *testing.T) {
	compared, checked := 0, 0
	corpus(t, func(t *testing.T, path string, want expectation) {
		s, cols, err := readAll(t, path)
		if err != nil {
			var e *sqlerr.Error
			if !errors.As(err, &e) || e.Code == sqlerr.Internal {
				t.Errorf("not an error for users: %v", err)
			}
			if !strings.Contains(err.Error(), filepath.Base(path)) {
				t.Errorf("the error does not name the file: %v", err)
			}
		}
		switch {
		case strings.HasPrefix(want.Expect, "must error or"):
			return
		case (want.Expect == "error" || strings.HasPrefix(want.Expect, "must error")) && !isException(path, "BIT_PACKED"):
			if err == nil && len(cols) == len(s.Columns()) { // what is wrong may be a nested column

				t.Errorf("read without an error")
			}
			return
		case strings.HasPrefix(want.Expect, "malformed") || strings.HasPrefix(want.Expect, "row groups 1-2 are lies"):
			t.Log(err)
			return
		case err != nil:
			t.Errorf("expected %q: %v", want.Expect, err)
			return
		}
		compared += compareParquetGo(t, path, s, cols)
		if isException(path, "BIT_PACKED") {
			return
		}
		checked += compareExpected(t, s, cols, want)
	})
	t.Logf("columns compared with parquet-go: %d, with expectations: %d", compared, checked)
	if compared < 900 || checked < 900 {
		t.Errorf("compared %d columns with parquet-go, %d with expectations", compared, checked)
	}
}

// isException reports a file whose exception mentions word.
func isException(path, word string) bool {
	return strings.Contains(exceptions[filepath.Base(path)], word)
}

func compareParquetGo(t *testing.T, path string, s *Source, cols map[string][]vector.Value) (n int) {
	leaves := s.files[0].leaves
	for i := range leaves {
		l := &leaves[i]
		got, ok := cols[l.Name]
		if !ok || l.nested != nil { // see TestNestedConformance
			continue
		}
		want, err := referenceColumn(path, l.index)
		if err != nil {
			t.Logf("parquet-go cannot read %s: %v", l.Name, err)
			continue
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d rows, parquet-go %d", l.Name, len(got), len(want))
			continue
		}
		n++
		for k := range got {
			if g, w := valueText(got[k]), referenceText(l, want[k]); g != w && !isException(path, "parquet-go") {
				t.Errorf("%s %s row %d: got %s, parquet-go %s", l.Name, l.Type, k, g, w)
				break
			}
		}
	}
	return n
}

// referenceColumn reads a leaf through parquet-go.
func referenceColumn(path string, leaf int) (out []parquet.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	st, _ := file.Stat()
	f, err := parquet.OpenFile(file, st.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	return referenceValues(f, leaf)
}

func referenceValues(f *parquet.File, leaf int) (out []parquet.Value, err error) {
	for _, g := range f.RowGroups() {
		pages := g.ColumnChunks()[leaf].Pages()
		defer pages.Close()
		for {
			p, err := pages.ReadPage()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			vals := make([]parquet.Value, p.NumValues())
			n, err := p.Values().ReadValues(vals)
			if err != nil && err != io.EOF {
				return nil, err
			}
			for _, v := range vals[:n] {
				out = append(out, v.Clone())
			}
		}
	}
	return out, nil
}

// valueText is a value in a form that both sides can make.
func valueText(v vector.Value) string {
	if v.Null {
		return "NULL"
	}
	switch v.Type.Physical() {
	case sqltype.PhysFloat32:
		return strconv.FormatUint(uint64(math.Float32bits(float32(v.F))), 16)
	case sqltype.PhysFloat64:
		return strconv.FormatUint(math.Float64bits(v.F), 16)
	case sqltype.PhysString:
		return strconv.Quote(v.S)
	}
	return v.I.String()
}

// referenceText converts a stored value slowly and obviously.
func referenceText(l *leaf, v parquet.Value) string {
	if v.IsNull() {
		return "NULL"
	}
	switch v.Kind() {
	case parquet.Boolean:
		if v.Boolean() {
			return "1"
		}
		return "0"
	case parquet.Int96:
		x := v.Int96()
		nanos := int64(uint64(x[1])<<32 | uint64(x[0]))
		z := new(big.Int).Mul(big.NewInt(int64(int32(x[2]))-2440588), big.NewInt(86400e6))
		z.Add(z, new(big.Int).Div(big.NewInt(nanos), big.NewInt(1000)))
		return strconv.FormatInt(int64(new(big.Int).And(z, new(big.Int).SetUint64(math.MaxUint64)).Uint64()), 10)
	case parquet.Float:
		return strconv.FormatUint(uint64(math.Float32bits(v.Float())), 16)
	case parquet.Double:
		return strconv.FormatUint(math.Float64bits(v.Double()), 16)
	case parquet.Int32, parquet.Int64:
		x := v.Int64()
		if v.Kind() == parquet.Int32 {
			x = int64(v.Int32())
		}
		switch l.conv {
		case convUint8To16:
			x = int64(uint8(x))
		case convUint16To32:
			x = int64(uint16(x))
		case convUint32To64:
			x = int64(uint32(x))
		case convUint64To128:
			return strconv.FormatUint(uint64(x), 10)
		}
		switch {
		case l.Type.Scale == 3 && l.Type.Kind != sqltype.Decimal:
			return strconv.FormatInt(x*1000, 10)
		case l.elem.logical.unit == unitNanos:
			return new(big.Int).Div(big.NewInt(x), big.NewInt(1000)).String()
		}
		return strconv.FormatInt(x, 10)
	}
	b := v.ByteArray()
	switch {
	case l.Type.Kind == sqltype.Decimal:
		z := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0] >= 0x80 {
			z.Sub(z, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		return z.String()
	case l.Type.Kind == sqltype.Float:
		return strconv.FormatUint(uint64(math.Float32bits(slowHalf(uint16(b[0])|uint16(b[1])<<8))), 16)
	case l.conv == convUUID:
		return fmt.Sprintf("\"%x-%x-%x-%x-%x\"", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	}
	return strconv.Quote(string(b))
}

func slowHalf(h uint16) float32 {
	sign := float64(1)
	if h>>15 != 0 {
		sign = -1
	}
	exp, frac := int(h>>10&31), float64(h&1023)
	switch exp {
	case 31:
		if frac == 0 {
			return float32(math.Inf(int(sign)))
		}
		return math.Float32frombits(uint32(h>>15)<<31 | 0xff<<23 | uint32(h&1023)<<13)
	case 0:
		return float32(math.Copysign(frac*math.Pow(2, -24), sign))
	}
	return float32(sign * (1 + frac/1024) * math.Pow(2, float64(exp-15)))
}

// compareExpected checks rows, nulls, bounds and sums against the expectation.
func compareExpected(t *testing.T, s *Source, cols map[string][]vector.Value, want expectation) (n int) {
	for name, vals := range cols {
		if want.Rows != nil && int64(len(vals)) != *want.Rows {
			t.Errorf("%s: %d rows, want %d", name, len(vals), *want.Rows)
		}
	}
	for _, w := range want.Columns {
		vals, ok := cols[w.Name]
		if !ok || len(vals) > 0 && vals[0].Type.IsNested() {
			continue
		}
		n++
		nulls := int64(0)
		var lo, hi *vector.Value
		var sum int128.Int
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
			sum = sum.Add(v.I)
		}
		if nulls != w.Nulls {
			t.Errorf("%s: %d nulls, want %d", w.Name, nulls, w.Nulls)
		}
		check := func(what string, v *vector.Value, text *string) {
			if v == nil || text == nil || strings.HasSuffix(w.Type, "WITH TIME ZONE") && v.Type.Kind == sqltype.Time {
				return
			}
			if got, ok := displayed(*v, w.Type); ok && strings.TrimPrefix(got, "0") != strings.TrimPrefix(*text, "0") && !isException(s.files[0].path, "DuckDB") {
				t.Errorf("%s %s (%s): %s %q, want %q", w.Name, w.Type, v.Type, what, got, *text)
			}
		}
		check("min", lo, w.Min)
		check("max", hi, w.Max)
		if w.Sum != nil && lo != nil && (lo.Type.IsInteger() || lo.Type.Kind == sqltype.Decimal) {
			if got := string(int128.AppendDecimal(nil, sum, int(lo.Type.Scale))); strings.TrimPrefix(got, "0") != strings.TrimPrefix(*w.Sum, "0") {
				t.Errorf("%s: sum %s, want %s", w.Name, got, *w.Sum)
			}
		}
		if w.Trues != nil && sum != int128.FromInt64(*w.Trues) {
			t.Errorf("%s: %s trues, want %d", w.Name, sum, *w.Trues)
		}
		if !isException(s.files[0].path, "statistics lie") {
			checkStats(t, s, w.Name, lo, hi, nulls)
		}
	}
	return n
}

// checkStats makes sure that the bounds and the null count of the statistics hold.
func checkStats(t *testing.T, s *Source, name string, lo, hi *vector.Value, nulls int64) {
	for i, c := range s.Columns() {
		st := &s.Stats().Columns[i]
		if c.Name == name && st.Nulls >= 0 && st.Nulls != nulls {
			t.Errorf("%s: %d nulls, the statistics say %d", name, nulls, st.Nulls)
		}
		if c.Name != name || lo == nil || st.Min == nil {
			continue
		}
		if lo.Compare(*st.Min) < 0 && lo.F == lo.F || hi.Compare(*st.Max) > 0 && hi.F == hi.F {
			t.Errorf("%s: values %s..%s lie outside of the statistics %s..%s", name, valueText(*lo), valueText(*hi), valueText(*st.Min), valueText(*st.Max))
		}
	}
}

// displayed is a value as the expectations print it; ok is false where they differ by design.
func displayed(v vector.Value, typ string) (string, bool) {
	switch {
	case v.Type.Kind == sqltype.Boolean:
		return strconv.FormatBool(v.I.Lo != 0), true
	case v.Type.IsInteger():
		return v.I.String(), true
	case v.Type.Kind == sqltype.Decimal:
		return string(int128.AppendDecimal(nil, v.I, int(v.Type.Scale))), true
	case v.Type.IsString() && typ == "VARCHAR":
		return v.S, true
	case v.Type.Kind == sqltype.Date:
		d := time.Unix(v.Int64()*86400, 0).UTC()
		return d.Format("2006-01-02"), d.Year() > 0 && d.Year() < 10000
	case v.Type.Kind == sqltype.DateTime && typ == "TIMESTAMP":
		d := time.UnixMicro(v.Int64()).UTC()
		return d.Format("2006-01-02 15:04:05.999999"), d.Year() > 0
	}
	return "", false
}
