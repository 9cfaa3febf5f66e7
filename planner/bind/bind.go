// Package bind turns a statement tree into a logical plan: names become column ids,
// every expression gets a type with implicit casts written out, subqueries become Apply
// nodes over the inputs that use them.
//
// How it goes: Query (here) → select.go and setop.go bind one query block; from.go and join.go
// make its input and the scope that names are looked up in (scope.go); expr*.go bind
// expressions; group.go moves aggregates out of expressions; apply.go moves subqueries
// out of them. Errors are *sqlerr.Error with a position in the user's text.
package bind

import (
	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/dictionary"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// Env is everything that the binder may know beside the statement. Read-only.
type Env struct {
	Snapshot catalog.Snapshot
	Database string // the current database, "" for none
	// Variables gives the value of @@name (system) or @name; ok is false when there is none.
	Variables func(name string, system bool) (vector.Value, bool)
	// Params are the values of the ? marks.
	Params []vector.Value
	// ParamTypesOnly is set for PREPARE: every parameter binds as NULL, and as no limit in LIMIT.
	ParamTypesOnly bool
	// Functions is for folding of constants; nil folds nothing that depends on the session.
	Functions *function.Context
	// TableFunction makes the source of f(…) in FROM; nil knows none.
	TableFunction func(name string, props []ast.Property, args []vector.Value) (storage.Source, error)
	// FileTable makes the source of FROM 'path'; nil refuses.
	FileTable func(path string) (storage.Source, error)
	// UserFunctions knows the embedding program's scalar functions; may be nil.
	UserFunctions func(name string, args []function.Arg) (*function.Scalar, bool, error)
	// Sections is how many sections DISTRIBUTE BY deals rows out to; at least 1.
	Sections int
	// Indexes makes the materialised indexes of a table when a plan asks for them; nil: tables have none.
	Indexes func(t *catalog.Table) []*logical.Index
	// Dictionary opens the global dictionary of a table's column; nil: there are none.
	Dictionary func(t *catalog.Table, column int32) (*dictionary.Dictionary, error)
	// ParseView parses the text of a view (and of column defaults, as SELECT default).
	ParseView func(text string) (ast.Query, error)
}

// Bound is a bound statement.
type Bound struct {
	Plan  logical.Node
	Names []string // output column names as the user sees them, one a column of Plan
	// NextID is the last column id in use: expr.NewIDs(NextID) goes on from there.
	NextID expr.ColumnID
	// Hints are what became of the hints on the join order, in the order of the text.
	Hints []HintUse
}

// Query binds a query.
func Query(q ast.Query, env *Env) (*Bound, error) {
	b := newBinder(env)
	r, err := b.query(q, nil, nil, true)
	if err != nil {
		return nil, err
	}
	return b.finish(r.node, r.names), nil
}

// Scalar computes a constant expression: a value of SET, an argument of a table function.
// Columns, aggregates and subqueries in it are errors.
func Scalar(e ast.Expr, env *Env) (vector.Value, error) {
	b := newBinder(env)
	return b.constant(e, "constant expression")
}

// binder binds one statement.
type binder struct {
	env       *Env
	ids       *expr.IDs
	positions map[*expr.Column]int // where a column reference stands in the text
	// dictionaries are the hidden columns of dictionary ids, by the columns that they number.
	dictionaries map[expr.ColumnID]expr.Column
	views        []*catalog.View // being expanded, outermost first
	database     string          // that unqualified names resolve in: a view's own inside of it
	frozen       *freezer        // of the text of a new view; else nil
	ctes         int             // number of shared CTEs made
	hints        []HintUse
}

func newBinder(env *Env) *binder {
	return &binder{env: env, ids: expr.NewIDs(0), positions: map[*expr.Column]int{}, dictionaries: map[expr.ColumnID]expr.Column{}, database: env.Database}
}

// finish makes a Bound of a plan: common table expressions that ended up with one
// reference are inlined there.
func (b *binder) finish(n logical.Node, names []string) *Bound {
	n = inlineSingleCTEs(n)
	return &Bound{Plan: n, Names: names, NextID: b.ids.New(), Hints: b.hints}
}

// relationResult is a bound query: cols are node's outputs, names what the user calls them.
type relationResult struct {
	node  logical.Node
	names []string
}

// query binds any query. parent is the scope of the query around it (nil: none), top tells the
// statement's own query, where ORDER BY without LIMIT means something.
func (b *binder) query(q ast.Query, parent *scope, ctes *cteScope, top bool) (relationResult, error) {
	switch q := q.(type) {
	case *ast.Select:
		return b.selectQuery(q, parent, ctes, top)
	case *ast.SetOp:
		return b.setOp(q, parent, ctes, top)
	case *ast.Values:
		return b.values(q, parent, ctes)
	case *ast.With:
		inner, err := b.with(q, parent, ctes)
		if err != nil {
			return relationResult{}, err
		}
		return b.query(q.Body, parent, inner, top)
	}
	return relationResult{}, sqlerr.Unsupported("this form of query").At(q.Position())
}

// constant computes e without any columns; what names it in errors.
func (b *binder) constant(e ast.Expr, what string) (vector.Value, error) {
	s := &scope{clause: what, aggregates: aggregatesForbidden}
	x, err := b.expr(s, e)
	if err != nil {
		return vector.Value{}, err
	}
	ctx := b.env.Functions
	if ctx == nil {
		ctx = &function.Context{}
	}
	var folded error
	x = expr.Rewrite(x, func(e expr.Expr) expr.Expr {
		f, err := expr.Fold(e, ctx)
		if err != nil {
			folded = err
			return e
		}
		return f
	})
	if folded != nil {
		return vector.Value{}, at(folded, e)
	}
	l, ok := x.(*expr.Literal)
	if !ok {
		return vector.Value{}, sqlerr.New(sqlerr.WrongUsage, "Not a constant: %s", what).At(e.Position())
	}
	return l.Value, nil
}

// at gives an error a position unless it has one.
func at(err error, n ast.Node) error {
	if err == nil {
		return nil
	}
	return sqlerr.From(err).At(n.Position())
}

// newColumn makes an output column of a node.
func (b *binder) newColumn(name string, t sqltype.Type, null bool) expr.Column {
	return expr.Column{ID: b.ids.New(), Name: name, T: t, Null: null}
}
