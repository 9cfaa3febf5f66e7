package bind

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// HintUse says what became of an optimizer hint.
type HintUse struct {
	Text    string // as written, names in lower case
	Outcome string // "Used", "UnUsed", "SyntaxError"
	Message string // why it was not used
}

// HintLog is the end of EXPLAIN that tells what became of the hints, a line each; "" without hints.
func (b *Bound) HintLog() string {
	if len(b.Hints) == 0 {
		return ""
	}
	out := "Hint log:"
	for _, outcome := range []string{"Used", "UnUsed", "SyntaxError"} {
		out += "\n" + outcome + ":"
		for _, h := range b.Hints {
			if h.Outcome != outcome {
				continue
			}
			out += " " + h.Text
			if h.Message != "" {
				out += " Msg:" + h.Message
			}
		}
	}
	return out
}

func hintText(h ast.Hint) string {
	text := strings.ToLower(h.Name)
	if h.Args != "" {
		text += "(" + h.Args + ")"
	}
	return text
}

// orderHints applies ORDERED and LEADING to the joins of a FROM clause. ORDERED, which wins, is in the joins already.
// Hints never fail a statement: what cannot be followed is in the log.
func (b *binder) orderHints(q *ast.Select, from *fromItem) {
	ordered, followed := hasHint(q, "ORDERED"), false
	for _, h := range q.Hints {
		use := HintUse{Text: hintText(h), Outcome: "UnUsed"}
		switch h.Name {
		case "SET_VAR":
			continue
		case "ORDERED":
			if _, ok := from.node.(*logical.Join); ok {
				use.Outcome = "Used"
			}
		case "LEADING":
			switch {
			case ordered:
				use.Message = "ORDERED decides the order"
			case followed:
				use.Message = "one LEADING is enough"
			default:
				use.Outcome, use.Message = b.leading(h.Args, from)
				followed = use.Outcome == "Used"
			}
		default:
			use.Message = "not a known hint"
		}
		b.hints = append(b.hints, use)
	}
}

// leading joins the items of from in the order of a LEADING hint.
func (b *binder) leading(args string, from *fromItem) (outcome, message string) {
	order, err := parseLeading(args)
	if err != "" {
		return "SyntaxError", err
	}
	l := &leadingJoins{}
	l.flatten(from.node)
	if len(l.leaves) > 60 {
		return "UnUsed", "too many tables"
	}
	if msg := l.name(order, from.rels); msg != "" {
		return "SyntaxError", msg
	}
	if all := uint64(1)<<len(l.leaves) - 1; order.set != all || len(l.leaves) < 2 {
		return "UnUsed", "it does not name all tables of FROM"
	}
	node := l.build(order)
	if node == nil || !l.complete() {
		return "UnUsed", "outer and semi joins do not allow this order"
	}
	from.node = node
	return "Used", ""
}

// leadingTree is the order that a hint asks for: a table, or two parts that are joined, the right one being the build side.
type leadingTree struct {
	table        string
	left, right  *leadingTree
	distribution string // of the right part
	set          uint64 // of leaves
}

// parseLeading reads "t1 {t2 [broadcast] t3} shuffle t4": parts from left to right, groups in braces.
func parseLeading(text string) (*leadingTree, string) {
	for _, c := range "{}[]" {
		text = strings.ReplaceAll(text, string(c), " "+string(c)+" ")
	}
	words := strings.Fields(text)
	tree, rest, err := leadingParts(words, false)
	if err == "" && len(rest) > 0 {
		err = "unexpected " + rest[0]
	}
	return tree, err
}

func leadingParts(words []string, inGroup bool) (tree *leadingTree, rest []string, err string) {
	distribution := ""
	for len(words) > 0 {
		w := words[0]
		var part *leadingTree
		switch {
		case w == "}" && inGroup:
			if tree == nil || distribution != "" {
				return nil, nil, "a group ends without a table"
			}
			return tree, words[1:], ""
		case w == "{":
			if part, words, err = leadingParts(words[1:], true); err != "" {
				return nil, nil, err
			}
		case w == "[" && len(words) > 2 && words[2] == "]" && isDistribution(words[1]):
			distribution, words = strings.ToLower(words[1]), words[3:]
			continue
		case isDistribution(w):
			distribution, words = strings.ToLower(w), words[1:]
			continue
		case strings.ContainsAny(w, "{}[]"):
			return nil, nil, "unexpected " + w
		default:
			part, words = &leadingTree{table: strings.Trim(w, "`,")}, words[1:]
		}
		switch {
		case tree != nil:
			tree = &leadingTree{left: tree, right: part, distribution: distribution}
		case distribution != "":
			return nil, nil, distribution + " stands before the first table"
		default:
			tree = part
		}
		distribution = ""
	}
	switch {
	case inGroup:
		return nil, nil, "a group does not end"
	case tree == nil:
		return nil, nil, "it names no table"
	case distribution != "":
		return nil, nil, distribution + " stands after the last table"
	}
	return tree, nil, ""
}

func isDistribution(w string) bool {
	return strings.EqualFold(w, "shuffle") || strings.EqualFold(w, "broadcast")
}

// leadingJoins is a FROM clause taken apart: sets are of leaves, in the order of the text.
type leadingJoins struct {
	leaves []logical.Node
	conds  []leadingCond
	outer  []leadingOuter
}

// leadingCond is a condition of inner joins.
type leadingCond struct {
	e      expr.Expr
	reads  uint64
	origin uint64 // the leaves below the join that it was written at
	placed bool
}

