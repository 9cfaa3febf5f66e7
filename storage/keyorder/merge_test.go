package keyorder

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

var (
	bigType  = sqltype.T(sqltype.BigInt)
	textType = sqltype.VarcharOf(0)
)

// row is two keys and four values; nil is NULL.
type row [6]*string

var rowTypes = []sqltype.Type{bigType, textType, bigType, textType, textType, textType}

var rowMerging = &Merging{Keys: []int{0, 1}, Columns: []function.Aggregation{0, 0, function.SumAggregation, function.MinAggregation,
	function.ReplaceAggregation, function.ReplaceIfNotNullAggregation}}

func (r row) value(c int) vector.Value {
	if r[c] == nil {
		return vector.NullOf(rowTypes[c])
	}
	if rowTypes[c] == bigType {
		var n int64
		fmt.Sscan(*r[c], &n)
		return vector.IntValue(bigType, n)
	}
	return vector.StringValue(textType, *r[c])
}

func (r row) String() string {
	var parts []string
	for c := range r {
		if r[c] == nil {
			parts = append(parts, "NULL")
		} else {
			parts = append(parts, *r[c])
		}
	}
	return strings.Join(parts, "|")
}

// rowReader gives rows in batches of random sizes, some with a selection.
type rowReader struct {
	rows   []row
	rand   *rand.Rand
	closed int
}

func (r *rowReader) Next(context.Context) (*vector.Batch, error) {
	if len(r.rows) == 0 {
		return nil, nil
	}
	n := 1 + r.rand.IntN(min(len(r.rows), 700))
	b := &vector.Batch{Len: n}
	at := make([]int32, n)
	if r.rand.IntN(2) == 0 { // every row behind one that is not live
		b.Len, b.Sel = 2*n, make([]int32, n)
		for i := range n {
			at[i], b.Sel[i] = int32(2*i+1), int32(2*i+1)
		}
	} else {
		for i := range n {
			at[i] = int32(i)
		}
	}
	for c, t := range rowTypes {
		v := vector.New(t, b.Len)
		for i := range n {
			v.SetValue(int(at[i]), r.rows[i].value(c))
		}
		b.Cols = append(b.Cols, v)
	}
	r.rows = r.rows[n:]
	return b, nil
}

func (r *rowReader) Close() { r.closed++ }

func less(a, b row) int {
	for c := range 2 {
		x, y := a.value(c), b.value(c)
		switch {
		case x.Null && y.Null:
			continue
		case x.Null:
			return -1
		case y.Null:
			return 1
		}
		if d := x.Compare(y); d != 0 {
			return d
		}
	}
	return 0
}

// merged is what rows, in the order that they count as added, become.
func merged(rows []row) []string {
	byKey := map[string]*row{}
	var keys []string
	for _, r := range rows {
		k := row{r[0], r[1]}.String()
		m := byKey[k]
		if m == nil {
			c := r
			byKey[k] = &c
			keys = append(keys, k)
			continue
		}
		if r[2] != nil {
			sum := r.value(2).Int64()
			if m[2] != nil {
				sum += m.value(2).Int64()
			}
			text := fmt.Sprint(sum)
			m[2] = &text
		}
		if r[3] != nil && (m[3] == nil || *r[3] < *m[3]) {
			m[3] = r[3]
		}
		m[4] = r[4]
		if r[5] != nil {
			m[5] = r[5]
		}
	}
	var out []row
	for _, k := range keys {
		out = append(out, *byKey[k])
	}
	slices.SortFunc(out, less)
	texts := make([]string, len(out))
	for i := range out {
		texts[i] = out[i].String()
	}
	return texts
}

func randomRow(r *rand.Rand, keys int) row {
	text := func(s string) *string { return &s }
	var out row
	if r.IntN(10) > 0 {
		out[0] = text(fmt.Sprint(r.IntN(keys) - keys/2))
	}
	if r.IntN(10) > 0 {
		out[1] = text(strings.Repeat("key ", r.IntN(2)*5) + fmt.Sprint(r.IntN(3)))
	}
	for c := 2; c < 6; c++ {
		if r.IntN(4) > 0 {
			out[c] = text(fmt.Sprint(r.IntN(1000)))
			if c > 2 && r.IntN(3) == 0 {
				out[c] = text("a rather long value " + *out[c])
			}
		}
	}
	return out
}

