package keymodel

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// step makes the i-th change of a run, after those before: the same one for the same seed.
func step(tables []*oracle, seed uint64, i int) (table int, c change) {
	r := rand.New(rand.NewPCG(seed, uint64(i)))
	table = r.IntN(len(tables))
	s := tables[table].shape
	if r.IntN(8) == 0 {
		if c, ok := schemaStep(r, s); ok {
			return table, c
		}
	}
	switch n := r.IntN(100); {
	case n < 58:
		return table, loadStep(r, s)
	case n < 72:
		return table, deleteStep(r, s)
	case n < 84 && s.model != "AGGREGATE":
		return table, updateStep(r, s)
	case n < 90 && s.model == "UNIQUE" && s.sequenced < 0:
		return table, partialStep(r, s)
	case n < 92:
		return table, overwriteStep(r, s)
	}
	return table, change{sql: "ALTER TABLE " + s.name + " CONCATENATE", apply: func(*oracle) {}}
}

// keys is how many values k1 has: few, so that rows meet.
const keys = 24

func number(r *rand.Rand, below int) string {
	if r.IntN(8) == 0 {
		return null
	}
	return fmt.Sprint(r.IntN(below))
}

func randomRow(r *rand.Rand, s *shape) *row {
	out := &row{k1: number(r, keys), k2: null}
	if r.IntN(10) > 0 {
		out.k2 = [...]string{"a", "b", "a longer key than inline"[:20]}[r.IntN(3)]
	}
	for i := range s.columns {
		below := 100
		if i == s.sequenced {
			below = 12 // so that sequence values are equal, too
		}
		v := number(r, below)
		if s.text(i) && v != null {
			v = strings.Repeat("text ", r.IntN(5)) + v
		}
		out.values = append(out.values, v)
	}
	return out
}

func literal(v string, text bool) string {
	if text && v != null {
		return "'" + v + "'"
	}
	return v
}

// tuple is a row as VALUES has it.
func tuple(s *shape, r *row, more ...string) string {
	parts := []string{r.k1, literal(r.k2, true)}
	for i, v := range r.values {
		parts = append(parts, literal(v, s.text(i)))
	}
	return "(" + strings.Join(append(parts, more...), ", ") + ")"
}

func columnList(s *shape, more ...string) string {
	names := []string{"k1", "k2"}
	for i := range s.columns {
		names = append(names, s.valueName(i))
	}
	return "(" + strings.Join(append(names, more...), ", ") + ")"
}

func loadStep(r *rand.Rand, s *shape) change {
	n := 1 + r.IntN(12)
	if r.IntN(20) == 0 {
		n = 400
	}
	signs := s.model == "UNIQUE" && r.IntN(3) == 0
	rows, deleted := make([]*row, n), make([]bool, n)
	var tuples []string
	for i := range rows {
		rows[i] = randomRow(r, s)
		if !signs {
			tuples = append(tuples, tuple(s, rows[i]))
			continue
		}
		deleted[i] = r.IntN(3) == 0
		sign := "0"
		if deleted[i] {
			sign = "1"
		}
		tuples = append(tuples, tuple(s, rows[i], sign))
	}
	list := columnList(s)
	if signs {
		list = columnList(s, "__DORIS_DELETE_SIGN__")
	}
	return change{sql: "INSERT INTO " + s.name + " " + list + " VALUES " + strings.Join(tuples, ", "), apply: func(o *oracle) {
		for i := range rows {
			o.load(rows[i], deleted[i])
		}
	}}
}

func overwriteStep(r *rand.Rand, s *shape) change {
	var rows []*row
	var tuples []string
	for range 1 + r.IntN(60) {
		x := randomRow(r, s)
		rows, tuples = append(rows, x), append(tuples, tuple(s, x))
	}
	return change{sql: "INSERT OVERWRITE TABLE " + s.name + " " + columnList(s) + " VALUES " + strings.Join(tuples, ", "), apply: func(o *oracle) {
		o.clear()
		for _, x := range rows {
			o.load(x, false)
		}
	}}
}

// condition is a predicate in SQL and in Go.
type condition struct {
	sql   string
	match func(r *row) bool
}

func intOf(v string) (int64, bool) {
	if v == null {
		return 0, false
	}
	n, err := strconv.ParseInt(v, 10, 64)
	return n, err == nil
}