// leadingOuter is a join that is not an inner one.
type leadingOuter struct {
	join        *logical.Join
	kind        logical.JoinKind // right joins are turned to left ones
	left, right uint64
	reads       uint64
	placed      bool
}

// flatten collects the parts below n and gives their set.
func (l *leadingJoins) flatten(n logical.Node) uint64 {
	j, ok := n.(*logical.Join)
	if !ok || j.Kind == logical.Mark || j.Kind == logical.Single || j.Kind == logical.NullAwareAnti {
		l.leaves = append(l.leaves, n)
		return 1 << (len(l.leaves) - 1)
	}
	left, right := l.flatten(j.LeftInput), l.flatten(j.RightInput)
	if j.Kind == logical.Inner {
		for _, c := range j.On {
			l.conds = append(l.conds, leadingCond{e: c, reads: l.reads(expr.Columns(c)), origin: left | right})
		}
		return left | right
	}
	o := leadingOuter{join: j, kind: j.Kind, left: left, right: right}
	if j.Kind == logical.Right {
		o.kind, o.left, o.right = logical.Left, right, left
	}
	for _, c := range j.On {
		o.reads |= l.reads(expr.Columns(c))
	}
	l.outer = append(l.outer, o)
	return left | right
}

func (l *leadingJoins) reads(cols expr.ColumnSet) uint64 {
	var set uint64
	for i, n := range l.leaves {
		if logical.Outputs(n).Intersects(cols) {
			set |= 1 << i
		}
	}
	return set
}

// name finds the leaves of the hint's tables; the answer is what is wrong.
func (l *leadingJoins) name(t *leadingTree, rels []*relation) string {
	if t.table == "" {
		if msg := l.name(t.left, rels); msg != "" {
			return msg
		}
		if msg := l.name(t.right, rels); msg != "" {
			return msg
		}
		if both := t.left.set & t.right.set; both != 0 {
			return "one table is named twice"
		}
		t.set = t.left.set | t.right.set
		return ""
	}
	for _, r := range rels {
		if !strings.EqualFold(r.name, t.table) || len(r.cols) == 0 {
			continue
		}
		for i, n := range l.leaves {
			if logical.Outputs(n).Has(r.cols[0].col.ID) {
				t.set = 1 << i
				return ""
			}
		}
	}
	for i, n := range l.leaves { // right inputs of semi joins are not visible
		if s, ok := n.(*logical.Scan); ok && (strings.EqualFold(s.Alias, t.table) || s.Alias == "" && strings.EqualFold(s.Table[strings.LastIndexByte(s.Table, '.')+1:], t.table)) {
			t.set = 1 << i
			return ""
		}
	}
	return fmt.Sprintf("can not find table: %s", t.table)
}

// build joins the leaves in the order of t; nil where a join that is not an inner one forbids it.
func (l *leadingJoins) build(t *leadingTree) logical.Node {
	if t.table != "" {
		return l.under(t.set, l.leaves[bits.TrailingZeros64(t.set)])
	}
	a, b := l.build(t.left), l.build(t.right)
	if a == nil || b == nil {
		return nil
	}
	for i := range l.outer {
		o := &l.outer[i]
		if o.placed || o.reads&^t.set != 0 {
			continue
		}
		straight := o.right == t.right.set && (o.kind != logical.Full || o.left == t.left.set)
		swapped := o.right == t.left.set && (o.kind != logical.Full || o.left == t.right.set)
		if !straight && !swapped {
			continue
		}
		o.placed = true
		if !l.allowed(t.set) {
			return nil
		}
		j := &logical.Join{Kind: o.kind, LeftInput: a, RightInput: b, On: o.join.On, Hint: t.distribution, NoReorder: true}
		if swapped {
			switch o.kind {
			case logical.Left:
				j.Kind = logical.Right
			case logical.Full:
			default: // semi and anti joins keep their left rows
				j.LeftInput, j.RightInput = b, a
			}
		}
		return l.under(t.set, j)
	}
	if !l.allowed(t.set) {
		return nil
	}
	return &logical.Join{Kind: logical.Inner, LeftInput: a, RightInput: b, On: l.take(t.set), Hint: t.distribution, NoReorder: true}
}

// allowed reports that set mixes no side of a join that is still to come with other tables.
func (l *leadingJoins) allowed(set uint64) bool {
	for _, o := range l.outer {
		if o.placed {
			continue
		}
		if set&o.right != 0 && set&^o.right != 0 || o.kind == logical.Full && set&o.left != 0 && set&^o.left != 0 {
			return false
		}
	}
	return true
}

// take are the conditions that can be judged over set and belong there: one that was written above an outer join does
// not go below it.
func (l *leadingJoins) take(set uint64) []expr.Expr {
	var out []expr.Expr
	for i := range l.conds {
		c := &l.conds[i]
		ok := !c.placed && c.reads&^set == 0
		for _, o := range l.outer {
			ok = ok && (set&^o.right != 0 || c.origin&^o.right == 0)
			if o.kind == logical.Full {
				ok = ok && (set&^o.left != 0 || c.origin&^o.left == 0)
			}
		}
		if ok {
			c.placed = true
			out = append(out, c.e)
		}
	}
	return out
}

func (l *leadingJoins) under(set uint64, n logical.Node) logical.Node {
	if conds := l.take(set); len(conds) > 0 {
		return &logical.Filter{Input: n, Conds: conds}
	}
	return n
}

// complete reports that every join and condition has its place.
func (l *leadingJoins) complete() bool {
	for _, o := range l.outer {
		if !o.placed {
			return false
		}
	}
	for _, c := range l.conds {
		if !c.placed {
			return false
		}
	}
	return true
}
