package bind

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// windowScope is where calls with OVER may stand, and the windows that they may name: the select list, QUALIFY and
// ORDER BY of one query block.
type windowScope struct {
	named map[string]*ast.WindowSpec
	// inSpec is the name of the window whose definition is being bound, "<unnamed window>" for one without.
	inSpec string
}

// windowScope collects the WINDOW clause. References among its windows are followed where one is used.
func (b *binder) windowScope(q *ast.Select) (*windowScope, error) {
	ws := &windowScope{named: map[string]*ast.WindowSpec{}}
	for i := range q.Windows {
		w := &q.Windows[i]
		name := folded(w.Name)
		if _, ok := ws.named[name]; ok {
			return nil, sqlerr.New(windowTwice, "Window '%s' is defined twice", w.Name).At(w.Position())
		}
		ws.named[name] = w.Spec
	}
	for i := range q.Windows { // errors in windows that nobody uses are errors, too
		if _, err := ws.resolve(q.Windows[i].Spec, nil); err != nil {
			return nil, err
		}
	}
	return ws, nil
}

// in is s with calls with OVER allowed; a nil scope allows none.
func (ws *windowScope) in(s *scope) *scope {
	s.windows = ws
	return s
}

// resolve merges a window with those that it refers to.
func (ws *windowScope) resolve(w *ast.WindowSpec, seen []string) (*ast.WindowSpec, error) {
	if w.Ref == "" {
		return w, nil
	}
	name := folded(w.Ref)
	for _, s := range seen {
		if s == name {
			return nil, sqlerr.New(windowCircular, "There is a circularity in the window dependency graph").At(w.Position())
		}
	}
	base, ok := ws.named[name]
	if !ok {
		return nil, sqlerr.New(windowUnknown, "Window name '%s' is not defined", w.Ref).At(w.Position())
	}
	base, err := ws.resolve(base, append(seen, name))
	if err != nil {
		return nil, err
	}
	if len(w.PartitionBy) == 0 && len(w.OrderBy) == 0 && w.Frame == nil {
		return base, nil
	}
	switch {
	case len(w.PartitionBy) > 0:
		return nil, sqlerr.New(windowRepartitioned, "A window which depends on another cannot define partitioning").At(w.Position())
	case base.Frame != nil:
		return nil, sqlerr.New(windowHasFrame, "Window '%s' has a frame definition, so cannot be referenced by another window", w.Ref).At(w.Position())
	case len(w.OrderBy) > 0 && len(base.OrderBy) > 0:
		return nil, sqlerr.New(windowReordered, "Window '<unnamed window>' cannot inherit '%s' since both contain an ORDER BY clause", w.Ref).At(w.Position())
	}
	out := *w
	out.PartitionBy = base.PartitionBy
	if len(out.OrderBy) == 0 {
		out.OrderBy = base.OrderBy
	}
	return &out, nil
}

// windowCall binds a call with OVER. It stays in the expression until addWindows moves it into a Window node.
func (b *binder) windowCall(s *scope, c *ast.Call) (expr.Expr, error) {
	if s.windows == nil {
		return nil, sqlerr.New(windowMisplaced, "You cannot use the window function '%s' in this context", c.Name).At(c.Position()).
			WithHint("Compute it in a subquery, or filter by it with QUALIFY")
	}
	if s.windows.inSpec != "" {
		return nil, sqlerr.New(windowNested, "You cannot nest a window function in the specification of window '%s'.", s.windows.inSpec).At(c.Position())
	}
	spec, err := s.windows.resolve(c.Over, nil)
	if err != nil {
		return nil, err
	}
	w, err := b.windowFunction(s, c)
	if err != nil {
		return nil, err
	}
	inner := *s
	inner.aliases = nil
	inner.windows = &windowScope{inSpec: "<unnamed window>"}
	if c.Over.Ref != "" {
		inner.windows.inSpec = c.Over.Ref
	}
	for _, e := range spec.PartitionBy {
		x, err := b.expr(&inner, e)
		if err != nil {
			return nil, err
		}
		if err := function.CheckOrderable(x.Type()); err != nil {
			return nil, at(err, e)
		}
		if _, constant := x.(*expr.Literal); !constant && !containsExpr(w.Partition, x) {
			w.Partition = append(w.Partition, x)
		}
	}
	for i := range spec.OrderBy {
		it := &spec.OrderBy[i]
		x, err := b.expr(&inner, it.Expr)
		if err != nil {
			return nil, err
		}
		if err := function.CheckOrderable(x.Type()); err != nil {
			return nil, at(err, it.Expr)
		}
		key := expr.SortKey{Expr: x, Desc: it.Desc, NullsFirst: !it.Desc}
		if it.Nulls != ast.NullsDefault {
			key.NullsFirst = it.Nulls == ast.NullsFirst
		}
		w.Order = append(w.Order, key)
	}
	if w.Frame, err = b.frame(&inner, c.Over, spec, w); err != nil {
		return nil, err
	}
	w.Order = usefulKeys(w)
	w.Peers = len(w.Order)
	return b.checkedWindow(w, c)
}

