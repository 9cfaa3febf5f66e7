package partition

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

var (
	pruneInt  = sqltype.T(sqltype.Int)
	pruneDate = sqltype.T(sqltype.Date)
	pruneText = sqltype.VarcharOf(10)
)

func point(v int64) storage.Endpoint {
	return storage.Endpoint{Value: vector.IntValue(pruneInt, v)}
}

// text is a selection as "0 2[1 3]": partitions, with their buckets where not all are selected.
func selectionText(s *storage.Selection) string {
	out := ""
	for i, p := range s.Partitions {
		if i > 0 {
			out += " "
		}
		out += fmt.Sprint(p)
		if b, all := s.BucketsOf(i); !all {
			out += fmt.Sprint(b)
		}
	}
	return out
}

func leaf(op storage.Op, column int, values ...int64) storage.Predicate {
	p := storage.Predicate{Op: op, Column: column}
	for _, v := range values {
		p.Values = append(p.Values, vector.IntValue(pruneInt, v))
	}
	return p
}

func both(c ...storage.Predicate) storage.Predicate {
	return storage.Predicate{Op: storage.OpAnd, Children: c}
}

func any2(c ...storage.Predicate) storage.Predicate {
	return storage.Predicate{Op: storage.OpOr, Children: c}
}

func TestPruneRanges(t *testing.T) {
	cols := []storage.Column{{Name: "a", Type: pruneInt}, {Name: "b", Type: pruneInt}, {Name: "c", Type: pruneInt}}
	// [Min, 10) [10, 20) [20, 21) [30, 40) [40, MAX)
	one := &storage.Layout{Kind: storage.RangePartitions, Columns: []int{0}}
	for _, r := range [][2]storage.Endpoint{{{Min: true}, point(10)}, {point(10), point(20)}, {point(20), point(21)}, {point(30), point(40)}, {point(40), {Max: true}}} {
		one.Partitions = append(one.Partitions, storage.PartitionInfo{Bounds: storage.PartitionBounds{Lower: r[:1:1], Upper: r[1:]}})
	}
	check := func(l *storage.Layout, want string, preds ...storage.Predicate) {
		t.Helper()
		if got := selectionText(DefaultPruning.Prune(l, cols, nil, preds)); got != want {
			t.Errorf("%v: got %q, want %q", preds, got, want)
		}
	}
	check(one, "0 1 2 3 4")
	check(one, "1", leaf(storage.OpEq, 0, 10))
	check(one, "0", leaf(storage.OpLt, 0, 10))
	check(one, "0 1", leaf(storage.OpLe, 0, 10))
	check(one, "2 3 4", leaf(storage.OpGt, 0, 19)) // there is nothing between 19 and 20
	check(one, "3 4", leaf(storage.OpGt, 0, 20))
	check(one, "", leaf(storage.OpEq, 0, 25)) // a hole
	check(one, "0 2 4", leaf(storage.OpIn, 0, -5, 20, 25, 99))
	check(one, "0", leaf(storage.OpIsNull, 0))
	check(one, "0 1 2 3 4", leaf(storage.OpIsNotNull, 0))
	check(one, "0 1 3 4", leaf(storage.OpNe, 0, 20)) // a partition of one value
	check(one, "0 1 2 3 4", leaf(storage.OpNe, 0, 15))
	check(one, "1 3", any2(both(leaf(storage.OpGe, 0, 12), leaf(storage.OpLt, 0, 15)), leaf(storage.OpEq, 0, 33)))
	check(one, "", leaf(storage.OpGt, 0, 15), leaf(storage.OpLt, 0, 16))
	check(one, "", leaf(storage.OpEq, 0, 5), leaf(storage.OpEq, 0, 15))
	check(one, "0 1 2 3 4", any2(leaf(storage.OpEq, 0, 5), leaf(storage.OpEq, 1, 7))) // another column may be anything
	check(one, "0", any2(both(leaf(storage.OpEq, 0, 5), leaf(storage.OpEq, 1, 7)), leaf(storage.OpEq, 0, 6)))
	check(one, "1", both(leaf(storage.OpEq, 0, 15), leaf(storage.OpEq, 1, 7)))

	// (Min, Min)-(10, 5), (10, 5)-(10, 20), (10, 20)-(20, Min)
	two := &storage.Layout{Kind: storage.RangePartitions, Columns: []int{0, 1}}
	bounds := [][]storage.Endpoint{{{Min: true}, {Min: true}}, {point(10), point(5)}, {point(10), point(20)}, {point(20), {Min: true}}}
	for i := range 3 {
		two.Partitions = append(two.Partitions, storage.PartitionInfo{Bounds: storage.PartitionBounds{Lower: bounds[i], Upper: bounds[i+1]}})
	}
	check(two, "0 1 2", leaf(storage.OpEq, 0, 10))
	check(two, "0", leaf(storage.OpEq, 0, 9))
	check(two, "2", leaf(storage.OpEq, 0, 11))
	check(two, "", leaf(storage.OpEq, 0, 20))
	check(two, "1", leaf(storage.OpEq, 0, 10), leaf(storage.OpEq, 1, 5))
	check(two, "0", leaf(storage.OpEq, 0, 10), leaf(storage.OpLt, 1, 5))
	check(two, "2", leaf(storage.OpEq, 0, 10), leaf(storage.OpGe, 1, 20))
	check(two, "0", leaf(storage.OpEq, 0, 10), leaf(storage.OpIsNull, 1))
	check(two, "0 1", any2(both(leaf(storage.OpEq, 0, 10), leaf(storage.OpEq, 1, 5)), both(leaf(storage.OpEq, 0, 3), leaf(storage.OpEq, 1, 100))))
	check(two, "0 1 2", leaf(storage.OpEq, 1, 12)) // the leading column is no point
}

