package random

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// alteredColumn is a column of an alteredTable. Its values are texts, nil is NULL.
type alteredColumn struct {
	name, typ, agg string // agg "": none
	def            *string
	key            bool
	fixed          bool // partition and bucket columns
}

func (c *alteredColumn) isText() bool {
	return strings.HasPrefix(c.typ, "VARCHAR") || c.typ == "STRING"
}

// alteredTable is the oracle of a table whose columns change: rows in memory, merged eagerly where the table has a key.
type alteredTable struct {
	kind   string // of alteredKinds
	cols   []alteredColumn
	rows   [][]*string
	unused []string // names that columns had
	next   int
}

// alteredKinds are the tables, by their models and formats; %s is the list of columns.
var alteredKinds = []struct{ name, create string }{
	{"plain", `CREATE TABLE t (%s)`},
	{"dup", `CREATE TABLE t (%s) DUPLICATE KEY(k0, k1) DISTRIBUTED BY HASH(k0) BUCKETS 2 PROPERTIES("replication_num"="1")`},
	{"parts", `CREATE TABLE t (%s) DUPLICATE KEY(k0, k1) PARTITION BY RANGE(k0) (PARTITION a VALUES LESS THAN ("2"), PARTITION b VALUES LESS THAN ("4"), PARTITION c VALUES LESS THAN (MAXVALUE))
		DISTRIBUTED BY HASH(k0) BUCKETS 2 PROPERTIES("replication_num"="1")`},
	{"unique", `CREATE TABLE t (%s) UNIQUE KEY(k0, k1) DISTRIBUTED BY HASH(k0) BUCKETS 2 PROPERTIES("replication_num"="1")`},
	{"agg", `CREATE TABLE t (%s) AGGREGATE KEY(k0, k1) DISTRIBUTED BY HASH(k0) BUCKETS 2 PROPERTIES("replication_num"="1")`},
	{"orc", `CREATE TABLE t (%s) STORED AS ORC`},
	{"hive", `CREATE TABLE t (%s) PARTITIONED BY (p INT) STORED AS PARQUET`},
	{"hiveorc", `CREATE TABLE t (%s) PARTITIONED BY (p INT) CLUSTERED BY (k0) INTO 2 BUCKETS STORED AS ORC`},
	{"text", `CREATE TABLE t (%s) STORED AS TEXTFILE`},
}

func newAlteredTable(kind string) *alteredTable {
	m := &alteredTable{kind: kind, next: 10}
	doris := slices.Contains([]string{"dup", "parts", "unique", "agg"}, kind)
	m.cols = []alteredColumn{{name: "k0", typ: "INT", key: doris, fixed: doris || kind == "hiveorc"}, {name: "k1", typ: "INT", key: doris}, {name: "v0", typ: "INT"}, {name: "v1", typ: "VARCHAR(20)"}}
	if kind == "agg" {
		m.cols[2].agg, m.cols[3].agg = "SUM", "MAX"
	}
	if strings.HasPrefix(kind, "hive") {
		m.cols = append(m.cols, alteredColumn{name: "p", typ: "INT", fixed: true})
	}
	return m
}

// create is the statement that makes the table.
func (m *alteredTable) create() string {
	var defs []string
	for i := range m.cols {
		if m.cols[i].name != "p" {
			defs = append(defs, m.cols[i].name+" "+m.cols[i].typ+" "+m.cols[i].agg)
		}
	}
	i := slices.IndexFunc(alteredKinds, func(k struct{ name, create string }) bool { return k.name == m.kind })
	return fmt.Sprintf(alteredKinds[i].create, strings.Join(defs, ", "))
}

func literal(v *string, text bool) string {
	switch {
	case v == nil:
		return "NULL"
	case text:
		return "'" + *v + "'"
	}
	return *v
}

func (m *alteredTable) keyOf(row []*string) string {
	var b strings.Builder
	for i := range m.cols {
		if m.cols[i].key {
			b.WriteString(literal(row[i], true) + " ")
		}
	}
	return b.String()
}

