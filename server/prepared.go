package server

import (
	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/server/mysql"
)

// maxStatements bounds the prepared statements of one connection, as MySQL's
// max_prepared_stmt_count does for all.
const maxStatements = 16382

// maxParams is what the protocol can count.
const maxParams = 65535

var (
	tooManyStatements = sqlerr.Code{Number: 1461, SQLState: "42000"}
	tooManyParams     = sqlerr.Code{Number: 1390, SQLState: "HY000"}
)

type statement struct {
	prepared *basalt.Prepared
	params   *mysql.Params
}

// prepare answers COM_STMT_PREPARE with the number of parameters and the columns of the
// result. Columns may change before the execution (ALTER TABLE): it sends its own.
func (c *conn) prepare(text string) error {
	if len(c.statements) >= maxStatements {
		return c.sendError(sqlerr.New(tooManyStatements, "Can't create more than max_prepared_stmt_count statements (current value: %d)", maxStatements))
	}
	p, err := c.session.Prepare(c.ctx, text)
	if err != nil {
		return c.sendError(err)
	}
	n := p.Statement.NumParams()
	if n > maxParams {
		return c.sendError(sqlerr.New(tooManyParams, "Prepared statement contains too many placeholders"))
	}
	c.lastID++
	c.statements[c.lastID] = &statement{p, mysql.NewParams(n, &c.longRoom)}
	if err := c.queue(mysql.AppendPrepared(c.w.Begin(), c.lastID, len(p.Columns), n)); err != nil {
		return err
	}
	if n > 0 {
		params := make([]mysql.Column, n)
		for i := range params {
			params[i] = mysql.ParamColumn()
		}
		if err := c.writeDefinitions(params); err != nil {
			return err
		}
	}
	if len(p.Columns) > 0 {
		if err := c.writeDefinitions(wireColumns(p.Columns)); err != nil {
			return err
		}
	}
	return c.w.Flush()
}

func (c *conn) find(id uint32, command string) (*statement, error) {
	if s := c.statements[id]; s != nil {
		return s, nil
	}
	return nil, sqlerr.New(sqlerr.UnknownStatement, "Unknown prepared statement handler (%d) given to %s", id, command)
}

// execute runs a prepared statement and sends its rows in the binary protocol.
func (c *conn) execute(body []byte) error {
	e, err := mysql.ReadExecute(body)
	if err != nil {
		return c.sendError(err)
	}
	s, err := c.find(e.Statement, "mysqld_stmt_execute")
	if err != nil {
		return c.sendError(err)
	}
	values, err := s.params.Decode(e.Params)
	if err != nil {
		return c.sendError(err)
	}
	rows, err := c.session.Execute(c.ctx, s.prepared.Statement, values)
	if err != nil {
		return c.sendError(err)
	}
	_, err = c.writeResult(rows, true, false)
	return err
}

// longData keeps a part of a parameter. The command has no answer: what is wrong with it
// is told by the next execution.
func (c *conn) longData(body []byte) {
	l, err := mysql.ReadLongData(body)
	if err != nil {
		return
	}
	if s := c.statements[l.Statement]; s != nil {
		s.params.AddLong(l.Param, l.Data)
	}
}

func (c *conn) resetStatement(body []byte) error {
	id, err := mysql.ReadID(body)
	if err != nil {
		return c.sendError(err)
	}
	s, err := c.find(id, "mysqld_stmt_reset")
	if err == nil {
		s.params.Reset()
	}
	return c.sendResult(err)
}