func TestPruneBuckets(t *testing.T) {
	cols := []storage.Column{{Name: "a", Type: pruneInt}, {Name: "b", Type: pruneInt}, {Name: "dt", Type: pruneInt}}
	l := &storage.Layout{Kind: storage.ListPartitions, Columns: []int{2}, Bucketing: &storage.Bucketing{Columns: []int{0, 1}, Trusted: true}}
	for i := range int64(3) {
		l.Partitions = append(l.Partitions, storage.PartitionInfo{Buckets: 7 + int(i), Bounds: storage.PartitionBounds{Values: [][]vector.Value{{vector.IntValue(pruneInt, i)}}}})
	}
	number := func(buckets int, a, b int64) int32 {
		return bucket.DorisCRC32.Number([]vector.Value{vector.IntValue(pruneInt, a), vector.IntValue(pruneInt, b)}, buckets)
	}
	check := func(want string, preds ...storage.Predicate) {
		t.Helper()
		if got := selectionText(DefaultPruning.Prune(l, cols, nil, preds)); got != want {
			t.Errorf("%v: got %q, want %q", preds, got, want)
		}
	}
	all := fmt.Sprintf("0[%d] 1[%d] 2[%d]", number(7, 3, 4), number(8, 3, 4), number(9, 3, 4))
	check(all, leaf(storage.OpEq, 0, 3), leaf(storage.OpEq, 1, 4))
	check("0 1 2", leaf(storage.OpEq, 0, 3)) // not every column
	check(fmt.Sprintf("1[%d]", number(8, 3, 4)), leaf(storage.OpEq, 0, 3), leaf(storage.OpEq, 1, 4), leaf(storage.OpEq, 2, 1))
	pair := []int32{number(8, 3, 4), number(8, 3, 5)}
	slices.Sort(pair)
	check(fmt.Sprintf("1%v", slices.Compact(pair)), leaf(storage.OpEq, 0, 3), leaf(storage.OpIn, 1, 4, 5), leaf(storage.OpEq, 2, 1))
	check(fmt.Sprintf("1%v", slices.Compact(pair)), leaf(storage.OpEq, 0, 3), leaf(storage.OpGe, 1, 4), leaf(storage.OpLe, 1, 5), leaf(storage.OpEq, 2, 1))
	// Each branch of an OR has its own partition and bucket.
	check(fmt.Sprintf("0[%d] 2[%d]", number(7, 1, 1), number(9, 2, 2)), any2(
		both(leaf(storage.OpEq, 2, 0), leaf(storage.OpEq, 0, 1), leaf(storage.OpEq, 1, 1)),
		both(leaf(storage.OpEq, 2, 2), leaf(storage.OpEq, 0, 2), leaf(storage.OpEq, 1, 2))))
	// More combinations than the limit.
	var many []int64
	for i := range int64(11) {
		many = append(many, i)
	}
	check("0 1 2", leaf(storage.OpIn, 0, many...), leaf(storage.OpIn, 1, many...))
	l.Bucketing.Trusted = false
	check("0 1 2", leaf(storage.OpEq, 0, 3), leaf(storage.OpEq, 1, 4))
	l.Bucketing.Trusted, l.Bucketing.Random = true, true
	check("0 1 2", leaf(storage.OpEq, 0, 3), leaf(storage.OpEq, 1, 4))
}

