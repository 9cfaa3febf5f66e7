package explain

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
)

// Graph is EXPLAIN GRAPH: the plan as boxes, inputs below their operator.
func Graph(p *fragment.Plan) string {
	roots := []physical.Node{p.Root}
	for _, c := range p.CTEs {
		roots = append(roots, c.Plan)
	}
	var out []string
	for i, r := range roots {
		if i > 0 {
			out = append(out, "", fmt.Sprintf("SHARED PLAN %d: %s", p.CTEs[i-1].ID, p.CTEs[i-1].Name))
		}
		out = append(out, drawing(r).lines...)
	}
	for i := range out {
		out[i] = strings.TrimRight(out[i], " ")
	}
	return strings.Join(out, "\n")
}

// picture is a rectangle of text; root is the column of its operator's middle.
type picture struct {
	lines []string
	width int
	root  int
}

// drawing puts a node's box over the drawings of its inputs, side by side.
func drawing(n physical.Node) picture {
	const gap = 2
	b := box(n)
	var inputs []picture
	width := 0
	for i, c := range n.Children() {
		if i > 0 {
			width += gap
		}
		d := drawing(c)
		inputs = append(inputs, d)
		width += d.width
	}
	if len(inputs) == 0 {
		return b
	}
	height := 0
	var middles []int
	at := 0
	for _, d := range inputs {
		height = max(height, len(d.lines))
		middles = append(middles, at+d.root)
		at += d.width + gap
	}
	root := (middles[0] + middles[len(middles)-1]) / 2
	shift := max(0, b.root-root) // of the inputs, when the box is the wider
	left := root + shift - b.root
	out := picture{width: max(width+shift, left+b.width), root: root + shift}
	for _, l := range b.lines {
		out.lines = append(out.lines, padded(strings.Repeat(" ", left)+l, out.width))
	}
	out.lines = append(out.lines, connector(middles, root, shift, out.width))
	for i := range height {
		var row strings.Builder
		row.WriteString(strings.Repeat(" ", shift))
		for k, d := range inputs {
			if k > 0 {
				row.WriteString(strings.Repeat(" ", gap))
			}
			line := ""
			if i < len(d.lines) {
				line = d.lines[i]
			}
			row.WriteString(padded(line, d.width))
		}
		out.lines = append(out.lines, padded(row.String(), out.width))
	}
	return out
}

// connector is the line between an operator and its inputs.
func connector(middles []int, root, shift, width int) string {
	row := []rune(strings.Repeat(" ", width))
	first, last := middles[0]+shift, middles[len(middles)-1]+shift
	for i := first; i <= last; i++ {
		row[i] = '─'
	}
	row[root+shift] = '┴'
	for _, m := range middles {
		row[m+shift] = '│'
	}
	if first != last {
		row[first], row[last] = '┌', '┐'
	}
	return string(row)
}

func box(n physical.Node) picture {
	d := describe(n)
	lines := []string{fmt.Sprintf("[%d: %s]", n.Base().ID, d.name)}
	if len(d.lines) > 0 {
		lines = append(lines, d.lines[0])
	}
	width := 0
	for _, l := range lines {
		width = max(width, utf8.RuneCountInString(l))
	}
	rule := strings.Repeat("─", width)
	out := picture{lines: []string{"┌" + rule + "┐"}, width: width + 2, root: (width + 2) / 2}
	for _, l := range lines {
		out.lines = append(out.lines, "│"+padded(l, width)+"│")
	}
	out.lines = append(out.lines, "└"+rule+"┘")
	return out
}

func padded(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
