package orc

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// dataDir holds real files with expectations; a plain clone has none.
const dataDir = "../../../shared/data/orc"

type expectation struct {
	Expect   string
	Rows     *int64
	Contents string
	Columns  []expectedColumn
}

type expectedColumn struct {
	Path, Type    string
	Count, Nulls  int64
	Trues         *int64
	Bytes         *int64
	Min, Max, Sum *string
}

// TestConformance reads the corpus: every row where an expectation has the contents, and
// counts, bounds and sums of every scalar column.
func TestConformance(t *testing.T) {
	if _, err := os.Stat(dataDir); err != nil {
		t.Skip("no conformance files: ../shared/data is absent")
	}
	conformFolder(t, dataDir, "ORC", 90, func(rel string) bool { return strings.HasSuffix(rel, ".orc") })
	conformFolder(t, filepath.Join(dataDir, "..", "tables"), "ORC tables", 20, func(rel string) bool {
		return strings.HasSuffix(rel, ".orc") || rel == filepath.Join("airports_orc", "000000_0")
	})
}

// conformFolder checks the files of a folder that want chooses, at least least of them.
func conformFolder(t *testing.T, dir, name string, least int, want func(rel string) bool) {
	files, good := 0, 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if !want(rel) {
			return nil
		}
		b, err := os.ReadFile(filepath.Join(dir, "expected", rel+".json"))
		if err != nil {
			return err
		}
		var want expectation
		if err := json.Unmarshal(b, &want); err != nil {
			return fmt.Errorf("%s: %w", rel, err)
		}
		files++
		if t.Run(rel, func(t *testing.T) { conform(t, dir, rel, want) }) {
			good++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%s: %d of %d\n", name, good, files)
	if files < least {
		t.Errorf("only %d files in %s", files, dir)
	}
}

func conform(t *testing.T, dir, rel string, want expectation) {
	path := filepath.Join(dir, rel)
	s, err := NewSource(storage.OSFS{}, []string{path}, nil)
	var cols map[string][]vector.Value
	if err == nil && (want.Contents != "" || want.Expect != "read") {
		cols, err = readColumns(t, s)
	}
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
	case want.Expect == "error" || strings.HasPrefix(want.Expect, "must error"):
		if err == nil {
			t.Error("read without an error")
		}
		return
	case strings.HasPrefix(want.Expect, "error or empty") || strings.Contains(want.Expect, "or refuse"):
		t.Logf("%q: %v", want.Expect, err)
		return
	case err != nil:
		t.Errorf("expected %q: %v", want.Expect, err)
		return
	}
	if want.Rows != nil && s.files[0].Rows() != *want.Rows {
		t.Errorf("%d rows, want %d", s.files[0].Rows(), *want.Rows)
	}
	if want.Contents != "" {
		rows := readContents(t, filepath.Join(dir, "expected", filepath.Dir(rel), want.Contents))
		compareRows(t, s, cols, rows)
	}
	compareColumns(t, s, want)
}

// readColumns reads every column, each alone.
func readColumns(t testing.TB, s *Source) (map[string][]vector.Value, error) {
	out := map[string][]vector.Value{}
	for i, c := range s.Columns() {
		vals := []vector.Value{}
		err := scan(t, s, &storage.ScanRequest{Columns: []int{i}, Limit: -1}, func(b *vector.Batch) {
			for k := range b.NumRows() {
				vals = append(vals, b.Cols[0].Value(b.Row(k)))
			}
		})
		if err != nil {
			return nil, err
		}
		out[c.Name] = vals
	}
	return out, nil
}

// scan calls f with every batch of a request.
func scan(t testing.TB, s storage.Source, req *storage.ScanRequest, f func(*vector.Batch)) error {
	t.Helper()
	ctx := context.Background()
	splits, err := s.Splits(ctx, req)
	if err != nil {
		return err
	}
	for _, sp := range splits {
		r, err := s.Open(ctx, sp, req)
		if err != nil {
			return err
		}
		for {
			b, err := r.Next(ctx)
			if err != nil {
				r.Close()
				return err
			}
			if b == nil {
				break
			}
			f(b)
		}
		r.Close()
	}
	return nil
}

func readContents(t *testing.T, path string) []map[string]any {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	r := bufio.NewReader(z)
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return out
		}
		d := json.NewDecoder(bytes.NewReader(bareFloat.ReplaceAll(line, []byte(`: "$1"`))))
		d.UseNumber()
		var row any
		if err := d.Decode(&row); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		m, ok := row.(map[string]any)
		if !ok {
			m = map[string]any{"_col0": row}
		}
		out = append(out, m)
	}
}

// bareFloat are floats that JSON has no words for, as the tool prints them.
var bareFloat = regexp.MustCompile(`: (-?(?:nan|inf))\b`)

