package parser

import "github.com/basaltdb/basalt/parser/ast"

const (
	maxCube = 12   // 4,096 sets
	maxSets = 4096 // of one GROUP BY
)

// groupMark is the one item of GROUP BY; its sets list argument numbers.
type groupMark struct {
	pos   ast.Pos
	kind  ast.GroupKind
	sets  [][]int
	count int
}

// groupPart is one element of GROUP BY: an expression, or a form that stands for sets.
type groupPart struct {
	expr  bool
	kind  ast.GroupKind
	units [][]int // of ROLLUP and CUBE
	sets  [][]int
}

// combine makes the clause's kind and sets from its elements. ROLLUP or CUBE alone over
// single expressions keeps its kind; any other mix is written out as sets.
func (g *groupMark) combine(p *parser, parts []groupPart, numExprs int) {
	if len(parts) == 1 && !parts[0].expr {
		part := parts[0]
		if part.kind != ast.GroupSets && allSingle(part.units) {
			g.kind = part.kind
			return
		}
		g.kind, g.sets = ast.GroupSets, part.sets
		return
	}
	plain := true
	for _, part := range parts {
		plain = plain && part.expr
	}
	if plain {
		return
	}
	sets := [][]int{{}}
	for _, part := range parts {
		var product [][]int
		if len(sets)*len(part.sets) > maxSets {
			p.fail("too many grouping sets")
		}
		for _, left := range sets {
			for _, right := range part.sets {
				product = append(product, append(append([]int{}, left...), right...))
			}
		}
		sets = product
	}
	g.kind, g.sets = ast.GroupSets, sets
}

func allSingle(units [][]int) bool {
	for _, u := range units {
		if len(u) != 1 {
			return false
		}
	}
	return true
}

// rollupSets lists the prefixes of units, longest first.
func rollupSets(units [][]int) [][]int {
	var sets [][]int
	for n := len(units); n >= 0; n-- {
		sets = append(sets, flatten(units[:n]))
	}
	return sets
}

// cubeSets lists all subsets of units, all of them first.
func cubeSets(units [][]int) [][]int {
	var sets [][]int
	for bits := 1<<len(units) - 1; bits >= 0; bits-- {
		var chosen [][]int
		for i := range units {
			if bits&(1<<(len(units)-1-i)) != 0 {
				chosen = append(chosen, units[i])
			}
		}
		sets = append(sets, flatten(chosen))
	}
	return sets
}

func flatten(units [][]int) []int {
	set := []int{}
	for _, u := range units {
		set = append(set, u...)
	}
	return set
}
