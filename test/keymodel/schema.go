package keymodel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// schemaSteps are the changes of definitions, one mechanism for all: each makes a change of a table as it is then, or
// ok is false where the table cannot have it.
var schemaSteps = []func(r *rand.Rand, s *shape) (c change, ok bool){
	addColumn, addColumn, dropColumn, modifyColumn, renameColumn, orderColumns, changeIndex, changeIndex, replaceTable, truncatePartition, dropPartition,
}

func schemaStep(r *rand.Rand, s *shape) (change, bool) {
	return schemaSteps[r.IntN(len(schemaSteps))](r, s)
}

// laterNames are the names that columns which come later have: few, so that names come back.
var laterNames = []string{"c1", "c2", "c3"}

// laterDefault is what rows have in a column that came after them.
const laterDefault = "7"

// defaultOf is what a row gets in a value that a load does not name.
func (s *shape) defaultOf(i int) string {
	if i >= len(s.columns)-s.added {
		return laterDefault
	}
	return null
}

// freeName is a name for a column that comes; "" when all are taken.
func (s *shape) freeName(r *rand.Rand) string {
	for _, i := range r.Perm(len(laterNames)) {
		if !slices.ContainsFunc(s.columns, func(c string) bool { return strings.HasPrefix(c, laterNames[i]+" ") }) {
			return laterNames[i]
		}
	}
	return ""
}

// later is a column that came later, by position; -1: there is none.
func (s *shape) later(r *rand.Rand) int {
	if s.added == 0 {
		return -1
	}
	return len(s.columns) - 1 - r.IntN(s.added)
}

// eachRow changes every row's values.
func (o *oracle) eachRow(f func(values []string) []string) {
	o.each(func(r *row) { r.values = f(slices.Clone(r.values)) })
}

func addColumn(r *rand.Rand, s *shape) (change, bool) {
	name := s.freeName(r)
	if name == "" {
		return change{}, false
	}
	kind := ""
	if s.model == "AGGREGATE" {
		kind = []string{"MIN", "MAX", "REPLACE", "REPLACE_IF_NOT_NULL"}[r.IntN(4)] // a SUM's default would count once a load
	}
	after := len(s.columns) - 1 - r.IntN(s.added+1)
	sql := fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s INT %s DEFAULT \"%s\" AFTER %s", s.name, name, kind, laterDefault, s.valueName(after))
	return change{sql: sql, apply: func(o *oracle) {
		o.columns = slices.Insert(o.columns, after+1, name+" INT "+kind)
		if kind != "" {
			o.kinds = slices.Insert(o.kinds, after+1, kind)
		}
		o.added++
		o.eachRow(func(v []string) []string { return slices.Insert(v, after+1, laterDefault) })
	}}, true
}

func dropColumn(r *rand.Rand, s *shape) (change, bool) {
	at := s.later(r)
	if at < 0 {
		return change{}, false
	}
	return change{sql: fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s", s.name, s.valueName(at)), apply: func(o *oracle) {
		o.columns = slices.Delete(o.columns, at, at+1)
		if o.kinds != nil {
			o.kinds = slices.Delete(o.kinds, at, at+1)
		}
		o.added--
		o.eachRow(func(v []string) []string { return slices.Delete(v, at, at+1) })
	}}, true
}

// modifyColumn makes a column wider.
func modifyColumn(r *rand.Rand, s *shape) (change, bool) {
	at := s.later(r)
	if at < 0 || !strings.Contains(s.columns[at], " INT ") {
		return change{}, false
	}
	wider := strings.Replace(s.columns[at], " INT ", " BIGINT ", 1)
	return change{sql: fmt.Sprintf("ALTER TABLE %s MODIFY COLUMN %s DEFAULT \"%s\"", s.name, wider, laterDefault), apply: func(o *oracle) { o.columns[at] = wider }}, true
}

func renameColumn(r *rand.Rand, s *shape) (change, bool) {
	at, name := s.later(r), s.freeName(r)
	if at < 0 || name == "" {
		return change{}, false
	}
	old := s.valueName(at)
	return change{sql: fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s %s", s.name, old, name), apply: func(o *oracle) {
		o.columns[at] = name + strings.TrimPrefix(o.columns[at], old)
	}}, true
}

