package server

import (
	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/server/mysql"
)

// query runs the statements of a text, in order, up to the first that fails.
func (c *conn) query(text string) error {
	list, err := c.session.Parse(text)
	switch {
	case err != nil:
		return c.sendError(err)
	case len(list) == 0:
		return c.sendError(sqlerr.New(sqlerr.EmptyQuery, "Query was empty"))
	case len(list) > 1 && !c.multi:
		return c.sendError(sqlerr.New(sqlerr.Syntax, "one statement is expected, the text has %d", len(list)).
			WithHint("Connect with multi-statements allowed to send several at once"))
	}
	for i, st := range list {
		rows, err := c.session.Execute(c.ctx, st, nil)
		if err != nil {
			return c.sendError(err)
		}
		ok, err := c.writeResult(rows, false, i < len(list)-1)
		if err != nil || !ok {
			return err
		}
	}
	return c.w.Flush()
}

// writeResult sends what a statement gave and closes it. It returns false when the
// statement failed on its way: the client was told, and the connection goes on. An error
// is the connection's.
func (c *conn) writeResult(rows *basalt.Rows, binary, more bool) (bool, error) {
	defer rows.Close()
	status := uint16(statusAutocommit)
	if more {
		status |= statusMoreResults
	}
	if len(rows.Columns()) == 0 {
		return true, c.queueOrFlush(more, mysql.AppendOK(c.w.Begin(), mysql.OK{
			AffectedRows: uint64(max(rows.RowsAffected(), 0)), Status: status, Info: rows.Info(), Warnings: uint16(rows.Warnings()),
		}))
	}
	// The first batch goes before the definitions, since most statements that fail do so
	// there: clients handle an error better than a result set that ends in one.
	batch, err := rows.NextBatch(c.ctx)
	if err != nil {
		return false, c.sendError(err)
	}
	cols := wireColumns(rows.Columns())
	if err := c.writeColumns(cols); err != nil {
		return false, err
	}
	encoder := mysql.NewRowEncoder(cols, binary)
	for batch != nil {
		encoder.Bind(batch)
		if err := c.writeRows(encoder, batch); err != nil {
			return false, err
		}
		if batch, err = rows.NextBatch(c.ctx); err != nil {
			return false, c.sendError(err)
		}
	}
	return true, c.queueOrFlush(more, mysql.AppendEOF(c.w.Begin(), mysql.OK{Status: status}, c.has(gomysql.CLIENT_DEPRECATE_EOF)))
}

// writeRows sends a batch. Writing blocks when the client does not keep up, and with it
// the query: that is the back pressure.
func (c *conn) writeRows(encoder *mysql.RowEncoder, batch *vector.Batch) error {
	if batch.Sel != nil {
		for _, row := range batch.Sel {
			if err := c.w.End(encoder.AppendRow(c.w.Begin(), int(row))); err != nil {
				return err
			}
		}
		return nil
	}
	for row := range batch.Len {
		if err := c.w.End(encoder.AppendRow(c.w.Begin(), row)); err != nil {
			return err
		}
	}
	return nil
}

// writeColumns sends the number of columns and their definitions.
func (c *conn) writeColumns(cols []mysql.Column) error {
	if err := c.queue(mysql.AppendColumnCount(c.w.Begin(), len(cols))); err != nil {
		return err
	}
	return c.writeDefinitions(cols)
}

func (c *conn) writeDefinitions(cols []mysql.Column) error {
	for _, col := range cols {
		if err := c.queue(mysql.AppendColumn(c.w.Begin(), col)); err != nil {
			return err
		}
	}
	if c.has(gomysql.CLIENT_DEPRECATE_EOF) {
		return nil
	}
	return c.queue(mysql.AppendEOF(c.w.Begin(), mysql.OK{Status: statusAutocommit}, false))
}

// queueOrFlush finishes the last packet of a result, which waits for the next result when
// there is more.
func (c *conn) queueOrFlush(more bool, dst []byte) error {
	if more {
		return c.queue(dst)
	}
	return c.send(dst)
}

func (c *conn) has(capability uint32) bool { return c.capabilities&capability != 0 }

func wireColumns(cols []basalt.Column) []mysql.Column {
	out := make([]mysql.Column, len(cols))
	for i, col := range cols {
		out[i] = mysql.Column{Name: col.Name, Type: col.Type, NotNull: !col.Nullable}
	}
	return out
}