func compareRows(t *testing.T, s *Source, cols map[string][]vector.Value, rows []map[string]any) {
	f := s.files[0]
	for i := range f.columns {
		c := &f.columns[i]
		vals := cols[c.Name]
		if len(vals) != len(rows) {
			t.Errorf("%s: %d rows, want %d", c.Name, len(vals), len(rows))
			continue
		}
		for k, row := range rows {
			want, ok := row[c.Name]
			if !ok {
				t.Errorf("row %d has no %s", k, c.Name)
				break
			}
			if msg := differ(f.types, c.id, vals[k], want); msg != "" {
				t.Errorf("row %d, column %s %s: %s", k, c.Name, c.Type, msg)
				break
			}
		}
	}
}

// differ compares a value with its JSON; "" when they are equal.
func differ(types []typeMeta, id uint32, v vector.Value, want any) string {
	x := &types[id]
	if v.Null || want == nil {
		if v.Null != (want == nil) {
			return fmt.Sprintf("got %s, want %v", v.Text(), want)
		}
		return ""
	}
	switch x.kind {
	case kindStruct, kindUnion, kindList, kindMap:
		return differNested(types, x, v, want)
	}
	got, exp := displayed(x, v), fmt.Sprint(want)
	switch x.kind {
	case kindFloat, kindDouble:
		w, err := strconv.ParseFloat(exp, 64)
		tolerance := 1e-12
		if x.kind == kindFloat {
			tolerance = 1e-6
		}
		if err == nil && (math.Abs(w-v.F) <= tolerance*math.Abs(w) || w != w && v.F != v.F || w == v.F) {
			return ""
		}
	case kindBinary:
		var b []string
		for _, c := range []byte(v.S) {
			b = append(b, strconv.Itoa(int(c)))
		}
		got = "[" + strings.Join(b, " ") + "]"
	case kindDecimal:
		if x.precision == 0 && strings.HasPrefix(got, exp) {
			return "" // the tool has six digits of decimals without a precision
		}
		a, ok1 := new(big.Rat).SetString(got)
		b, ok2 := new(big.Rat).SetString(exp)
		if ok1 && ok2 && a.Cmp(b) == 0 {
			return ""
		}
	case kindChar:
		exp = strings.TrimRight(exp, " ")
	case kindTimestamp, kindTimestampInstant:
		exp = strings.TrimSuffix(exp, " UTC")
		exp = strings.TrimSuffix(exp, " GMT")
		whole, fraction, _ := strings.Cut(exp, ".")
		if len(fraction) > 6 {
			fraction = fraction[:6]
		}
		exp = whole
		if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
			exp += "." + fraction
		}
	}
	if got != exp {
		return fmt.Sprintf("got %s, want %s", got, exp)
	}
	return ""
}

// displayed is a scalar as the expectations print it.
func displayed(x *typeMeta, v vector.Value) string {
	switch {
	case v.Type.Kind == sqltype.Boolean:
		return strconv.FormatBool(v.I.Lo != 0)
	case v.Type.IsTemporal():
		text := strings.TrimLeft(v.Text(), "0")
		if strings.HasPrefix(text, "-") {
			text = "0" + text
		}
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		return text
	}
	return v.Text()
}

func differNested(types []typeMeta, x *typeMeta, v vector.Value, want any) string {
	field := func(f *vector.Fields, k int) vector.Value {
		one := vector.New(v.Type.Nested.Elems[k], 1)
		f.StoreTo(k, one, 0)
		return one.Value(0)
	}
	element := func(e *vector.Elements, k int) vector.Value {
		one := vector.New(e.Type, 1)
		e.StoreTo(k, one, 0)
		return one.Value(0)
	}
	switch x.kind {
	case kindStruct:
		f := vector.DecodeStruct(v.Type, []byte(v.S))
		m := want.(map[string]any)
		for k, id := range x.children {
			if msg := differ(types, id, field(&f, k), m[x.names[k]]); msg != "" {
				return x.names[k] + ": " + msg
			}
		}
	case kindUnion:
		f := vector.DecodeStruct(v.Type, []byte(v.S))
		m := want.(map[string]any)
		tag, _ := strconv.Atoi(fmt.Sprint(m["tag"]))
		for k, id := range x.children {
			w := any(nil)
			if k == tag {
				w = m["value"]
			}
			if msg := differ(types, id, field(&f, k), w); msg != "" {
				return fmt.Sprintf("tag %d: %s", k, msg)
			}
		}
	case kindList:
		e := vector.DecodeElements(v.Type.Nested.Elems[0], []byte(v.S))
		l := want.([]any)
		if e.N != len(l) {
			return fmt.Sprintf("%d elements, want %d", e.N, len(l))
		}
		for k := range l {
			if msg := differ(types, x.children[0], element(&e, k), l[k]); msg != "" {
				return fmt.Sprintf("[%d]: %s", k, msg)
			}
		}
	case kindMap:
		keys, values := vector.DecodeMap(v.Type, []byte(v.S))
		l := want.([]any)
		if keys.N != len(l) {
			return fmt.Sprintf("%d entries, want %d", keys.N, len(l))
		}
		for k := range l {
			m := l[k].(map[string]any)
			if msg := differ(types, x.children[0], element(&keys, k), m["key"]); msg != "" {
				return fmt.Sprintf("key %d: %s", k, msg)
			}
			if msg := differ(types, x.children[1], element(&values, k), m["value"]); msg != "" {
				return fmt.Sprintf("value %d: %s", k, msg)
			}
		}
	}
	return ""
}

