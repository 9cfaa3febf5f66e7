// Package keymodel checks tables of the AGGREGATE, UNIQUE and DUPLICATE KEY models against plain maps, under
// random loads, updates, deletes, compactions, schema changes, indexes that come and go, partitions that are emptied, tables
// that are replaced, reopenings, kills and a disk that fails. Readers beside a change see all of it or nothing.
//
//	go test ./test/keymodel                a few hundred steps
//	go test ./test/keymodel -args -long    10,000
package keymodel

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// null is NULL as text: values are compared as the texts that clients get.
const null = "NULL"

// row is a key of two columns and what the table has beside.
type row struct {
	k1, k2 string
	values []string
}

func (r *row) key() string { return r.k1 + "|" + r.k2 }

func (r *row) String() string {
	return r.k1 + "|" + r.k2 + "|" + strings.Join(r.values, "|")
}

// change is one step: how it is written, and what it does to the rows of an oracle.
type change struct {
	sql     string
	partial bool // with the session's setting for partial updates
	apply   func(t *oracle)
	// before are statements that make another table ready; they can be repeated.
	before []string
	// index tells that sql adds or drops an index, which may be there, or gone, from a try that failed.
	index bool
}

// oracle is what a table should hold.
type oracle struct {
	*shape
	rows map[string]*row // by key
	gone map[string]int64
	all  []*row // of a DUPLICATE table
}

func newOracle(s *shape) *oracle {
	own := *s
	own.columns, own.kinds = slices.Clone(s.columns), slices.Clone(s.kinds)
	o := &oracle{shape: &own}
	o.clear()
	return o
}

func newOracles() (list []*oracle) {
	for _, s := range shapes {
		list = append(list, newOracle(s))
	}
	return list
}

// clear deletes all rows.
func (o *oracle) clear() { o.rows, o.gone, o.all = map[string]*row{}, map[string]int64{}, nil }

// line is a row as SELECT * gives it.
func (o *oracle) line(r *row) string {
	if o.swapped {
		return r.k2 + "|" + r.k1 + "|" + strings.Join(r.values, "|")
	}
	return r.String()
}

// lines are the rows as text, sorted.
func (o *oracle) lines() []string {
	var out []string
	for _, r := range o.rows {
		out = append(out, o.line(r))
	}
	for _, r := range o.all {
		out = append(out, o.line(r))
	}
	slices.Sort(out)
	return out
}

// each calls f for every row.
func (o *oracle) each(f func(r *row)) {
	for _, r := range o.rows {
		f(r)
	}
	for _, r := range o.all {
		f(r)
	}
}