func TestPruneLists(t *testing.T) {
	cols := []storage.Column{{Name: "s", Type: pruneText}}
	l := &storage.Layout{Kind: storage.ListPartitions, Columns: []int{0}}
	for _, list := range [][]string{{"a", "ab"}, {"b"}, {"2024-01-31"}, {"2024-02-01", "NULL"}} {
		var b storage.PartitionBounds
		for _, s := range list {
			v := vector.StringValue(pruneText, s)
			if s == "NULL" {
				v = vector.NullOf(pruneText)
			}
			b.Values = append(b.Values, []vector.Value{v})
		}
		l.Partitions = append(l.Partitions, storage.PartitionInfo{Bounds: b})
	}
	check := func(want string, op storage.Op, values ...string) {
		t.Helper()
		p := storage.Predicate{Op: op}
		for _, s := range values {
			p.Values = append(p.Values, vector.StringValue(pruneText, s))
		}
		if got := selectionText(DefaultPruning.Prune(l, cols, nil, []storage.Predicate{p})); got != want {
			t.Errorf("%v: got %q, want %q", p, got, want)
		}
	}
	check("0", storage.OpPrefix, "a")
	check("2", storage.OpPrefix, "2024-01")
	check("2 3", storage.OpPrefix, "2024")
	check("0 1", storage.OpGt, "3")
	check("0 2 3", storage.OpNe, "b")
	check("3", storage.OpIsNull)
	check("1 3", storage.OpIn, "2024-02-01", "b", "zz")
}

// TestPruneRandom: rows that satisfy the conditions are in what pruning selects, whatever the layout. The router
// says where a row is.
func TestPruneRandom(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 5))
		kind := []storage.PartitionKind{storage.RangePartitions, storage.ListPartitions}[r.IntN(2)]
		width := 1 + r.IntN(2)
		cols := []storage.Column{{Type: pruneInt}, {Type: pruneInt}, {Type: pruneInt}}
		l := &storage.Layout{Kind: kind, Columns: []int{0, 1}[:width], Bucketing: &storage.Bucketing{Columns: []int{2, 0}[:1+r.IntN(2)], Trusted: true}}
		l.Partitions = randomPartitions(r, kind, width)
		types := []sqltype.Type{pruneInt, pruneInt}[:width]
		router := NewRouter(kind, types, l.Partitions)
		preds := []storage.Predicate{randomPredicate(r, 2)}
		if r.IntN(2) == 0 {
			preds = append(preds, randomPredicate(r, 1))
		}
		sel := DefaultPruning.Prune(l, cols, nil, preds)
		selected := map[int][]int32{}
		for i, p := range sel.Partitions {
			b, all := sel.BucketsOf(i)
			if all {
				b = nil
			} else if b == nil {
				b = []int32{}
			}
			selected[p] = b
		}
		n := 11 * 11 * 3
		vectors := []*vector.Vector{vector.New(pruneInt, n), vector.New(pruneInt, n), vector.New(pruneInt, n)}
		rows := make([][]vector.Value, n)
		for i := range n {
			rows[i] = []vector.Value{smallValue(int64(i % 11)), smallValue(int64(i / 11 % 11)), smallValue(int64(i / 121 * 4))}
			for c, v := range rows[i] {
				vectors[c].SetValue(i, v)
			}
		}
		place := make([]int32, n)
		router.Route(vectors[:width], n, nil, place, nil)
		for i, row := range rows {
			if place[i] < 0 || !satisfies(preds, row) {
				continue
			}
			buckets, ok := selected[int(place[i])]
			if !ok {
				t.Fatalf("seed %d: row %v of partition %d satisfies %v, selected is %s", seed, row, place[i], preds, selectionText(sel))
			}
			var tuple []vector.Value
			for _, c := range l.Bucketing.Columns {
				tuple = append(tuple, row[c])
			}
			if b := bucket.DorisCRC32.Number(tuple, l.Partitions[place[i]].Buckets); buckets != nil && !slices.Contains(buckets, b) {
				t.Fatalf("seed %d: row %v in bucket %d of partition %d satisfies %v, selected is %s", seed, row, b, place[i], preds, selectionText(sel))
			}
		}
	}
}

