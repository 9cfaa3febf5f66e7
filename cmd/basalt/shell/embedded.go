package shell

import (
	"context"

	"github.com/basaltdb/basalt"
)

// Embedded runs statements on an engine inside this process.
type Embedded struct {
	db      *basalt.DB
	session *basalt.Session
}

// NewEmbedded starts a session on db, which Close closes too.
func NewEmbedded(db *basalt.DB, database string) (*Embedded, error) {
	s := db.NewSession(basalt.SessionOptions{Host: "localhost"})
	if database != "" {
		if err := s.Use(database); err != nil {
			s.Close()
			return nil, err
		}
	}
	return &Embedded{db, s}, nil
}

// Run implements Client.
func (e *Embedded) Run(ctx context.Context, statement string, show func(Result) error) error {
	rows, err := e.session.Query(ctx, statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	cols := rows.Columns()
	result := Result{Columns: make([]Column, len(cols)), Affected: rows.RowsAffected(), Info: rows.Info()}
	for i, c := range cols {
		result.Columns[i] = Column{c.Name, kindOf(c.TypeName())}
	}
	var buf []byte
	result.Next = func(row []Cell) (bool, error) {
		if !rows.Next(ctx) {
			return false, rows.Err()
		}
		for i := range row {
			buf, row[i].Null = rows.AppendText(buf[:0], i)
			row[i].Text = string(buf)
		}
		return true, nil
	}
	return show(result)
}

// Database implements Client.
func (e *Embedded) Database() string { return e.session.Database() }

// Where implements Client.
func (e *Embedded) Where() string {
	if e.db.Dir() == "" {
		return "in memory: what you create is forgotten at the end (--data DIR keeps it)"
	}
	return "data folder " + e.db.Dir()
}

// Close ends the session and closes the engine.
func (e *Embedded) Close() error {
	e.session.Close()
	return e.db.Close()
}
