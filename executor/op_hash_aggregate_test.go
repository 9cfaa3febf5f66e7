package executor

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// naiveAggregate computes count(*), sum(v), sum(distinct v), count-like sum(distinct w) and
// an ordered concat by Go maps. Columns: keys, then v, w.
func naiveAggregate(batches []*vector.Batch, keys int, sets [][]int) []string {
	type group struct {
		key       string
		count     int
		vals      []int64
		distinctV map[int64]bool
		distinctW map[int64]bool
	}
	groups := map[string]*group{}
	one := sets == nil
	if one {
		all := make([]int, keys)
		for i := range all {
			all[i] = i
		}
		sets = [][]int{all}
	}
	for _, b := range batches {
		for i := range b.NumRows() {
			r := b.Row(i)
			for s, set := range sets {
				var key strings.Builder
				id := 0
				for k := range keys {
					if slices.Contains(set, k) {
						key.WriteString(cell(b.Cols[k], r) + "|")
					} else {
						key.WriteString("NULL|")
						id |= 1 << (keys - 1 - k)
					}
				}
				name := fmt.Sprintf("%s#%d", &key, s)
				g := groups[name]
				if g == nil {
					g = &group{key: key.String(), distinctV: map[int64]bool{}, distinctW: map[int64]bool{}}
					groups[name] = g
					if !one {
						g.key += fmt.Sprintf("@%d", id)
					}
				}
				g.count++
				if v := b.Cols[keys]; !v.IsNull(r) {
					g.vals = append(g.vals, v.Value(r).Int64())
					g.distinctV[v.Value(r).Int64()] = true
				}
				if w := b.Cols[keys+1]; !w.IsNull(r) {
					g.distinctW[w.Value(r).Int64()] = true
				}
			}
		}
	}
	var rows []string
	for _, g := range groups {
		key, id, _ := strings.Cut(g.key, "@")
		total, dv, dw := int64(0), int64(0), int64(0)
		slices.SortFunc(g.vals, func(a, b int64) int { return int(b - a) })
		var list []string
		for _, v := range g.vals {
			total += v
			list = append(list, fmt.Sprint(v))
		}
		for v := range g.distinctV {
			dv += v
		}
		for v := range g.distinctW {
			dw += v
		}
		row := fmt.Sprintf("%s%d|%s|%s|%s|%s|%s|", key, g.count, orNull(total, g.vals), orNull(dv, g.vals),
			orNull(dw, make([]int64, len(g.distinctW))), orNullText(list), orNullText(slices.Compact(list)))
		if id != "" {
			row += id + "|"
		}
		rows = append(rows, row)
	}
	return rows
}

func orNull(x int64, vals []int64) string {
	if len(vals) == 0 {
		return "NULL"
	}
	return fmt.Sprint(x)
}

func orNullText(list []string) string {
	if len(list) == 0 {
		return "NULL"
	}
	return strings.Join(list, ",")
}

func testAggregate(keys []sqltype.Type, sets [][]int) *physical.Aggregate {
	n := &physical.Aggregate{Sets: sets, GroupingID: sets != nil}
	for i, t := range keys {
		n.Groups = append(n.Groups, field(i, t))
	}
	v, w := field(len(keys), bigint), field(len(keys)+1, bigint)
	desc := []expr.SortKey{{Expr: v, Desc: true}}
	n.Aggs = []*expr.Aggregate{
		{Fn: sumAggregate()},
		{Fn: sumAggregate(bigint), Args: []expr.Expr{v}},
		{Fn: sumAggregate(bigint), Args: []expr.Expr{v}, Distinct: true},
		{Fn: sumAggregate(bigint), Args: []expr.Expr{w}, Distinct: true},
		{Fn: concatAggregate(), Args: []expr.Expr{v}, OrderBy: desc},
		{Fn: concatAggregate(), Args: []expr.Expr{v}, OrderBy: desc, Distinct: true},
	}
	return n
}

func runAggregate(t testing.TB, n *physical.Aggregate, rt *Runtime, batches []*vector.Batch) ([]string, error) {
	a, err := newHashAggregate(n, rt, nil)
	if err != nil {
		t.Fatal(err)
	}
	if rt.BatchRows%2 == 1 {
		a.checkGroups, a.smallGroups = 64, 32
	}
	defer a.Abort()
	if err := runSink(t, rt, a, batches); err != nil {
		return nil, err
	}
	return drain(rt, aggSource{a})
}

func TestHashAggregate(t *testing.T) {
	keyTypes := []sqltype.Type{bigint, text, sqltype.T(sqltype.Int), sqltype.T(sqltype.Double), sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.SmallInt)}
	for seed := range seeds(150) {
		r := rand.New(rand.NewSource(seed))
		keys := make([]sqltype.Type, r.Intn(4))
		distinct := []int{}
		for i := range keys {
			keys[i] = keyTypes[r.Intn(len(keyTypes))]
			distinct = append(distinct, 1+r.Intn(40))
		}
		distinct = append(distinct, 30, 300)
		types := append(append([]sqltype.Type{}, keys...), bigint, bigint)
		batches := randomBatches(r, types, r.Intn(3000), 1+r.Intn(700), distinct, true)
		var sets [][]int
		if len(keys) > 1 && r.Intn(3) == 0 {
			sets = [][]int{{0, 1}, {0}, {}, {1}, {0}}
		}
		rt := &Runtime{Instances: 1 + r.Intn(4), BatchRows: 1 + r.Intn(1024)}
		got, err := runAggregate(t, testAggregate(keys, sets), rt, batches)
		if err != nil {
			t.Fatal(err)
		}
		want := naiveAggregate(batches, len(keys), sets)
		if len(want) == 0 && len(keys) == 0 {
			want = []string{"NULL|NULL|NULL|NULL|NULL|NULL|"}
		}
		sameRows(t, fmt.Sprintf("seed %d keys %v sets %v instances %d", seed, keys, sets, rt.Instances), got, want)
	}
}

