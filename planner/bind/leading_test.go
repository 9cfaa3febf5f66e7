package bind_test

import (
	"strings"
	"testing"

	"github.com/basaltdb/basalt/planner/logical"
)

// TestLeading checks the order of joins that hints give, and what is said of hints that give none.
func TestLeading(t *testing.T) {
	const three = " count(*) FROM t JOIN u ON t.a = u.a JOIN v ON u.b = v.a"
	for _, c := range []struct{ sql, order, log string }{
		{"SELECT /*+ LEADING(v u t) */" + three, "((v u) t)", "Used: leading(v u t)"},
		{"SELECT /*+ LEADING(t {v u}) */" + three, "(t (v u))", "Used: leading(t {v u})"},
		{"SELECT /*+ leading(t {u [shuffle] v}) */" + three, "(t (u v[shuffle]))", "Used: leading(t {u [shuffle] v})"},
		{"SELECT /*+ LEADING(u broadcast t shuffle v) */" + three, "((u t[broadcast]) v[shuffle])", "Used: leading(u broadcast t shuffle v)"},
		{"SELECT /*+ ORDERED */" + three, "((t u) v)", "Used: ordered"},
		{"SELECT /*+ LEADING(q w e) */ count(*) FROM t q, u w, v e WHERE q.a = w.a AND w.b = e.a", "((t u) v)", "Used: leading(q w e)"},
		// Outer and semi joins keep what they need on each side.
		{"SELECT /*+ LEADING(u t v) */ count(*) FROM t LEFT JOIN u ON t.a = u.a JOIN v ON t.b = v.a", "((u right t) v)", "Used: leading(u t v)"},
		{"SELECT /*+ LEADING({t v} u) */ count(*) FROM t LEFT JOIN u ON t.a = u.a JOIN v ON t.b = v.a", "((t v) left u)", "Used: leading({t v} u)"},
		{"SELECT /*+ LEADING(v {u t}) */ count(*) FROM t LEFT JOIN u ON t.a = u.a JOIN v ON t.b = v.a", "(v (u right t))", "Used: leading(v {u t})"},
		{"SELECT /*+ LEADING(t {u v}) */ count(*) FROM t LEFT JOIN u ON t.a = u.a JOIN v ON u.b = v.a", "((t left u) v)", "UnUsed: leading(t {u v}) Msg:outer and semi joins do not allow this order"},
		{"SELECT /*+ LEADING(v t u) */ count(*) FROM t LEFT SEMI JOIN u ON t.a = u.a JOIN v ON t.b = v.a", "((v t) semi u)", "Used: leading(v t u)"},
		{"SELECT /*+ LEADING(v u t) */ count(*) FROM t FULL JOIN u ON t.a = u.a JOIN v ON t.b = v.a", "((t full u) v)", "UnUsed: leading(v u t) Msg:outer and semi joins do not allow this order"},
		// What cannot be followed.
		{"SELECT /*+ LEADING(t u) */" + three, "((t u) v)", "UnUsed: leading(t u) Msg:it does not name all tables of FROM"},
		{"SELECT /*+ LEADING(t u w) */" + three, "((t u) v)", "SyntaxError: leading(t u w) Msg:can not find table: w"},
		{"SELECT /*+ LEADING(t u u) */" + three, "((t u) v)", "SyntaxError: leading(t u u) Msg:one table is named twice"},
		{"SELECT /*+ LEADING(t {u v) */" + three, "((t u) v)", "SyntaxError: leading(t {u v) Msg:a group does not end"},
		{"SELECT /*+ LEADING(t u} v) */" + three, "((t u) v)", "SyntaxError: leading(t u} v) Msg:unexpected }"},
		{"SELECT /*+ LEADING() */" + three, "((t u) v)", "SyntaxError: leading Msg:it names no table"},
		{"SELECT /*+ LEADING(t shuffle) */" + three, "((t u) v)", "SyntaxError: leading(t shuffle) Msg:shuffle stands after the last table"},
		{"SELECT /*+ LEADING(v u t) ORDERED */" + three, "((t u) v)", "UnUsed: leading(v u t) Msg:ORDERED decides the order"},
		{"SELECT /*+ LEADING(v u t) LEADING(t u v) */" + three, "((v u) t)", "UnUsed: leading(t u v) Msg:one LEADING is enough"},
		{"SELECT /*+ QUICKLY */" + three, "((t u) v)", "UnUsed: quickly Msg:not a known hint"},
		{"SELECT /*+ ORDERED */ a FROM t", "t", "UnUsed: ordered"},
	} {
		b, err := bindText(c.sql)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		if got := shapeOf(b.Plan); got != c.order {
			t.Errorf("%s: %s, want %s", c.sql, got, c.order)
		}
		if log := b.HintLog(); !strings.Contains(log+"\n", "\n"+c.log+"\n") {
			t.Errorf("%s: log %q, want %q", c.sql, log, c.log)
		}
	}
	b, err := bindText("SELECT a FROM t")
	if err != nil || b.HintLog() != "" {
		t.Errorf("without hints: %v %q", err, b.HintLog())
	}
}

// shapeOf shows the joins of a plan.
func shapeOf(n logical.Node) string {
	switch n := n.(type) {
	case *logical.Scan:
		return strings.TrimPrefix(n.Table, "test.")
	case *logical.Join:
		kind := map[logical.JoinKind]string{logical.Left: "left ", logical.Right: "right ", logical.Full: "full ", logical.Semi: "semi "}[n.Kind]
		hint := ""
		if n.Hint != "" {
			hint = "[" + n.Hint + "]"
		}
		return "(" + shapeOf(n.LeftInput) + " " + kind + shapeOf(n.RightInput) + hint + ")"
	}
	return shapeOf(n.Children()[0])
}