// orderColumns turns the columns of the key around, or those that came later.
func orderColumns(r *rand.Rand, s *shape) (change, bool) {
	base := len(s.columns) - s.added
	perm := r.Perm(s.added)
	swap := r.IntN(2) == 0 && !strings.Contains(s.rest, "PARTITION")
	if !swap && s.added < 2 {
		return change{}, false
	}
	swapped := s.swapped != swap
	names := []string{"k1", "k2"}
	if swapped {
		names = []string{"k2", "k1"}
	}
	for i := range base {
		names = append(names, s.valueName(i))
	}
	for _, i := range perm {
		names = append(names, s.valueName(base+i))
	}
	turn := func(list []string) []string {
		out := slices.Clone(list[:base])
		for _, i := range perm {
			out = append(out, list[base+i])
		}
		return out
	}
	return change{sql: fmt.Sprintf("ALTER TABLE %s ORDER BY (%s)", s.name, strings.Join(names, ", ")), apply: func(o *oracle) {
		o.swapped = swapped
		o.columns = turn(o.columns)
		if o.kinds != nil {
			o.kinds = turn(o.kinds)
		}
		o.eachRow(turn)
	}}, true
}

// changeIndex adds or drops an index, which is built in the background while loads go on.
func changeIndex(_ *rand.Rand, s *shape) (change, bool) {
	sql := s.index
	if s.indexed {
		sql = s.drop
	}
	return change{sql: sql, index: true, apply: func(o *oracle) { o.indexed = !o.indexed }}, s.index != ""
}

// replaceTable fills another table of the same form and puts it in the place.
func replaceTable(r *rand.Rand, s *shape) (change, bool) {
	if s.indexed {
		return change{}, false // the other one has no index
	}
	c := overwriteStep(r, s)
	fill := strings.Replace(c.sql, "INSERT OVERWRITE TABLE "+s.name+" ", "INSERT INTO next_"+s.name+" ", 1)
	c.before = []string{"DROP TABLE IF EXISTS next_" + s.name + " FORCE", "CREATE TABLE next_" + s.name + " LIKE " + s.name, fill}
	c.sql = "ALTER TABLE " + s.name + " REPLACE WITH TABLE next_" + s.name + " PROPERTIES('swap' = 'false')"
	return c, true
}

// firstPartition tells the rows of p1 of the partitioned tables: NULL is in the lowest partition.
func firstPartition(x *row) bool {
	v, ok := intOf(x.k1)
	return !ok || v < 10
}

func emptyPartition(r *rand.Rand, s *shape, sql func(name, values string) string) (change, bool) {
	first := r.IntN(2) == 0
	name, values := "p2", "LESS THAN MAXVALUE"
	if first {
		name, values = "p1", "[(\"-2147483648\"), (\"10\"))"
	}
	return change{sql: "ALTER TABLE " + s.name + " " + sql(name, values), apply: func(o *oracle) {
		match := func(x *row) bool { return firstPartition(x) == first }
		for k, x := range o.rows {
			if match(x) {
				delete(o.rows, k)
			}
		}
	}}, strings.Contains(s.rest, "PARTITION")
}

func truncatePartition(r *rand.Rand, s *shape) (change, bool) {
	c, ok := emptyPartition(r, s, func(name, _ string) string { return name })
	c.sql = "TRUNCATE TABLE " + s.name + " PARTITION(" + strings.TrimPrefix(c.sql, "ALTER TABLE "+s.name+" ") + ")"
	return c, ok
}

// dropPartition drops the last partition and makes it anew, in one statement.
func dropPartition(_ *rand.Rand, s *shape) (change, bool) {
	return change{sql: "ALTER TABLE " + s.name + " DROP PARTITION p2 FORCE, ADD PARTITION p2 VALUES LESS THAN MAXVALUE", apply: func(o *oracle) {
		for k, x := range o.rows {
			if !firstPartition(x) {
				delete(o.rows, k)
			}
		}
	}}, strings.Contains(s.rest, "PARTITION")
}

// definition is what world.columns gives.
func (o *oracle) definition() string {
	names := []string{"k1|int", "k2|varchar(20)"}
	if o.swapped {
		slices.Reverse(names)
	}
	for _, c := range o.columns {
		words := strings.Fields(c)
		names = append(names, words[0]+"|"+strings.ToLower(words[1]))
	}
	for i := range names {
		names[i] = fmt.Sprintf("%d|%s", i+101, names[i])
	}
	return strings.Join(names, ", ")
}