// smallValue is NULL for 0, else x-1.
func smallValue(x int64) vector.Value {
	if x == 0 {
		return vector.NullOf(pruneInt)
	}
	return vector.IntValue(pruneInt, x-1)
}

func randomPartitions(r *rand.Rand, kind storage.PartitionKind, width int) []storage.PartitionInfo {
	var out []storage.PartitionInfo
	if kind == storage.ListPartitions {
		seen := map[string]bool{}
		for range 1 + r.IntN(5) {
			var b storage.PartitionBounds
			for range 1 + r.IntN(3) {
				tuple := []vector.Value{smallValue(r.Int64N(11)), smallValue(r.Int64N(11))}[:width]
				if k := tupleKey(tuple); !seen[k] {
					seen[k] = true
					b.Values = append(b.Values, tuple)
				}
			}
			if len(b.Values) > 0 {
				out = append(out, storage.PartitionInfo{Buckets: 1 + r.IntN(4), Bounds: b})
			}
		}
		return out
	}
	endpoint := func() storage.Endpoint {
		switch r.IntN(8) {
		case 0:
			return storage.Endpoint{Min: true}
		case 1:
			return storage.Endpoint{Max: true}
		}
		return point(r.Int64N(10))
	}
	var bounds [][]storage.Endpoint
	for range 2 + r.IntN(5) {
		bounds = append(bounds, []storage.Endpoint{endpoint(), endpoint()}[:width])
	}
	slices.SortFunc(bounds, CompareBound)
	bounds = slices.CompactFunc(bounds, func(a, b []storage.Endpoint) bool { return CompareBound(a, b) == 0 })
	for i := 1; i < len(bounds); i++ {
		if i == 1 || r.IntN(4) > 0 { // holes
			out = append(out, storage.PartitionInfo{Buckets: 1 + r.IntN(4), Bounds: storage.PartitionBounds{Lower: bounds[i-1], Upper: bounds[i]}})
		}
	}
	if len(out) == 0 {
		out = []storage.PartitionInfo{{Buckets: 2, Bounds: storage.PartitionBounds{Lower: MinBound(width), Upper: MaxBound(width)}}}
	}
	return out
}

func randomPredicate(r *rand.Rand, depth int) storage.Predicate {
	if depth > 0 && r.IntN(3) > 0 {
		p := storage.Predicate{Op: []storage.Op{storage.OpAnd, storage.OpOr}[r.IntN(2)]}
		for range 2 + r.IntN(2) {
			p.Children = append(p.Children, randomPredicate(r, depth-1))
		}
		return p
	}
	op := []storage.Op{storage.OpEq, storage.OpEq, storage.OpNe, storage.OpLt, storage.OpLe, storage.OpGt, storage.OpGe, storage.OpIn, storage.OpIsNull, storage.OpIsNotNull}[r.IntN(10)]
	p := leaf(op, r.IntN(3), r.Int64N(10))
	if op == storage.OpIn {
		p = leaf(op, p.Column, r.Int64N(4), 4+r.Int64N(3), 7+r.Int64N(3))
	}
	return p
}