// compareColumns checks counts, bounds and sums of the top-level scalar columns.
func compareColumns(t *testing.T, s *Source, want expectation) {
	f := s.files[0]
	for _, w := range want.Columns {
		for i := range f.columns {
			c := &f.columns[i]
			if c.Name == w.Path && !c.Type.IsNested() {
				compareColumn(t, s, i, w)
			}
		}
	}
}

func compareColumn(t *testing.T, s *Source, ordinal int, w expectedColumn) {
	f := s.files[0]
	c := &f.columns[ordinal]
	x := &f.types[c.id]
	var total columnTotals
	err := scan(t, s, &storage.ScanRequest{Columns: []int{ordinal}, Limit: -1}, func(b *vector.Batch) { total.add(b.Cols[0]) })
	if err != nil {
		t.Error(err)
	}
	nulls, trues, lo, hi, sum := total.nulls, total.trues, total.lo, total.hi, total.sum
	if nulls != w.Nulls || total.rows-nulls != w.Count {
		t.Errorf("%s: %d nulls of %d, want %d of %d", w.Path, nulls, total.rows, w.Nulls, w.Count+w.Nulls)
	}
	check := func(what string, v *vector.Value, text *string) {
		if v == nil || text == nil || x.kind == kindBinary {
			return
		}
		if msg := differ(f.types, c.id, *v, json.Number(*text)); msg != "" {
			t.Errorf("%s %s of %s: %s", what, w.Path, w.Type, msg)
		}
	}
	check("min", lo, w.Min)
	check("max", hi, w.Max)
	if w.Sum != nil && lo != nil && lo.Type.IsInteger() && sum.String() != *w.Sum {
		t.Errorf("%s: sum %s, want %s", w.Path, sum, *w.Sum)
	}
	if w.Trues != nil && trues != *w.Trues {
		t.Errorf("%s: %d trues, want %d", w.Path, trues, *w.Trues)
	}
	st := s.Stats().Columns[ordinal]
	if st.Nulls >= 0 && st.Nulls != nulls {
		t.Errorf("%s: %d nulls, the statistics say %d", w.Path, nulls, st.Nulls)
	}
	if lo != nil && st.Min != nil && (lo.Compare(*st.Min) < 0 || hi.Compare(*st.Max) > 0) {
		t.Errorf("%s: values %s..%s lie outside of the statistics %s..%s", w.Path, lo.Text(), hi.Text(), st.Min.Text(), st.Max.Text())
	}
}

// columnTotals are the aggregates of a column.
type columnTotals struct {
	rows, nulls, trues int64
	lo, hi             *vector.Value
	sum                int128.Int
}

func (a *columnTotals) value(v vector.Value, times int64) {
	if a.lo == nil || v.Compare(*a.lo) < 0 {
		a.lo = &v
	}
	if a.hi == nil || v.Compare(*a.hi) > 0 {
		a.hi = &v
	}
	product, _ := v.I.MulOK(int128.FromInt64(times))
	a.sum = a.sum.Add(product)
	a.trues += int64(v.I.Lo&1) * times
}

func (a *columnTotals) add(v *vector.Vector) {
	a.rows += int64(v.Len)
	counts := map[int32]int64{} // large files: a value once a batch
	for i := range v.Len {
		switch {
		case v.IsNull(i):
			a.nulls++
		case v.Form == vector.Dictionary:
			counts[v.Codes[i]]++
		case v.Type.Kind == sqltype.Int && v.Form == vector.Flat:
			counts[vector.Values[int32](v)[i]]++
		default:
			a.value(v.Value(i), 1)
		}
	}
	for c, n := range counts {
		if v.Form == vector.Dictionary {
			a.value(v.Dict.Value(int(c)), n)
		} else {
			a.value(vector.IntValue(v.Type, int64(c)), n)
		}
	}
}