func containsExpr(list []expr.Expr, e expr.Expr) bool {
	for _, x := range list {
		if expr.Equal(x, e) {
			return true
		}
	}
	return false
}

// usefulKeys leaves out constants, partition keys, and what an earlier key orders already.
func usefulKeys(w *expr.Window) []expr.SortKey {
	var out []expr.SortKey
	known := w.Partition
	for _, k := range w.Order {
		if _, constant := k.Expr.(*expr.Literal); constant || containsExpr(known, k.Expr) && !expr.IsVolatile(k.Expr) {
			continue
		}
		known = append(known[:len(known):len(known)], k.Expr)
		out = append(out, k)
	}
	return out
}

// windowFunction binds the call itself.
func (b *binder) windowFunction(s *scope, c *ast.Call) (*expr.Window, error) {
	if c.Star && c.Name != "count" {
		return nil, sqlerr.New(sqlerr.WrongArguments, "wrong arguments for function %s(*)", c.Name).At(c.Position())
	}
	if len(c.OrderBy) > 0 {
		return nil, sqlerr.Unsupported("ORDER BY inside of a call with OVER").At(c.Position())
	}
	inner := *s
	inner.windows = nil // 3593
	if s.aliases != nil {
		al := *s.aliases
		al.first = false
		inner.aliases = &al
	}
	args, err := b.exprs(&inner, c.Args)
	if err != nil {
		return nil, err
	}
	for i, x := range args {
		args[i] = fold(x)
	}
	ignore := c.IgnoreNulls
	if (c.Name == "first_value" || c.Name == "last_value") && len(args) == 2 { // Hive and Doris: (x, ignore NULLs)
		l, ok := args[1].(*expr.Literal)
		if !ok || l.Value.Type.Kind != sqltype.Boolean || l.Value.Null {
			return nil, sqlerr.New(sqlerr.WrongArguments, "The second argument of %s must be TRUE or FALSE", c.Name).At(c.Args[1].Position())
		}
		ignore = ignore || l.Value.IsTrue()
		args = args[:1]
	}
	if c.Separator != nil {
		args = append(args, expr.Lit(vector.StringValue(sqltype.T(sqltype.Varchar), *c.Separator)))
	}
	name, err := b.distinctOpaque(c.Name, c, args)
	if err != nil {
		return nil, err
	}
	fn, err := function.ResolveWindow(name, expr.ArgsOf(args))
	if err != nil {
		return nil, at(similarFunction(err, c.Name), c)
	}
	w := &expr.Window{Fn: fn, IgnoreNulls: ignore}
	if w.Args, err = expr.CastArgs(fn.Params, args); err != nil {
		return nil, at(err, c)
	}
	for i, x := range w.Args {
		w.Args[i] = fold(x)
	}
	isAggregate := fn.Kind == function.WindowAggregate
	w.Distinct = c.Distinct && len(args) > 0 && !(isAggregate && fn.Aggregate.IgnoresDistinct)
	if c.Filter != nil {
		if w.Filter, err = b.condition(&inner, c.Filter); err != nil {
			return nil, err
		}
	}
	if !isAggregate && (c.Distinct || c.Filter != nil) {
		return nil, sqlerr.New(sqlerr.WrongUsage, "DISTINCT and FILTER belong to aggregates, which %s is not", c.Name).At(c.Position())
	}
	if ignore && !fn.Kind.ReadsValues() {
		return nil, sqlerr.New(sqlerr.WrongUsage, "IGNORE NULLS belongs to functions that give the value of a row, which %s does not", c.Name).At(c.Position())
	}
	return w, b.constantArgs(w, c)
}

// constantArgs checks the arguments that must be constants: offsets and numbers of buckets.
func (b *binder) constantArgs(w *expr.Window, c *ast.Call) error {
	n, least := 1, int64(0)
	switch w.Fn.Kind {
	case function.Ntile:
		n, least = 0, 1
	case function.NthValue:
		least = 1
	case function.Lag, function.Lead:
		if len(w.Args) == 1 {
			return nil
		}
	default:
		return nil
	}
	l, ok := w.Args[n].(*expr.Literal)
	if ok && l.Value.Null && b.env.ParamTypesOnly {
		return nil
	}
	if !ok || l.Value.Null || l.Value.Int64() < least {
		return sqlerr.New(sqlerr.WrongParamCount, "Incorrect arguments to %s: a constant not below %d is needed", c.Name, least).At(c.Args[n].Position())
	}
	return nil
}

// checkedWindow refuses what cannot be computed.
func (b *binder) checkedWindow(w *expr.Window, c *ast.Call) (expr.Expr, error) {
	if w.Distinct && w.Frame.Start.Kind != expr.UnboundedPreceding {
		return nil, sqlerr.Unsupported("DISTINCT over a frame whose start moves").At(c.Position())
	}
	return w, nil
}

