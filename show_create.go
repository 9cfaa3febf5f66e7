package basalt

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/partition"
)

func (x *execution) showCreateTable(st *ast.Show) (*result, error) {
	n := st.Name
	if n.Database == "" {
		n.Database = x.s.Database()
	}
	if v := x.snapshot.View(n.Database, n.Name); v != nil {
		r := newResult(textCols("View", "Create View", "character_set_client", "collation_connection"))
		r.Add(str(v.Name), str(createViewText(v)), str("utf8mb4"), str("utf8mb4_0900_bin"))
		return r, nil
	}
	if _, err := x.columnsOfName(n); err != nil {
		return nil, err
	}
	r := newResult(textCols("Table", "Create Table"))
	r.Add(str(n.Name), str(createTableText(x.snapshot.Table(n.Database, n.Name))))
	return r, nil
}

// createViewText is a statement that makes a view again, with the names and comments of its columns.
func createViewText(v *catalog.View) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE VIEW %s", quoteName(v.Name))
	for i, c := range v.Columns {
		b.WriteString([]string{" (", ", "}[min(i, 1)] + quoteName(c.Name))
		if c.Comment != "" {
			b.WriteString(" COMMENT " + quoteText(c.Comment))
		}
	}
	if len(v.Columns) > 0 {
		b.WriteByte(')')
	}
	if v.Comment != "" {
		b.WriteString(" COMMENT " + quoteText(v.Comment))
	}
	return b.String() + " AS " + v.Text
}

// createTableText is a statement that makes the table again: in Doris's layout, with every
// partition but the temporary ones. Buckets of single partitions that differ from the
// table's cannot be written there and are lost.
func createTableText(t *catalog.Table) string {
	if t.Hive {
		return createHiveText(t)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", quoteName(t.Name))
	writeColumns(&b, t.Visible())
	b.WriteByte(')')
	if t.Kind == catalog.Internal {
		writeKeys(&b, t)
	}
	if t.Comment != "" {
		b.WriteString("\nCOMMENT " + quoteText(t.Comment))
	}
	writePartitions(&b, t)
	writeDistribution(&b, t)
	writeProperties(&b, t.Properties)
	b.WriteByte(';')
	return b.String()
}

// writeColumns writes column definitions, a line each.
func writeColumns(b *strings.Builder, cols []catalog.Column) {
	for i, c := range cols {
		fmt.Fprintf(b, "  %s %s", quoteName(c.Name), c.Type)
		if c.Aggregation != function.NoAggregation {
			b.WriteString(" " + c.Aggregation.String())
		}
		if !c.Nullable {
			b.WriteString(" NOT NULL")
		} else {
			b.WriteString(" NULL")
		}
		if c.Default != nil {
			b.WriteString(" DEFAULT " + *c.Default)
		}
		if c.Comment != "" {
			b.WriteString(" COMMENT " + quoteText(c.Comment))
		}
		if i < len(cols)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
}

// isDorisTable tells tables that a definition with Doris's clauses made.
func isDorisTable(t *catalog.Table) bool {
	return t.Partitioning != nil || t.Distribution.Kind != catalog.NotDistributed || len(t.Distribution.Sorted) > 0
}

func writeKeys(b *strings.Builder, t *catalog.Table) {
	if !isDorisTable(t) {
		return
	}
	b.WriteString(" ENGINE=OLAP")
	if len(t.Distribution.Sorted) > 0 {
		fmt.Fprintf(b, "\n%s KEY(%s)", t.Model, quoteNames(columnNames(t, t.Distribution.Sorted)))
	}
}

func quoteNames(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quoteName(n)
	}
	return strings.Join(out, ", ")
}

func writePartitions(b *strings.Builder, t *catalog.Table) {
	p := t.Partitioning
	if p == nil {
		return
	}
	b.WriteByte('\n')
	if p.Auto {
		b.WriteString("AUTO ")
	}
	kind, cols := "RANGE", quoteNames(columnNames(t, p.Columns))
	if p.Kind == storage.ListPartitions {
		kind = "LIST"
	}
	if p.Unit != "" {
		cols = fmt.Sprintf("date_trunc(%s, '%s')", cols, p.Unit)
	}
	fmt.Fprintf(b, "PARTITION BY %s(%s)\n(", kind, cols)
	types := partitionTypes(t)
	for i, part := range partitionsInOrder(t, false) {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(b, "PARTITION %s %s", quoteName(part.Name), partition.DefinitionSQL(types, &part.Bounds))
		if len(part.Properties) > 0 {
			b.WriteString(" (" + propertiesText(part.Properties, ", ") + ")")
		}
	}
	b.WriteByte(')')
}

func writeDistribution(b *strings.Builder, t *catalog.Table) {
	d := &t.Distribution
	switch d.Kind {
	case catalog.NotDistributed:
		return
	case catalog.HashDistributed:
		fmt.Fprintf(b, "\nDISTRIBUTED BY HASH(%s)", quoteNames(columnNames(t, d.Columns)))
	default:
		b.WriteString("\nDISTRIBUTED BY RANDOM")
	}
	if d.Auto {
		b.WriteString(" BUCKETS AUTO")
	} else {
		fmt.Fprintf(b, " BUCKETS %d", d.Buckets)
	}
}

func writeProperties(b *strings.Builder, props map[string]string) {
	if len(props) > 0 {
		b.WriteString("\nPROPERTIES (\n" + propertiesText(props, ",\n") + "\n)")
	}
}

func propertiesText(props map[string]string, separator string) string {
	quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(props)) {
		parts = append(parts, quote(k)+" = "+quote(props[k]))
	}
	return strings.Join(parts, separator)
}