// merge makes one row of those of equal keys.
func (m *alteredTable) merge() {
	if m.kind != "agg" && m.kind != "unique" {
		return
	}
	at := map[string]int{}
	var out [][]*string
	for _, row := range m.rows {
		k := m.keyOf(row)
		i, ok := at[k]
		if !ok {
			at[k] = len(out)
			out = append(out, slices.Clone(row))
			continue
		}
		for c := range m.cols {
			out[i][c] = m.cols[c].merged(out[i][c], row[c])
		}
	}
	m.rows = out
}

// merged is the value of old and then now.
func (c *alteredColumn) merged(old, now *string) *string {
	switch {
	case c.agg == "" || c.agg == "REPLACE":
		return now
	case now == nil:
		return old
	case old == nil || c.agg == "REPLACE_IF_NOT_NULL":
		return now
	}
	a, _ := strconv.ParseInt(*old, 10, 64)
	b, _ := strconv.ParseInt(*now, 10, 64)
	less := a < b
	if c.isText() {
		less = *old < *now
	}
	switch {
	case c.agg == "SUM":
		s := strconv.FormatInt(a+b, 10)
		return &s
	case less == (c.agg == "MAX"):
		return now
	}
	return old
}

// insert adds rows to the oracle and returns the statement that does so to the table.
func (m *alteredTable) insert(r *rand.Rand) string {
	var lists []string
	seen := map[string]bool{}
	for range 1 + r.IntN(12) {
		row := make([]*string, len(m.cols))
		var texts []string
		for i := range m.cols {
			row[i] = m.cols[i].value(r)
			texts = append(texts, literal(row[i], m.cols[i].isText()))
		}
		if (m.kind == "agg" || m.kind == "unique") && seen[m.keyOf(row)] {
			continue // which of them is last is not said
		}
		seen[m.keyOf(row)] = true
		m.rows = append(m.rows, row)
		lists = append(lists, "("+strings.Join(texts, ", ")+")")
	}
	m.merge()
	into := "t"
	if strings.HasPrefix(m.kind, "hive") {
		into = "t PARTITION (p)"
	}
	return "INSERT INTO " + into + " VALUES " + strings.Join(lists, ", ")
}

func (c *alteredColumn) value(r *rand.Rand) *string {
	n := r.IntN(6)
	if n == 0 && !c.fixed {
		return nil
	}
	s := strconv.Itoa(n)
	if c.isText() && r.IntN(3) > 0 {
		s = "x" + s
	}
	return &s
}

func (m *alteredTable) at(name string) int {
	return slices.IndexFunc(m.cols, func(c alteredColumn) bool { return c.name == name })
}

// attributes are what MODIFY must repeat of a column.
func (c *alteredColumn) attributes() string {
	s := ""
	if c.key {
		s += " KEY"
	}
	if c.agg != "" {
		s += " " + c.agg
	}
	if c.def != nil {
		s += ` DEFAULT "` + *c.def + `"`
	}
	return s
}