func drain(t *testing.T, rd storage.Reader) []string {
	t.Helper()
	var out []string
	for {
		b, err := rd.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return out
		}
		for i := range b.NumRows() {
			var parts []string
			for _, c := range b.Cols {
				if c.IsNull(b.Row(i)) {
					parts = append(parts, "NULL")
				} else {
					parts = append(parts, c.Value(b.Row(i)).Text())
				}
			}
			out = append(out, strings.Join(parts, "|"))
		}
	}
}

// TestMerge merges random inputs, some of which hold a key more than once, and compares with a map.
func TestMerge(t *testing.T) {
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 7))
		unique := r.IntN(2) == 0
		keys := 1 + r.IntN(1+int(seed)*5)
		var all []row
		var readers []storage.Reader
		var own []*rowReader
		for range 1 + r.IntN(6) {
			var rows []row
			seen := map[string]bool{}
			for range r.IntN(3 * keys) {
				x := randomRow(r, keys)
				if k := (row{x[0], x[1]}).String(); !unique || !seen[k] {
					seen[k] = true
					rows = append(rows, x)
				}
			}
			slices.SortStableFunc(rows, less)
			all = append(all, rows...)
			own = append(own, &rowReader{rows: rows, rand: r})
			readers = append(readers, own[len(own)-1])
		}
		m := *rowMerging
		m.Unique = unique
		rd, err := NewMerger(readers, rowTypes, []Key{{Column: 0}, {Column: 1}}, &m)
		if err != nil {
			t.Fatal(err)
		}
		got, want := drain(t, rd), merged(all)
		rd.Close()
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %d rows, want %d", seed, len(got), len(want))
		}
		for i, o := range own {
			if o.closed == 0 {
				t.Errorf("seed %d: input %d was not closed", seed, i)
			}
		}
	}
}

// TestMergeKeepsRows: without Merging every row stays, equal ones in the order of the inputs.
func TestMergeKeepsRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []row
	var readers []storage.Reader
	for range 5 {
		var rows []row
		for range 3000 {
			rows = append(rows, randomRow(r, 40))
		}
		slices.SortStableFunc(rows, less)
		all = append(all, rows...)
		readers = append(readers, &rowReader{rows: rows, rand: r})
	}
	rd, err := NewMerger(readers, rowTypes, []Key{{Column: 0}, {Column: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sort.SliceStable(all, func(i, j int) bool { return less(all[i], all[j]) < 0 })
	got := drain(t, rd)
	for i := range all {
		if len(got) != len(all) || got[i] != all[i].String() {
			t.Fatalf("row %d of %d (want %d) is wrong", i, len(got), len(all))
		}
	}
}

// TestMatch compares the pairs of random inputs with a map.
func TestMatch(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 9))
		sides := make([]map[string]row, 2)
		readers := make([]storage.Reader, 2)
		for i := range sides {
			sides[i] = map[string]row{}
			var rows []row
			for range r.IntN(1 + r.IntN(5000)) {
				x := randomRow(r, 1+int(seed)*20)
				k := (row{x[0], x[1]}).String()
				if _, there := sides[i][k]; !there {
					sides[i][k] = x
					rows = append(rows, x)
				}
			}
			slices.SortStableFunc(rows, less)
			readers[i] = &rowReader{rows: rows, rand: r}
		}
		var want, got []string
		for k, a := range sides[0] {
			if b, ok := sides[1][k]; ok {
				want = append(want, a.String()+" "+b.String())
			}
		}
		text := func(cols []*vector.Vector, i int) string {
			var parts []string
			for _, c := range cols {
				if c.IsNull(i) {
					parts = append(parts, "NULL")
				} else {
					parts = append(parts, c.Value(i).Text())
				}
			}
			return strings.Join(parts, "|")
		}
		err := Match(context.Background(), readers[0], readers[1], rowTypes, 2, func(a []*vector.Vector, i int, b []*vector.Vector, j int) {
			got = append(got, text(a, i)+" "+text(b, j))
		})
		slices.Sort(got)
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d: %v: %d pairs, want %d", seed, err, len(got), len(want))
		}
	}
}
