// Package expr is the tree of bound expressions: every name resolved, every type known,
// every implicit cast written out as a call. Trees are immutable once bound; rewrites
// build new nodes.
package expr

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// ColumnID identifies a column within one plan, never a position.
type ColumnID int32

// FieldIndex is a position in a batch.
type FieldIndex int32

// Expr is a bound expression: *Column, *Field, *Literal, *Param, *Call, *Aggregate, *Window, *Subquery, *Lambda.
type Expr interface {
	Type() sqltype.Type
	// Nullable reports whether the value can be NULL.
	Nullable() bool
	isExpr()
}

// Column refers to a column of the plan by id. Logical plans only.
type Column struct {
	ID   ColumnID
	Name string // for EXPLAIN: t.c, or the alias
	T    sqltype.Type
	Null bool
}

// Field refers to a position of the input batch. Physical plans only.
type Field struct {
	Index FieldIndex
	Name  string
	T     sqltype.Type
	Null  bool
}

// Literal is a constant.
type Literal struct{ Value vector.Value }

// Call is a scalar function applied to arguments whose types are exactly Fn.Params
// (for the last Param repeated as often as needed when the function is variadic,
// Resolve returns one Param an argument).
//
// "and" and "or" are n-ary. "case" is case(cond1, then1, cond2, then2, …, else) with
// the else always present. "in" is in(x, lit, lit, …) with literal list items of x's type.
type Call struct {
	Fn   *function.Scalar
	Args []Expr
}

// Aggregate is an aggregate call; it occurs only in logical.Aggregate and physical.Aggregate.
type Aggregate struct {
	Fn       *function.Aggregate
	Args     []Expr
	Distinct bool
	OrderBy  []SortKey // inside group_concat
	Filter   Expr      // FILTER (WHERE …), nil: none
}

// SortKey is one key of an order.
type SortKey struct {
	Expr       Expr
	Desc       bool
	NullsFirst bool
}

// SubqueryKind tells what a subquery yields.
type SubqueryKind uint8

// Subquery kinds.
const (
	ScalarSubquery SubqueryKind = iota // the one value, NULL for no row, error 1242 for more
	ExistsSubquery
	InSubquery // Left = ANY, three-valued; Negated for NOT IN
	QuantifiedSubquery
)

// Plan is a logical plan inside an expression; logical.Node implements it.
type Plan interface{ IsPlan() }

// Subquery is a subquery in an expression, before decorrelation removes it. The plan
// may refer to columns of outer plans by id.
type Subquery struct {
	Kind    SubqueryKind
	Plan    Plan
	Columns []Column // outputs of Plan
	Left    []Expr   // IN and quantified: the compared values
	Op      string   // quantified: "=", "<>", "<", "<=", ">", ">="
	All     bool     // quantified: ALL instead of ANY
	Negated bool     // NOT IN, NOT EXISTS
}

func (*Column) isExpr()    {}
func (*Field) isExpr()     {}
func (*Literal) isExpr()   {}
func (*Call) isExpr()      {}
func (*Aggregate) isExpr() {}
func (*Subquery) isExpr()  {}

// Type implements Expr.
func (e *Column) Type() sqltype.Type { return e.T }

// Type implements Expr.
func (e *Field) Type() sqltype.Type { return e.T }

// Type implements Expr.
func (e *Literal) Type() sqltype.Type { return e.Value.Type }

// Type implements Expr.
func (e *Call) Type() sqltype.Type { return e.Fn.Result }

// Type implements Expr.
func (e *Aggregate) Type() sqltype.Type { return e.Fn.Result }

// Type implements Expr: BOOLEAN but for scalar subqueries.
func (e *Subquery) Type() sqltype.Type {
	if e.Kind == ScalarSubquery {
		return e.Columns[0].T
	}
	return sqltype.T(sqltype.Boolean)
}

// Nullable implements Expr.
func (e *Column) Nullable() bool { return e.Null }

// Nullable implements Expr.
func (e *Field) Nullable() bool { return e.Null }

// Nullable implements Expr.
func (e *Literal) Nullable() bool { return e.Value.Null }

// Nullable implements Expr. NULL-aware functions are taken as nullable unless they are
// known to give a value always.
func (e *Call) Nullable() bool {
	if e.Fn.YieldsNull {
		return true
	}
	switch e.Fn.Name {
	case "is_null", "is_not_null", "<=>", "is_true", "is_false":
		return false
	case "coalesce", "ifnull":
		for _, a := range e.Args {
			if !a.Nullable() {
				return false
			}
		}
		return true
	}
	for _, a := range e.Args {
		if a.Nullable() {
			return true
		}
	}
	return false
}

// Nullable implements Expr.
func (e *Aggregate) Nullable() bool { return e.Fn.NullOnEmpty }

// Nullable implements Expr.
func (e *Subquery) Nullable() bool { return e.Kind != ExistsSubquery }