// keyCondition is about keys alone.
func keyCondition(r *rand.Rand) condition {
	n := int64(r.IntN(keys))
	switch r.IntN(6) {
	case 0:
		return condition{fmt.Sprintf("k1 = %d", n), func(x *row) bool { v, ok := intOf(x.k1); return ok && v == n }}
	case 1:
		m := n + int64(r.IntN(6))
		return condition{fmt.Sprintf("k1 BETWEEN %d AND %d", n, m), func(x *row) bool { v, ok := intOf(x.k1); return ok && v >= n && v <= m }}
	case 2:
		return condition{"k1 IS NULL", func(x *row) bool { return x.k1 == null }}
	case 3:
		return condition{fmt.Sprintf("k2 = 'a' AND k1 < %d", n), func(x *row) bool { v, ok := intOf(x.k1); return ok && v < n && x.k2 == "a" }}
	case 4:
		return condition{fmt.Sprintf("k1 %% 7 = %d AND k2 IS NOT NULL", n%7), func(x *row) bool { v, ok := intOf(x.k1); return ok && v%7 == n%7 && x.k2 != null }}
	}
	return condition{fmt.Sprintf("k1 IN (%d, %d) OR k2 IS NULL AND k1 = %d", n, (n+5)%keys, (n+9)%keys), func(x *row) bool {
		v, ok := intOf(x.k1)
		return ok && (v == n || v == (n+5)%keys || x.k2 == null && v == (n+9)%keys)
	}}
}

// valueCondition is about a number beside the key.
func valueCondition(r *rand.Rand, s *shape) condition {
	at := r.IntN(len(s.columns))
	for s.text(at) {
		at = r.IntN(len(s.columns))
	}
	n := int64(r.IntN(100))
	name := s.valueName(at)
	switch r.IntN(3) {
	case 0:
		return condition{fmt.Sprintf("%s > %d", name, n), func(x *row) bool { v, ok := intOf(x.values[at]); return ok && v > n }}
	case 1:
		return condition{fmt.Sprintf("%s IS NULL AND k1 < 12", name), func(x *row) bool { v, ok := intOf(x.k1); return ok && v < 12 && x.values[at] == null }}
	}
	return condition{fmt.Sprintf("%s = %d", name, n), func(x *row) bool { v, ok := intOf(x.values[at]); return ok && v == n }}
}

func changedRows(r *rand.Rand, s *shape) condition {
	if s.model == "AGGREGATE" || r.IntN(2) == 0 {
		return keyCondition(r)
	}
	return valueCondition(r, s)
}

func deleteStep(r *rand.Rand, s *shape) change {
	c := changedRows(r, s)
	return change{sql: "DELETE FROM " + s.name + " WHERE " + c.sql, apply: func(o *oracle) { o.deleteIf(c.match) }}
}

// updateStep adds to v, and to the sequence where there is one.
func updateStep(r *rand.Rand, s *shape) change {
	c := changedRows(r, s)
	add, seq := int64(r.IntN(9)), int64(r.IntN(21)-10)
	plus := func(v string, n int64) string {
		x, ok := intOf(v)
		if !ok {
			return null
		}
		return fmt.Sprint(x + n)
	}
	set := fmt.Sprintf("v = v + %d", add)
	if s.sequenced >= 0 {
		set += fmt.Sprintf(", q = q + %d", seq)
	}
	last := len(s.columns) - s.added - 1
	if s.text(last) {
		set += ", t = 'updated'"
	}
	return change{sql: "UPDATE " + s.name + " SET " + set + " WHERE " + c.sql, apply: func(o *oracle) {
		o.updateIf(c.match, func(x *row) *row {
			out := &row{x.k1, x.k2, append([]string(nil), x.values...)}
			out.values[0] = plus(x.values[0], add)
			if s.sequenced >= 0 {
				out.values[s.sequenced] = plus(x.values[s.sequenced], seq)
			}
			if s.text(last) {
				out.values[last] = "updated"
			}
			return out
		})
	}}
}

// partialStep is a load of keys and v alone; other columns stay, or are NULL in new rows.
func partialStep(r *rand.Rand, s *shape) change {
	var rows []*row
	var tuples []string
	seen := map[string]bool{}
	for range 1 + r.IntN(6) {
		x := randomRow(r, s)
		if seen[x.key()] { // rows of one load are joined in any order
			continue
		}
		seen[x.key()] = true
		rows = append(rows, x)
		tuples = append(tuples, fmt.Sprintf("(%s, %s, %s)", x.k1, literal(x.k2, true), x.values[0]))
	}
	return change{partial: true, sql: "INSERT INTO " + s.name + " (k1, k2, v) VALUES " + strings.Join(tuples, ", "), apply: func(o *oracle) {
		for _, x := range rows {
			out := &row{x.k1, x.k2, make([]string, len(s.columns))}
			for i := range out.values {
				out.values[i] = s.defaultOf(i)
			}
			if old := o.rows[x.key()]; old != nil {
				copy(out.values, old.values)
			}
			out.values[0] = x.values[0]
			o.load(out, false)
		}
	}}
}
