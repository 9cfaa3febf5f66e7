package hashtable

import (
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Tables number keys alike with any leading columns, and keys that are equal in these have the
// same upper bits of their hash, encoded or loaded from a list.
func TestLead(t *testing.T) {
	const n = 3000
	for seed := range int64(60) {
		r := rand.New(rand.NewSource(seed))
		var types []sqltype.Type
		var nullable []bool
		var cols []*vector.Vector
		var lead []int
		for i := range 1 + r.Intn(5) {
			types = append(types, keyTypes[r.Intn(len(keyTypes))])
			nullable = append(nullable, true)
			cols = append(cols, randomVector(r, types[i], n, 1+r.Intn(40), true))
			if r.Intn(2) == 0 {
				lead = append(lead, i)
			}
		}
		plain, err := NewLayout(types, nullable)
		if err != nil {
			t.Fatal(err)
		}
		number := func(l *Layout) ([]uint32, *GroupTable, *Keys) {
			table, keys, groups := NewGroupTable(l, new(Arena).NewWriter(), 16), NewKeys(l), make([]uint32, n)
			keys.Encode(cols, n, nil)
			table.FindOrAdd(keys, groups)
			return groups, table, keys
		}
		led := plain.Lead(lead)
		if alone := len(lead) == 0 || len(lead) == len(types); alone != (led == plain) || alone == led.Leads() {
			t.Fatalf("seed %d: columns %v of %v lead: %v", seed, lead, types, led.Leads())
		}
		want, _, _ := number(plain)
		got, table, keys := number(led)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d: key %d is of group %d, want %d (%v, leading %v)", seed, i, got[i], want[i], types, lead)
			}
		}
		if !led.Leads() {
			continue
		}
		var first []*vector.Vector
		for _, c := range lead {
			first = append(first, cols[c])
		}
		upper := map[string]int{}
		for i, h := range keys.Hash() {
			text, p := keyText(first, i), PartitionOf(h, leadBits)
			if q, ok := upper[text]; ok && p != q {
				t.Fatalf("seed %d: keys with %s in partitions %d and %d (%v, leading %v)", seed, text, p, q, types, lead)
			}
			upper[text] = p
		}
		var again Keys
		again.Load(table.Rows, 0, table.Groups())
		for i, g := range got {
			if again.Hash()[g] != keys.Hash()[i] {
				t.Fatalf("seed %d: key %d hashes to %x, in the table to %x", seed, i, keys.Hash()[i], again.Hash()[g])
			}
		}
	}
}

func TestCrowded(t *testing.T) {
	types := []sqltype.Type{sqltype.T(sqltype.Int), sqltype.T(sqltype.Int)}
	layout, err := NewLayout(types, []bool{false, false})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rows, leading int
		want          bool
	}{{10_000, 5000, false}, {10_000, 3, true}, {100, 100, true}} {
		table, keys := NewGroupTable(layout.Lead([]int{0}), nil, 16), NewKeys(layout.Lead([]int{0}))
		x, y := vector.New(types[0], c.rows), vector.New(types[1], c.rows)
		for i := range c.rows {
			vector.Values[int32](x)[i], vector.Values[int32](y)[i] = int32(i%c.leading), int32(i)
		}
		keys.Encode([]*vector.Vector{x, y}, c.rows, nil)
		table.FindOrAdd(keys, make([]uint32, c.rows))
		if got := table.Crowded(leadBits); got != c.want {
			t.Errorf("%d keys of %d leading values are crowded: %v, want %v", c.rows, c.leading, got, c.want)
		}
	}
}
