package routing

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

var (
	seed = flag.Uint64("seed", 0, "run this seed only")
	long = flag.Bool("long", false, "run more seeds")
)

// TestRouting asks 300 generated questions, half of them to a table that keeps every row and half to one that folds rows, each
// with six rollups and two views. Answers must be the same with routing on and off, EXPLAIN must say what became of each index, what
// it calls fit must be what the rules call fit, and what is read must not be much larger than what else would do. Then a partition is
// not in the indexes, and after that it is again.
func TestRouting(t *testing.T) {
	first, seeds := uint64(1), uint64(1)
	if *long {
		seeds = 10
	}
	if *seed != 0 {
		first, seeds = *seed, 1
	}
	for s := first; s < first+seeds; s++ {
		for _, f := range []*fact{duplicate(), folding()} {
			t.Run(fmt.Sprintf("%s/%d", f.table, s), func(t *testing.T) { routeFact(t, f, rand.New(rand.NewPCG(s, 5))) })
		}
	}
}

const questions = 150

func routeFact(t *testing.T, f *fact, r *rand.Rand) {
	e := open(t, "")
	e.exec(f.create...)
	e.exec(fmt.Sprintf(f.load, 30000, 1), fmt.Sprintf(f.load, 10000, 3), fmt.Sprintf(f.load, 500, 4), "ALTER TABLE "+f.table+" CONCATENATE",
		`CREATE TABLE dim (id INT, region VARCHAR(8), weight INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES("replication_num"="1")`,
		`INSERT INTO dim VALUES (0, 'r0', 5), (1, 'r1', 10), (2, 'r0', 20), (3, NULL, 30), (3, 'r3', 1), (9, 'r9', 9), (NULL, 'none', 5)`,
		"CREATE VIEW w AS SELECT * FROM "+f.table)
	c := &checker{engine: e, fact: f, rows: map[string]int{f.table: e.number("SELECT count(*) FROM " + f.table)}}
	for _, x := range f.indexes {
		c.rows[x.name] = e.number("SELECT count(*) FROM " + f.table + " INDEX " + x.name)
	}
	for range questions / 2 {
		c.ask(f.random(r))
		c.askMore(r)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d questions, %d read an index; %v", c.asked, c.routed, c.chosen)
	if len(c.chosen) < len(f.indexes)-1 { // a view of a few rows is seldom the only one
		t.Errorf("only %v were ever chosen", c.chosen)
	}
	e.disk.Fail(full)
	e.exec(f.delete)
	c.stale = true
	for range questions / 5 {
		c.ask(f.random(r))
		c.askMore(r)
	}
	e.disk.Heal()
	e.exec("ALTER TABLE "+f.table+" ADD ROLLUP more (dt, shop, city, chan, kind)", "ALTER TABLE "+f.table+" DROP ROLLUP more") // builds all that is missing
	c.stale = false
	for range questions / 10 {
		c.ask(f.random(r))
	}
	if t.Failed() {
		return
	}
	for _, name := range c.chosen {
		if e.number("SELECT count(*) FROM "+f.table+" INDEX "+name) > c.rows[name] {
			t.Errorf("%s grew by a DELETE", name)
		}
	}
}

// random is a question that an index often has.
func (f *fact) random(r *rand.Rand) *query {
	q := &query{table: f.table}
	fits := func(*query) bool { return true }
	if r.IntN(5) > 0 { // what one of the indexes can answer
		x := &f.indexes[r.IntN(len(f.indexes))]
		for _, w := range x.where {
			for _, i := range r.Perm(len(f.conds)) {
				if slices.Contains(f.conds[i].implies, w) {
					q.conds = append(q.conds, f.conds[i])
					break
				}
			}
		}
		fits = x.serves
	}
	meet := func(a, b cond) bool { // they may contradict or imply one another
		return slices.ContainsFunc(a.reads, func(column string) bool { return slices.Contains(b.reads, column) })
	}
	for range 40 {
		next := *q
		switch n := len(q.groups) + len(q.conds) + len(q.aggs); r.IntN(3) {
		case 0:
			if len(q.groups) < 2 {
				next.groups = append(slices.Clone(q.groups), f.groups[r.IntN(len(f.groups))])
			}
		case 1:
			c := f.conds[r.IntN(len(f.conds))]
			if len(q.conds) < 3 && !slices.ContainsFunc(q.conds, func(o cond) bool { return meet(o, c) }) {
				next.conds = append(slices.Clone(q.conds), c)
			}
		default:
			if len(q.aggs) < 3 {
				next.aggs = append(slices.Clone(q.aggs), f.aggs[r.IntN(len(f.aggs))])
			}
			if n > 5 {
				return q.complete(f)
			}
		}
		if fits(&next) {
			*q = next
		}
	}
	return q.complete(f)
}

// complete gives q an item.
func (q *query) complete(f *fact) *query {
	if len(q.groups)+len(q.aggs) == 0 {
		q.aggs = append(q.aggs, f.aggs[0])
	}
	return q
}

func (q *query) where() string {
	if len(q.conds) == 0 {
		return ""
	}
	var all []string
	for _, c := range q.conds {
		all = append(all, "("+c.sql+")")
	}
	return " WHERE " + strings.Join(all, " AND ")
}

// items are the select list, named c1, c2, …
func (q *query) items() string {
	var all []string
	for _, g := range q.groups {
		all = append(all, g.sql)
	}
	for _, a := range q.aggs {
		all = append(all, a.sql)
	}
	for i := range all {
		all[i] = fmt.Sprintf("%s AS c%d", all[i], i+1)
	}
	return strings.Join(all, ", ")
}

func (q *query) groupBy() string {
	if len(q.groups) == 0 {
		return ""
	}
	var all []string
	for _, g := range q.groups {
		all = append(all, g.sql)
	}
	return " GROUP BY " + strings.Join(all, ", ")
}

func (q *query) over(from string) string {
	return "SELECT " + q.items() + " FROM " + from + q.where() + q.groupBy()
}

// checker asks questions of an engine.
type checker struct {
	*engine
	fact   *fact
	rows   map[string]int // of the table and its indexes
	stale  bool           // a partition is not in the indexes
	asked  int
	routed int
	chosen []string // the indexes that were chosen once
}

// same compares the answers with routing and without.
func (c *checker) same(sql string) {
	c.Helper()
	c.asked++
	c.exec("SET enable_materialized_view_rewrite = 0")
	want, err := c.try(sql)
	c.exec("SET enable_materialized_view_rewrite = 1")
	got, gotErr := c.try(sql)
	if err != nil || gotErr != nil {
		if err == nil || gotErr == nil || sqlerr.From(err).Code != sqlerr.From(gotErr).Code || sqlerr.From(err).Code == sqlerr.Internal {
			c.Errorf("routed: %v, not routed: %v\n%s", gotErr, err, sql)
		}
		return
	}
	if !strings.Contains(sql, "ORDER BY") {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		c.Errorf("%s\nrouted     %d rows %q\nnot routed %d rows %q\n%s", sql, len(got), cut(got), len(want), cut(want), c.explain(sql, c.fact.table).text)
	}
}

func cut(rows []string) []string { return rows[:min(len(rows), 8)] }

// ask asks q in a few forms that leave it an aggregation of the one table, and checks the choice.
func (c *checker) ask(q *query) {
	c.Helper()
	forms := []string{q.over(q.table), q.over("w"), q.over(q.table) + " ORDER BY c1" + strings.Repeat(", c2", min(len(q.groups)+len(q.aggs)-1, 1)), q.over(q.table + " AS x"), "WITH cte AS (" + q.over(q.table) + ") SELECT * FROM cte"}
	sql := forms[c.asked%len(forms)]
	if strings.Contains(sql, "ORDER BY") && len(q.groups) > 2 {
		sql = forms[0]
	}
	if c.asked%7 == 0 && len(q.aggs) > 0 && len(q.groups) > 0 {
		sql = q.over(q.table) + fmt.Sprintf(" HAVING c%d IS NOT NULL AND c1 IS NOT NULL", len(q.groups)+1)
	}
	c.same(sql)
	p := c.explain(sql, q.table)
	c.named(sql, p, 1)
	var fit []string
	for i := range c.fact.indexes {
		if x := &c.fact.indexes[i]; x.serves(q) {
			fit = append(fit, x.name)
		}
	}
	said := slices.Concat(p.chosen, p.unchosen)
	slices.Sort(said)
	slices.Sort(fit)
	if !c.stale && !slices.Equal(said, fit) {
		c.Errorf("%s\nfit %v\nEXPLAIN says %v\n%s", sql, fit, said, p.text)
	}
	for _, name := range said {
		if !slices.Contains(fit, name) {
			c.Errorf("%s\n%s does not fit\n%s", sql, name, p.text)
		}
	}
	reads := q.table
	if len(p.chosen) == 1 {
		reads = p.chosen[0]
		c.routed++
		if !slices.Contains(c.chosen, reads) {
			c.chosen = append(c.chosen, reads)
		}
	}
	if !slices.Contains(p.reads, reads) {
		c.Errorf("%s\nchose %s and reads %v\n%s", sql, reads, p.reads, p.text)
	}
	if !c.stale {
		c.cheapest(sql, q, reads, fit, p)
	}
}

// named checks that EXPLAIN says of every index what became of it, once a scan of the table.
func (c *checker) named(sql string, p plan, scans int) {
	c.Helper()
	for _, x := range c.fact.indexes {
		n := 0
		for _, list := range [][]string{p.chosen, p.unchosen, p.failed} {
			for _, name := range list {
				if name == x.name {
					n++
				}
			}
		}
		if n < 1 || scans > 0 && n != scans {
			c.Errorf("%s\nEXPLAIN names %s %d times\n%s", sql, x.name, n, p.text)
		}
	}
}

// cheapest checks that nothing that fits would have been read for much less than what is: fewer rows, no more files, and no
// shorter a prefix of its order fixed.
func (c *checker) cheapest(sql string, q *query, reads string, fit []string, p plan) {
	c.Helper()
	const free = 4096 // rows that cost no more than opening files
	table := index{name: q.table, columns: []string{"dt", "shop"}, buckets: 2}
	at := &table
	for i := range c.fact.indexes {
		if c.fact.indexes[i].name == reads {
			at = &c.fact.indexes[i]
		}
	}
	for i := range c.fact.indexes {
		x := &c.fact.indexes[i]
		if !slices.Contains(fit, x.name) || x.buckets > at.buckets || at.prefix(q) && !x.prefix(q) {
			continue
		}
		if 4*max(c.rows[x.name], free) <= c.rows[reads] {
			c.Errorf("%s\nreads %s with %d rows, not %s with %d\n%s", sql, reads, c.rows[reads], x.name, c.rows[x.name], p.text)
		}
		if x.prefix(q) && !at.prefix(q) && c.rows[reads] > 4*free && c.rows[x.name] <= c.rows[reads] {
			c.Errorf("%s\nreads %s, not %s whose first column is fixed\n%s", sql, reads, x.name, p.text)
		}
	}
}

// askMore asks questions that read the table in the midst of others: joins, subqueries, unions, grouping sets, DISTINCT.
func (c *checker) askMore(r *rand.Rand) {
	c.Helper()
	q, o := c.fact.random(r), c.fact.random(r)
	t := q.table
	where, and := q.where(), " AND "
	if where == "" {
		and = " WHERE "
	}
	groups := strings.TrimPrefix(q.groupBy(), " GROUP BY ")
	var sql string
	switch r.IntN(13) {
	case 0:
		sql = q.over(t + " JOIN dim ON city = id")
	case 1:
		sql = q.over(t + " LEFT JOIN dim ON city = id AND weight > 5")
	case 2:
		sql = q.over("dim LEFT JOIN " + t + " ON city = id")
	case 3:
		sql = "SELECT region, max(weight), " + q.items() + " FROM " + t + " JOIN dim ON city = id" + where + " GROUP BY region" + strings.ReplaceAll(", "+groups, ", CASE", ", CASE")
		sql = strings.TrimSuffix(sql, ", ")
	case 4:
		sql = "SELECT " + q.items() + " FROM " + t + where + and + "city IN (SELECT id FROM dim WHERE weight < 20)" + q.groupBy()
	case 5:
		sql = "SELECT " + q.items() + " FROM " + t + where + and + "NOT EXISTS (SELECT 1 FROM dim WHERE id = city AND region = 'r0')" + q.groupBy()
	case 6:
		sql = "SELECT * FROM dim WHERE weight > (SELECT count(DISTINCT city) FROM " + t + o.where() + ")"
	case 7:
		sql = "SELECT id, (SELECT max(kind) FROM " + t + " WHERE city = id) AS m FROM dim"
	case 8:
		sql = "SELECT cast(c1 AS string), 1 FROM (" + q.over(t) + ") a UNION ALL SELECT cast(c1 AS string), 2 FROM (" + o.over(t) + ") b"
	case 9:
		sql = "SELECT count(*), min(cast(a.c1 AS string)) FROM (" + q.over(t) + ") a JOIN (" + o.over("w") + ") b ON cast(a.c1 AS string) = cast(b.c1 AS string)"
	case 10:
		if len(q.groups) == 0 {
			return
		}
		sql = "SELECT " + q.items() + ", grouping_id(" + groups + ") FROM " + t + where + " GROUP BY CUBE (" + groups + ")"
	case 11:
		if len(q.groups) == 0 {
			return
		}
		sql = "SELECT DISTINCT " + groups + " FROM " + t + where
	case 12:
		sql = "SELECT x.c1, count(*) FROM (" + q.over(t) + ") x WHERE x.c1 IS NOT NULL GROUP BY x.c1"
	}
	c.same(sql)
	if p := c.explain(sql, t); strings.Contains(p.text, "TABLE: default."+t) { // else nothing is left to read
		c.named(sql, p, 0)
	}
}