// change draws an ALTER TABLE: the clause, what it does to the oracle when the engine takes it, and whether it must leave
// every file as it is.
func (m *alteredTable) change(r *rand.Rand) (clause string, apply func(), light bool) {
	i := r.IntN(len(m.cols))
	c := m.cols[i]
	switch r.IntN(10) {
	case 0, 1, 2:
		return m.add(r)
	case 3, 4:
		return "DROP COLUMN " + c.name, func() {
			m.unused = append(m.unused, c.name)
			m.cols = slices.Delete(slices.Clone(m.cols), i, i+1)
			for k := range m.rows {
				m.rows[k] = slices.Delete(slices.Clone(m.rows[k]), i, i+1)
			}
			m.merge()
		}, !c.key
	case 5, 6:
		to := m.name(r)
		return "RENAME COLUMN " + c.name + " " + to, func() {
			m.unused = append(m.unused, c.name)
			m.cols[i].name = to
		}, true
	case 7:
		next := c
		next.typ = []string{"BIGINT", "VARCHAR(30)", "STRING", "LARGEINT", "VARCHAR(20)"}[r.IntN(5)]
		if c.agg == "MAX" || c.agg == "MIN" { // whose order would be another one
			next.typ = "BIGINT"
		}
		return "MODIFY COLUMN " + c.name + " " + next.typ + next.attributes(), func() { m.cols[i] = next }, !c.key && c.isText() == next.isText()
	case 8:
		order := r.Perm(len(m.cols))
		if r.IntN(2) == 0 { // keys first
			slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(fmt.Sprint(!m.cols[a].key), fmt.Sprint(!m.cols[b].key)) })
		}
		var names []string
		for _, k := range order {
			names = append(names, m.cols[k].name)
		}
		return "ORDER BY (" + strings.Join(names, ", ") + ")", func() { m.permute(order) }, false
	}
	// Two clauses, all or none.
	a, first, lightA := m.add(r)
	to := m.name(r)
	return a + ", RENAME COLUMN " + c.name + " " + to, func() {
		first()
		m.cols[m.at(c.name)].name = to
	}, lightA
}

func (m *alteredTable) permute(order []int) {
	pick := func(row []*string) []*string {
		out := make([]*string, len(order))
		for i, k := range order {
			out[i] = row[k]
		}
		return out
	}
	var cols []alteredColumn
	for _, k := range order {
		cols = append(cols, m.cols[k])
	}
	m.cols = cols
	for i := range m.rows {
		m.rows[i] = pick(m.rows[i])
	}
}

// name is a name that no column has; often one that a column had.
func (m *alteredTable) name(r *rand.Rand) string {
	if n := len(m.unused); n > 0 && r.IntN(3) > 0 {
		if name := m.unused[r.IntN(n)]; m.at(name) < 0 {
			return name
		}
	}
	m.next++
	return fmt.Sprintf("c%d", m.next)
}

// add draws ADD COLUMN.
func (m *alteredTable) add(r *rand.Rand) (clause string, apply func(), light bool) {
	c := alteredColumn{name: m.name(r), typ: []string{"INT", "BIGINT", "VARCHAR(20)", "STRING"}[r.IntN(4)]}
	switch {
	case m.kind == "agg" && r.IntN(4) > 0:
		c.agg = []string{"SUM", "MAX", "MIN", "REPLACE", "REPLACE_IF_NOT_NULL"}[r.IntN(5)]
	case m.kind == "agg" || m.cols[0].key && r.IntN(4) == 0:
		c.key = true
	}
	if r.IntN(2) == 0 {
		d := strconv.Itoa(r.IntN(5))
		c.def = &d
	}
	clause = "ADD COLUMN " + c.name + " " + c.typ + c.attributes()
	at := len(m.cols)
	switch {
	case r.IntN(3) == 0:
		k := r.IntN(len(m.cols))
		at = k + 1
		clause += " AFTER " + m.cols[k].name
	case r.IntN(8) == 0:
		at = 0
		clause += " FIRST"
	case c.key:
		for at = 0; at < len(m.cols) && m.cols[at].key; at++ {
		}
	case strings.HasPrefix(m.kind, "hive"):
		at--
	}
	return clause, func() {
		m.cols = slices.Insert(slices.Clone(m.cols), at, c)
		for k := range m.rows {
			m.rows[k] = slices.Insert(slices.Clone(m.rows[k]), at, c.def)
		}
		m.merge()
	}, !c.key && (c.agg != "SUM" || c.def == nil || *c.def == "0")
}

// lines are rows of chosen columns, sorted.
func (m *alteredTable) lines(cols []int, keep func(row []*string) bool) string {
	var out []string
	for _, row := range m.rows {
		if !keep(row) {
			continue
		}
		var parts []string
		for _, c := range cols {
			parts = append(parts, literal(row[c], false))
		}
		out = append(out, strings.Join(parts, "|"))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
