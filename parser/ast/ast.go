// Package ast is the tree that parser.Parse returns: what the user wrote, unbound.
//
// Every node that can be blamed in an error carries Pos, the byte offset of its
// first token in the user's own text (never in a rewritten one). Trees are plain
// data, immutable after Parse, and free of the TiDB parser's types, so that only
// package parser knows which grammar read the text. Format prints a tree back as
// SQL that parses to an equal tree (positions aside).
package ast

// Node is any part of a statement.
type Node interface {
	// Position is the byte offset of the node in the user's text; -1 when unknown.
	Position() int
}

// Pos is embedded by every node.
type Pos int

// Position implements Node.
func (p Pos) Position() int { return int(p) }

// Statement is one parsed statement.
type Statement interface {
	Node
	isStatement()
}

// Query is a statement, or part of one, that yields rows: *Select, *SetOp, *Values, *With.
type Query interface {
	Statement
	isQuery()
}

// TableExpr is an item of FROM: *TableName, *Derived, *Join, *TableFunction, *FileTable, *LateralView.
type TableExpr interface {
	Node
	isTableExpr()
}

// Expr is a scalar, aggregate or predicate expression.
type Expr interface {
	Node
	isExpr()
}

// Name is a possibly qualified name of an object: [Catalog.][Database.]Name.
// Empty parts were not written.
type Name struct {
	Pos
	Catalog, Database, Name string
}