// satisfies evaluates predicates on one row, by the book.
func satisfies(preds []storage.Predicate, row []vector.Value) bool {
	for i := range preds {
		p := &preds[i]
		switch p.Op {
		case storage.OpAnd:
			if !satisfies(p.Children, row) {
				return false
			}
			continue
		case storage.OpOr:
			if !slices.ContainsFunc(p.Children, func(c storage.Predicate) bool { return satisfies([]storage.Predicate{c}, row) }) {
				return false
			}
			continue
		}
		v := row[p.Column]
		if v.Null != (p.Op == storage.OpIsNull) {
			return false
		}
		if v.Null || p.Op == storage.OpIsNotNull {
			continue
		}
		c := v.Compare(p.Values[0])
		ok := map[storage.Op]bool{storage.OpEq: c == 0, storage.OpNe: c != 0, storage.OpLt: c < 0, storage.OpLe: c <= 0, storage.OpGt: c > 0,
			storage.OpGe: c >= 0, storage.OpIn: slices.ContainsFunc(p.Values, func(x vector.Value) bool { return x.Compare(v) == 0 })}[p.Op]
		if !ok {
			return false
		}
	}
	return true
}

// TestPruneExact: for ranges of one column, exactly the partitions that hold a value are selected.
func TestPruneExact(t *testing.T) {
	cols := []storage.Column{{Type: pruneInt}, {Type: pruneInt}, {Type: pruneInt}}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 6))
		l := &storage.Layout{Kind: storage.RangePartitions, Columns: []int{0}, Partitions: randomPartitions(r, storage.RangePartitions, 1)}
		router := NewRouter(storage.RangePartitions, []sqltype.Type{pruneInt}, l.Partitions)
		p := randomPredicate(r, 2)
		onFirst(&p)
		want := map[int]bool{}
		for x := int64(-20); x <= 30; x++ { // beyond all constants, for ends without limit
			v := vector.IntValue(pruneInt, x)
			if x == -20 {
				v = vector.NullOf(pruneInt)
			}
			col := vector.New(pruneInt, 1)
			col.SetValue(0, v)
			place := []int32{0}
			if router.Route([]*vector.Vector{col}, 1, nil, place, nil); place[0] >= 0 && satisfies([]storage.Predicate{p}, []vector.Value{v}) {
				want[int(place[0])] = true
			}
		}
		sel := DefaultPruning.Prune(l, cols, nil, []storage.Predicate{p})
		for _, at := range sel.Partitions {
			if !want[at] {
				t.Errorf("seed %d: partition %d (%+v) is selected by %v", seed, at, l.Partitions[at].Bounds, p)
			}
		}
		if len(sel.Partitions) != len(want) {
			t.Errorf("seed %d: %d selected, want %d", seed, len(sel.Partitions), len(want))
		}
	}
}

func onFirst(p *storage.Predicate) {
	p.Column = 0
	for i := range p.Children {
		onFirst(&p.Children[i])
	}
}

// BenchmarkPrune is an IN list of 10,000 dates against 4,000 partitions.
func BenchmarkPrune(b *testing.B) {
	l := &storage.Layout{Kind: storage.RangePartitions, Columns: []int{0}}
	day := func(n int64) []storage.Endpoint {
		return []storage.Endpoint{{Value: vector.IntValue(pruneDate, n)}}
	}
	for i := range int64(4000) {
		l.Partitions = append(l.Partitions, storage.PartitionInfo{Bounds: storage.PartitionBounds{Lower: day(i), Upper: day(i + 1)}})
	}
	p := storage.Predicate{Op: storage.OpIn}
	for i := range int64(10_000) {
		p.Values = append(p.Values, vector.IntValue(pruneDate, 3*i))
	}
	cols := []storage.Column{{Type: pruneDate}}
	for b.Loop() {
		if sel := DefaultPruning.Prune(l, cols, nil, []storage.Predicate{p}); len(sel.Partitions) != 1334 {
			b.Fatal(len(sel.Partitions))
		}
	}
}
