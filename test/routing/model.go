// Package routing checks which materialised index of its table a query reads, against rules of its own, and that what
// indexes hold is what their definitions say.
package routing

import "slices"

// index is a rollup or materialised view as the rules see it: what it is declared as, in words of the queries.
type index struct {
	name string
	// columns of an index that keeps every row, or that merges into the table's rows: it serves what reads no others.
	columns []string
	// keys and states of one that folds rows; keys are columns or expressions, states aggregates.
	folded       bool
	keys, states []string
	where        []string
	buckets      int // files of a partition at most, once they are compacted
}

// term is a GROUP BY expression: it can be computed of the columns that it reads, or of any of the expressions from.
type term struct {
	sql   string
	reads []string
	from  []string
}

// cond is a conjunct of WHERE.
type cond struct {
	term
	// implies are the conditions of indexes that it implies; byPartition: partitions' bounds decide it.
	implies     []string
	byPartition bool
	// equal names the column that it fixes to one value or a list.
	equal string
}

// aggregate is an item of the select list. Any of ways, whose parts are states or "key:" and a key, makes it.
type aggregate struct {
	sql   string
	reads []string
	ways  [][]string
}

// query is an aggregation over one table.
type query struct {
	table  string
	groups []term
	conds  []cond
	aggs   []aggregate
}

// serves reports whether the index has all that q reads: the rules of Doris, a superset of dimensions with conditions as
// dimensions and aggregates that roll up.
func (x *index) serves(q *query) bool {
	for _, w := range x.where {
		if !slices.ContainsFunc(q.conds, func(c cond) bool { return slices.Contains(c.implies, w) }) {
			return false
		}
	}
	if x.columns != nil && x.rows(q) {
		return true
	}
	return x.folded && x.folds(q)
}

// met reports conditions that every row of the index satisfies.
func (x *index) met(c cond) bool { return c.byPartition || slices.Contains(x.where, c.sql) }

func (x *index) rows(q *query) bool {
	has := func(t term) bool {
		return containsAll(x.columns, t.reads) || slices.ContainsFunc(t.from, func(f string) bool { return slices.Contains(x.columns, f) })
	}
	for _, g := range q.groups {
		if !has(g) {
			return false
		}
	}
	for _, c := range q.conds {
		if !has(c.term) && !x.met(c) {
			return false
		}
	}
	for _, a := range q.aggs {
		if !containsAll(x.columns, a.reads) {
			return false
		}
	}
	return true
}

func (x *index) folds(q *query) bool {
	has := func(t term) bool {
		return containsAll(x.keys, t.reads) || slices.ContainsFunc(t.from, func(f string) bool { return slices.Contains(x.keys, f) })
	}
	for _, g := range q.groups {
		if !has(g) {
			return false
		}
	}
	for _, c := range q.conds {
		if !has(c.term) && !x.met(c) {
			return false
		}
	}
	for _, a := range q.aggs {
		if !slices.ContainsFunc(a.ways, func(way []string) bool {
			return !slices.ContainsFunc(way, func(part string) bool { return !x.has(part) })
		}) {
			return false
		}
	}
	return true
}

func (x *index) has(part string) bool {
	if len(part) > 4 && part[:4] == "key:" {
		return slices.Contains(x.keys, part[4:])
	}
	return slices.Contains(x.states, part)
}

// prefix reports that q fixes the first column that the index is sorted by.
func (x *index) prefix(q *query) bool {
	first := x.keys
	if !x.folded {
		first = x.columns
	}
	return slices.ContainsFunc(q.conds, func(c cond) bool { return c.equal != "" && c.equal == first[0] })
}

func containsAll(list, all []string) bool {
	return !slices.ContainsFunc(all, func(s string) bool { return !slices.Contains(list, s) })
}