// Many keys take the growing table, the partitions, and the merge of both.
func TestHashAggregateManyGroups(t *testing.T) {
	for seed, types := range [][]sqltype.Type{{bigint}, {text}, {bigint, text}, {sqltype.T(sqltype.Int), bigint}} {
		for _, instances := range []int{1, 3} {
			r := rand.New(rand.NewSource(int64(seed)))
			distinct := []int{1_000_000, 4}[:len(types)]
			distinct = append(distinct, 10)
			batches := randomBatches(r, append(append([]sqltype.Type{}, types...), bigint), 250_000, 4096, distinct, true)
			n := &physical.Aggregate{Aggs: []*expr.Aggregate{{Fn: sumAggregate()},
				{Fn: sumAggregate(bigint), Args: []expr.Expr{field(len(types), bigint)}}}}
			for i, x := range types {
				n.Groups = append(n.Groups, field(i, x))
			}
			got, err := runAggregate(t, n, &Runtime{Instances: instances}, batches)
			if err != nil {
				t.Fatal(err)
			}
			sums := map[string][3]int64{}
			for _, b := range batches {
				for i := range b.NumRows() {
					row := b.Row(i)
					key := rowText(b.Cols[:len(types)], row)
					s := sums[key]
					s[0]++
					if v := b.Cols[len(types)]; !v.IsNull(row) {
						s[1] += v.Value(row).Int64()
						s[2]++
					}
					sums[key] = s
				}
			}
			var want []string
			for key, s := range sums {
				sum := "NULL"
				if s[2] > 0 {
					sum = fmt.Sprint(s[1])
				}
				want = append(want, fmt.Sprintf("%s%d|%s|", key, s[0], sum))
			}
			sameRows(t, fmt.Sprintf("%v, %d instances", types, instances), got, want)
		}
	}
}

// sum(v) FILTER (WHERE w < 5) and sum(DISTINCT v) FILTER (…) keep groups of which no row passes.
func TestHashAggregateFilter(t *testing.T) {
	five := &expr.Literal{Value: vector.IntValue(bigint, 5)}
	for seed := range seeds(40) {
		r := rand.New(rand.NewSource(seed))
		batches := randomBatches(r, []sqltype.Type{text, bigint, bigint}, r.Intn(2000), 300, []int{200, 9, 12}, true)
		pass := call(t, "<", field(2, bigint), five)
		n := &physical.Aggregate{Groups: []expr.Expr{field(0, text)}, Aggs: []*expr.Aggregate{
			{Fn: sumAggregate(bigint), Args: []expr.Expr{field(1, bigint)}, Filter: pass},
			{Fn: sumAggregate(bigint), Args: []expr.Expr{field(1, bigint)}, Filter: pass, Distinct: true},
		}}
		got, err := runAggregate(t, n, &Runtime{Instances: 1 + r.Intn(3), BatchRows: 100 + r.Intn(2), Functions: &function.Context{}}, batches)
		if err != nil {
			t.Fatal(err)
		}
		vals := map[string][]int64{}
		for _, ref := range allRows(batches) {
			key := cell(ref.b.Cols[0], ref.row) + "|"
			list := vals[key]
			v, w := ref.b.Cols[1], ref.b.Cols[2]
			if !v.IsNull(ref.row) && !w.IsNull(ref.row) && w.Value(ref.row).Int64() < 5 {
				list = append(list, v.Value(ref.row).Int64())
			}
			vals[key] = list
		}
		var want []string
		for key, list := range vals {
			all, once, seen := int64(0), int64(0), map[int64]bool{}
			for _, v := range list {
				all += v
				if !seen[v] {
					once += v
				}
				seen[v] = true
			}
			want = append(want, key+orNull(all, list)+"|"+orNull(once, list)+"|")
		}
		sameRows(t, fmt.Sprintf("seed %d", seed), got, want)
	}
}

func TestHashAggregateOverBudget(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	batches := randomBatches(r, []sqltype.Type{bigint, bigint, bigint}, 50_000, 4096, []int{1 << 30, 10, 10}, false)
	b := budget.New("query", 1<<20, nil)
	_, err := runAggregate(t, testAggregate([]sqltype.Type{bigint}, nil), &Runtime{Instances: 2, Budget: b}, batches)
	if !sqlerr.Is(err, sqlerr.OutOfMemory) || !strings.Contains(err.Error(), "aggregate #0") {
		t.Fatalf("got %v, want an error that names the aggregate", err)
	}
	if b.Used() != 0 {
		t.Fatalf("%d bytes are still claimed", b.Used())
	}
}
