package shell

import (
	"context"
	"strings"
)

// Client runs statements one at a time. One goroutine uses it.
type Client interface {
	// Run runs one statement and gives its result to show, whose rows are valid during the
	// call. When ctx ends the statement is cancelled, and the session goes on.
	Run(ctx context.Context, statement string, show func(Result) error) error
	// Database is the current database, "" when unknown.
	Database() string
	// Where tells what the client talks to, for the greeting.
	Where() string
	Close() error
}

// Column is a column of a Result.
type Column struct {
	Name string
	Kind Kind
}

// Kind is what printing has to know of a type.
type Kind uint8

// The kinds.
const (
	Text Kind = iota
	Number
	Bool
	JSON
)

// Cell is a value as text.
type Cell struct {
	Text string
	Null bool
}

// Result is what a statement gave.
type Result struct {
	Columns  []Column // empty for statements without rows
	Affected int64
	Info     string
	// Next reads the next row into row, which has a cell a column; false at the end.
	Next func(row []Cell) (bool, error)
}

// kindOf reads a type's name, of ours or of a MySQL driver's.
func kindOf(typeName string) Kind {
	name := strings.ToLower(typeName)
	if i := strings.IndexByte(name, '('); i >= 0 {
		name = name[:i]
	}
	switch strings.TrimPrefix(name, "unsigned ") {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "largeint", "float", "double", "decimal":
		return Number
	case "boolean":
		return Bool
	case "json":
		return JSON
	}
	return Text
}
