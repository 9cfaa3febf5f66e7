package basalt

import (
	"fmt"
	"maps"
	"strings"

	"github.com/basaltdb/basalt/catalog"
)

// createHiveText is a statement with Hive's clauses that makes the table again, without its partitions.
func createHiveText(t *catalog.Table) string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if t.Kind == catalog.External {
		b.WriteString("EXTERNAL ")
	}
	var data, path []catalog.Column
	for i, c := range t.Columns {
		if isPathColumn(t, i) {
			path = append(path, c)
		} else {
			data = append(data, c)
		}
	}
	fmt.Fprintf(&b, "TABLE %s (\n", quoteName(t.Name))
	writeColumns(&b, data)
	b.WriteByte(')')
	if t.Comment != "" {
		b.WriteString("\nCOMMENT " + quoteText(t.Comment))
	}
	if len(path) > 0 {
		b.WriteString("\nPARTITIONED BY (\n")
		writeColumns(&b, path)
		b.WriteByte(')')
	}
	writeHiveBuckets(&b, t)
	rest := maps.Clone(t.Properties)
	writeRowFormat(&b, t, rest)
	fmt.Fprintf(&b, "\nSTORED AS %s", strings.ToUpper(t.Format))
	if t.Kind == catalog.External {
		b.WriteString("\nLOCATION " + quoteText(t.Location))
	}
	if len(rest) > 0 {
		b.WriteString("\nTBLPROPERTIES (\n" + propertiesText(rest, ",\n") + "\n)")
	}
	b.WriteByte(';')
	return b.String()
}

func writeHiveBuckets(b *strings.Builder, t *catalog.Table) {
	d := &t.Distribution
	if d.Kind != catalog.HashDistributed {
		return
	}
	fmt.Fprintf(b, "\nCLUSTERED BY (%s)", quoteNames(columnNames(t, d.Columns)))
	if len(d.Sorted) > 0 {
		b.WriteString("\nSORTED BY (" + strings.Join(hiveSort(t, quoteName), ", ") + ")")
	}
	fmt.Fprintf(b, "\nINTO %d BUCKETS", d.Buckets)
}

// hiveSort are the columns that t's files are ordered by, each as SORTED BY has it.
func hiveSort(t *catalog.Table, quote func(string) string) []string {
	var out []string
	for i, name := range columnNames(t, t.Distribution.Sorted) {
		item := quote(name)
		if i < len(t.Distribution.Descending) && t.Distribution.Descending[i] {
			item += " DESC"
		}
		out = append(out, item)
	}
	return out
}

// rowFormatClauses are the parts of ROW FORMAT DELIMITED with the properties that keep them. ESCAPED BY belongs to the
// first.
var rowFormatClauses = []struct{ clause, key string }{
	{"FIELDS TERMINATED BY", "field.delim"}, {"ESCAPED BY", "escape.delim"}, {"COLLECTION ITEMS TERMINATED BY", "collection.delim"},
	{"MAP KEYS TERMINATED BY", "mapkey.delim"}, {"LINES TERMINATED BY", "line.delim"}, {"NULL DEFINED AS", "serialization.null.format"},
}

// writeRowFormat writes ROW FORMAT and takes what it says out of rest.
func writeRowFormat(b *strings.Builder, t *catalog.Table, rest map[string]string) {
	if serde := rest["serialization.lib"]; serde != "" {
		b.WriteString("\nROW FORMAT SERDE " + quoteText(serde))
		delete(rest, "serialization.lib")
		return
	}
	if t.Format != formatText {
		return
	}
	started := false
	for _, c := range rowFormatClauses {
		v, ok := rest[c.key]
		if !ok || c.key == "escape.delim" && rest["field.delim"] == "" && !started {
			continue
		}
		if !started {
			b.WriteString("\nROW FORMAT DELIMITED")
			started = true
		}
		b.WriteString("\n  " + c.clause + " " + quoteText(v))
		delete(rest, c.key)
	}
}
