package explain

import (
	"fmt"
	"strings"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// scan prints what is read: the lines of Doris's OlapScanNode where the table has a layout.
func (d *description) scan(n *physical.Scan) {
	layout := layoutOf(n)
	d.name = scanName(n, layout)
	table := n.Table
	if n.Alias != "" && n.Alias != n.Table && !strings.HasSuffix(n.Table, "."+n.Alias) {
		table += " " + n.Alias
	}
	d.add("TABLE: %s", table)
	if names := columnNames(n); names != "" {
		d.add("COLUMNS: %s", names)
	}
	if layout != nil && layout.Kind != storage.PathPartitions {
		d.add("PREAGGREGATION: %s", preaggregation(n))
	}
	if len(n.Filters) > 0 {
		conds := make([]string, len(n.Filters))
		for i, f := range n.Filters {
			conds[i] = expr.String(f.Cond)
		}
		d.add("PREDICATES: %s", strings.Join(conds, ", "))
	}
	d.usesFilters(n)
	if layout != nil {
		d.selection(n, layout)
	}
	d.limit = n.Limit
}

// preaggregation tells whether rows of equal keys reach the plan as they are stored, in parts.
func preaggregation(n *physical.Scan) string {
	if m, ok := n.Source.(storage.Merged); ok {
		if keys, _ := m.Merging(); keys != nil {
			why := n.Preaggregation
			if why == "" {
				why = "null" // nobody asked
			}
			return "OFF. Reason: " + why
		}
	}
	return "ON"
}

// scanName is Doris's name for what is scanned.
func scanName(n *physical.Scan, layout *storage.Layout) string {
	switch {
	case layout != nil && layout.Kind == storage.PathPartitions:
		return "HIVE_SCAN_NODE"
	case layout != nil:
		return "OlapScanNode"
	case strings.HasPrefix(n.Table, "information_schema."):
		return "SCHEMA_SCAN"
	case strings.HasPrefix(n.Table, "'"), n.Table == "local":
		return "FILE_SCAN_NODE"
	case n.Table == "numbers":
		return "DataGenScanNode"
	}
	return "OlapScanNode"
}

func layoutOf(n *physical.Scan) *storage.Layout {
	if p, ok := n.Source.(storage.Partitioned); ok {
		return p.Layout()
	}
	return nil
}

// listedTablets is how many tablets are named, as in Doris.
const listedTablets = 10

// selection prints what pruning left of partitions and buckets.
func (d *description) selection(n *physical.Scan, l *storage.Layout) {
	sel := n.Selection
	if sel == nil {
		sel = n.Source.(storage.Partitioned).Selection()
	}
	if sel == nil {
		sel = l.Full()
	}
	d.add("partitions=%d/%d", len(sel.Partitions), len(l.Partitions))
	if l.Kind == storage.PathPartitions && l.Bucketing == nil {
		return
	}
	if l.Kind != storage.PathPartitions {
		name := n.Table
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			name = name[i+1:]
		}
		if n.Index != "" {
			name = n.Index
		}
		d.add("rollup: %s", name)
	}
	selected, total := sel.Tablets(l)
	d.add("tabletRatio=%d/%d", selected, total)
	var ids []string
	for i, p := range sel.Partitions {
		part := &l.Partitions[p]
		buckets, all := sel.BucketsOf(i)
		if all {
			for b := range max(part.Buckets, 1) {
				ids = append(ids, fmt.Sprint(part.FirstTablet+int64(b)))
			}
		}
		for _, b := range buckets {
			ids = append(ids, fmt.Sprint(part.FirstTablet+int64(b)))
		}
		if len(ids) > listedTablets {
			ids = append(ids[:listedTablets], "...")
			break
		}
	}
	if l.Kind != storage.PathPartitions {
		d.add("tabletList=%s", strings.ReplaceAll(strings.Join(ids, ","), ",...", " ..."))
	}
}

// afterCardinality are a scan's lines behind its row count.
func (t *text) afterCardinality(n *physical.Scan) []string {
	width := 0.0
	var stats *storage.Stats
	if n.Source != nil {
		stats = n.Source.Stats()
	}
	for i, c := range n.Cols {
		w := float64(c.T.Physical().Size())
		if stats != nil && n.Columns[i] < len(stats.Columns) && stats.Columns[n.Columns[i]].AvgBytes > 0 && c.T.IsString() {
			w = stats.Columns[n.Columns[i]].AvgBytes
		}
		width += w
	}
	if t.opts.Stable {
		return []string{"avgRowSize=*", "numNodes=1"}
	}
	return []string{fmt.Sprintf("avgRowSize=%.1f", width), "numNodes=1"}
}

func columnNames(n *physical.Scan) string {
	out := make([]string, len(n.Columns))
	for i, c := range n.Columns {
		out[i] = sourceColumn(n, c)
	}
	return strings.Join(out, ", ")
}

// sourceColumn is the name of a column of the table, read or not.
func sourceColumn(n *physical.Scan, ordinal int) string {
	for i, c := range n.Columns {
		if c == ordinal {
			return n.Cols[i].Name
		}
	}
	return n.Source.Columns()[ordinal].Name
}