// windowAlias is the error of a clause that runs before windows and names one by its alias.
func (k *block) windowAlias(e ast.Expr, w *expr.Window) error {
	if col, ok := e.(*ast.Column); ok {
		return sqlerr.New(windowAlias, "You cannot use the alias '%s' of an expression containing a window function in this context", col.Name).At(e.Position())
	}
	return sqlerr.New(windowAlias, "You cannot use the alias of an expression containing the window function '%s' in this context", w.Fn.Name).At(e.Position()).
		WithHint("Filter by it with QUALIFY")
}

// addWindows puts Window nodes on for all calls with OVER in the select list, QUALIFY and ORDER BY, which then read the
// nodes' outputs, and the filter of QUALIFY.
func (k *block) addWindows() error {
	b := k.b
	c := &windowCollector{b: b}
	found := false
	for _, list := range [][]expr.Expr{k.qualify, k.itemExprs(), k.keyExprs()} {
		for _, e := range list {
			found = found || expr.HasWindow(e)
		}
	}
	if !found {
		if k.qualify != nil {
			return sqlerr.New(sqlerr.WrongUsage, "QUALIFY needs a window function in the select list or in itself").At(k.q.Qualify.Position())
		}
		return nil
	}
	for i := range k.items {
		k.items[i].e = c.replace(k.items[i].e)
	}
	for i := range k.qualify {
		k.qualify[i] = c.replace(k.qualify[i])
	}
	for i := range k.keys {
		k.keys[i].e = c.replace(k.keys[i].e)
	}
	n, err := c.nodes(k.node)
	if err != nil {
		return at(err, k.q)
	}
	k.node = n
	if len(k.qualify) > 0 {
		if k.node, err = b.filter(k.node, k.qualify); err != nil {
			return at(err, k.q.Qualify)
		}
	}
	return nil
}

func (k *block) itemExprs() []expr.Expr {
	out := make([]expr.Expr, len(k.items))
	for i := range k.items {
		out[i] = k.items[i].e
	}
	return out
}

func (k *block) keyExprs() []expr.Expr {
	out := make([]expr.Expr, len(k.keys))
	for i := range k.keys {
		out[i] = k.keys[i].e
	}
	return out
}

// windowCollector gathers the calls with OVER of a query block, equal ones once.
type windowCollector struct {
	b     *binder
	calls []*expr.Window
	cols  []expr.Column
}

// replace reads the outputs of calls in place of the calls.
func (c *windowCollector) replace(e expr.Expr) expr.Expr {
	return expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		w, ok := e.(*expr.Window)
		if !ok {
			return e
		}
		for i, o := range c.calls {
			if expr.Equal(o, w) && !expr.IsVolatile(w) {
				return expr.Ref(c.cols[i])
			}
		}
		col := c.b.newColumn(expr.String(w), w.Type(), w.Nullable())
		c.calls, c.cols = append(c.calls, w), append(c.cols, col)
		return expr.Ref(col)
	})
}

// nodes puts the calls over n: one node for those of the same partitions whose orders are beginnings of the longest. What
// sorts by more keys comes first, so that the nodes above it may find their order there.
func (c *windowCollector) nodes(n logical.Node) (logical.Node, error) {
	for i, w := range c.calls { // subqueries below the nodes
		m, e, err := c.b.extract(n, w, false)
		if err != nil {
			return nil, err
		}
		n, c.calls[i] = m, e.(*expr.Window)
	}
	var groups []*logical.Window
	used := make([]bool, len(c.calls))
	for range c.calls {
		longest := -1
		for i, w := range c.calls {
			if !used[i] && (longest < 0 || sortLength(w) > sortLength(c.calls[longest])) {
				longest = i
			}
		}
		if longest < 0 {
			break
		}
		first := c.calls[longest]
		g := &logical.Window{Partition: first.Partition, Order: first.Order}
		for i, w := range c.calls {
			if used[i] || overAll(w) != overAll(first) || !sameSet(w.Partition, g.Partition) || len(w.Order) > len(g.Order) || !expr.SameKeys(w.Order, g.Order[:len(w.Order)]) {
				continue
			}
			used[i] = true
			bare := *w
			bare.Partition, bare.Order = nil, nil
			g.Funcs, g.Cols = append(g.Funcs, &bare), append(g.Cols, c.cols[i])
		}
		groups = append(groups, g)
	}
	for _, g := range groups {
		g.Input = n
		n = g
	}
	return n, nil
}

// overAll reports an aggregate over all rows, which runs without an order.
func overAll(w *expr.Window) bool {
	return w.Fn.Kind == function.WindowAggregate && len(w.Partition) == 0 && w.Frame.IsWhole() && !w.Distinct
}

func sortLength(w *expr.Window) int { return len(w.Partition) + len(w.Order) }

// sameSet reports whether two lists, each without doubles, have the same members.
func sameSet(x, y []expr.Expr) bool {
	if len(x) != len(y) {
		return false
	}
	for _, e := range x {
		if expr.IsVolatile(e) || !containsExpr(y, e) {
			return false
		}
	}
	return true
}
