package explain

import (
	"fmt"
	"strings"

	"github.com/basaltdb/basalt/planner/physical"
)

// makesFilters prints the runtime filters that an operator makes of its keys.
func (d *description) makesFilters(list []physical.RuntimeFilter, key func(int) string) {
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = filterName(f.ID, f.Kind) + " <- " + key(f.Key)
	}
	if len(out) > 0 {
		d.add("runtime filters: %s", strings.Join(out, ", "))
	}
}

// usesFilters prints the runtime filters that a scan applies.
func (d *description) usesFilters(n *physical.Scan) {
	out := make([]string, len(n.RuntimeFilters))
	for i, f := range n.RuntimeFilters {
		out[i] = filterName(f.ID, f.Kind) + " -> " + sourceColumn(n, f.Column)
	}
	if len(out) > 0 {
		d.add("runtime filters: %s", strings.Join(out, ", "))
	}
}

func filterName(id int, kind physical.FilterKind) string {
	if kind == 0 {
		kind = physical.DefaultFilters
	}
	return fmt.Sprintf("RF%03d[%s]", id, kind)
}