// sequence is a number that orders; NULL is the smallest.
func sequence(s string) int64 {
	if s == null {
		return -1 << 62
	}
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// load adds a row; deleted is its delete sign.
func (o *oracle) load(r *row, deleted bool) {
	switch o.model {
	case "DUPLICATE":
		o.all = append(o.all, r)
		return
	case "AGGREGATE":
		old := o.rows[r.key()]
		if old == nil {
			o.rows[r.key()] = r
			return
		}
		merged := &row{k1: r.k1, k2: r.k2}
		for i, kind := range o.kinds {
			merged.values = append(merged.values, mergeValues(kind, old.values[i], r.values[i]))
		}
		o.rows[r.key()] = merged
		return
	}
	if at := o.sequenced; at >= 0 {
		last, there := o.gone[r.key()]
		if old := o.rows[r.key()]; old != nil {
			last, there = sequence(old.values[at]), true
		}
		if there && sequence(r.values[at]) < last {
			return
		}
		delete(o.gone, r.key())
	}
	if deleted {
		o.remove(r)
		if at := o.sequenced; at >= 0 {
			o.gone[r.key()] = sequence(r.values[at])
		}
		return
	}
	o.rows[r.key()] = r
}

func (o *oracle) remove(r *row) {
	delete(o.rows, r.key())
}

// deleteIf deletes the rows that match.
func (o *oracle) deleteIf(match func(r *row) bool) {
	for k, r := range o.rows {
		if match(r) {
			delete(o.rows, k)
			if at := o.sequenced; at >= 0 {
				o.gone[k] = sequence(r.values[at])
			}
		}
	}
	o.all = slices.DeleteFunc(o.all, match)
}

// updateIf changes the rows that match.
func (o *oracle) updateIf(match func(r *row) bool, change func(r *row) *row) {
	for _, r := range o.rows {
		if match(r) {
			o.load(change(r), false)
		}
	}
	for i, r := range o.all {
		if match(r) {
			o.all[i] = change(r)
		}
	}
}

func mergeValues(kind, a, b string) string {
	if kind == "REPLACE" {
		return b
	}
	switch {
	case b == null:
		return a
	case a == null || kind == "REPLACE_IF_NOT_NULL":
		return b
	}
	x, _ := strconv.ParseInt(a, 10, 64)
	y, _ := strconv.ParseInt(b, 10, 64)
	switch kind {
	case "SUM":
		return fmt.Sprint(x + y)
	case "MIN":
		return fmt.Sprint(min(x, y))
	case "MAX":
		return fmt.Sprint(max(x, y))
	}
	panic(kind)
}

// shape is one table definition.
type shape struct {
	name, model string
	columns     []string // of the values: name and type
	kinds       []string // AGGREGATE: by value
	sequenced   int      // the value that is the sequence column; -1: none
	rest        string   // partitions, buckets, properties
	numbered    string   // a column with a global dictionary; "": none
	index       string   // adds an index named x, if the table may have one
	drop        string   // … and drops it

	// What schema changes make of the table.
	added   int  // the last columns, which came later
	swapped bool // the key is k2, k1
	indexed bool
}

// shapes are the tables under test. Values of AGGREGATE tables are numbers, so that every aggregation has its kind of
// value; NULLs are everywhere.
var shapes = []*shape{
	{name: "agg", model: "AGGREGATE", columns: []string{"s BIGINT SUM", "mn INT MIN", "mx INT MAX", "r INT REPLACE", "n INT REPLACE_IF_NOT_NULL"},
		kinds: []string{"SUM", "MIN", "MAX", "REPLACE", "REPLACE_IF_NOT_NULL"}, sequenced: -1, rest: `DISTRIBUTED BY HASH(k1) BUCKETS 2`,
		index: `ALTER TABLE agg ADD ROLLUP x (k2, s, mx)`, drop: `ALTER TABLE agg DROP ROLLUP x`},
	{name: "aggp", model: "AGGREGATE", columns: []string{"s BIGINT SUM", "r INT REPLACE"}, kinds: []string{"SUM", "REPLACE"}, sequenced: -1,
		rest: `PARTITION BY RANGE(k1) (PARTITION p1 VALUES LESS THAN (10), PARTITION p2 VALUES LESS THAN MAXVALUE) DISTRIBUTED BY HASH(k2) BUCKETS 1 PROPERTIES("format"="orc")`},
	{name: "uni", model: "UNIQUE", columns: []string{"v INT", "t VARCHAR(40)"}, sequenced: -1, rest: `DISTRIBUTED BY HASH(k1) BUCKETS 2`},
	{name: "unip", model: "UNIQUE", columns: []string{"v INT"}, sequenced: -1,
		rest: `PARTITION BY RANGE(k1) (PARTITION p1 VALUES LESS THAN (10), PARTITION p2 VALUES LESS THAN MAXVALUE) DISTRIBUTED BY HASH(k2) BUCKETS 1 PROPERTIES("format"="orc")`},
	{name: "seq", model: "UNIQUE", columns: []string{"v INT", "q BIGINT"}, sequenced: 1,
		rest: `DISTRIBUTED BY HASH(k1) BUCKETS 1 PROPERTIES("function_column.sequence_col"="q")`},
	{name: "dup", model: "DUPLICATE", columns: []string{"v INT", "t VARCHAR(40)"}, sequenced: -1, rest: `DISTRIBUTED BY HASH(k1) BUCKETS 2 PROPERTIES("bitmap_dict"="t")`, numbered: "t",
		index: `CREATE MATERIALIZED VIEW x AS SELECT k2, sum(v) AS s_, count(*) AS n_ FROM dup GROUP BY k2`, drop: `DROP MATERIALIZED VIEW x ON dup`},
}

func (s *shape) create() string {
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (k1 INT, k2 VARCHAR(20), %s) %s KEY(k1, k2) %s", s.name, strings.Join(s.columns, ", "), s.model, s.rest)
}

// valueName is the name of the i-th value.
func (s *shape) valueName(i int) string {
	name, _, _ := strings.Cut(s.columns[i], " ")
	return name
}

// text tells values that are texts.
func (s *shape) text(i int) bool { return strings.Contains(s.columns[i], "VARCHAR") }
