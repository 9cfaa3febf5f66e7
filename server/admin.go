package server

import (
	"fmt"
	"strings"
	"time"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/server/mysql"
)

// reset brings the session back to its state after login; the current database stays.
func (c *conn) reset() {
	c.session.Reset()
	clear(c.statements)
	c.r.Limit = c.maxPacket()
	c.longRoom = c.maxPacket()
}

// changeUser logs in again on the same connection. A failed one ends the connection, as
// MySQL's does.
func (c *conn) changeUser(body []byte) error {
	l, err := mysql.ReadChangeUser(body, c.capabilities)
	if err != nil {
		return c.refuse(err)
	}
	if err := c.authenticate(l); err != nil {
		_ = c.refuse(err)
		return errQuit
	}
	c.session.ChangeUser(l.User)
	clear(c.statements)
	c.r.Limit = c.maxPacket()
	c.longRoom = c.maxPacket()
	c.multi = c.has(gomysql.CLIENT_MULTI_STATEMENTS)
	if l.Database != "" {
		if err := c.session.Use(l.Database); err != nil {
			_ = c.refuse(err)
			return errQuit
		}
	}
	return c.sendOK(mysql.OK{})
}

// The options of COM_SET_OPTION.
const (
	multiStatementsOn  = 0
	multiStatementsOff = 1
)

func (c *conn) setOption(body []byte) error {
	option, err := mysql.ReadOption(body)
	switch {
	case err != nil:
		return c.sendError(err)
	case option == multiStatementsOn, option == multiStatementsOff:
		c.multi = option == multiStatementsOn
		return c.send(mysql.AppendEOF(c.w.Begin(), mysql.OK{Status: statusAutocommit}, c.has(gomysql.CLIENT_DEPRECATE_EOF)))
	}
	return c.sendError(sqlerr.New(sqlerr.UnknownCommand, "Unknown option %d", option))
}

// statistics answers with one line of text, as mysqladmin status prints it.
func (c *conn) statistics() error {
	counters := c.srv.db.Counters()
	up := time.Since(c.srv.started)
	questions := counters.Queries.Load()
	return c.send(fmt.Appendf(c.w.Begin(), "Uptime: %d  Threads: %d  Questions: %d  Slow queries: 0  Opens: 0  Flush tables: 0  Open tables: 0  Queries per second avg: %.3f",
		int(up.Seconds()), c.srv.Stats().Open, questions, float64(questions)/max(up.Seconds(), 1)))
}

// fieldList describes a table's columns, for clients that complete names.
func (c *conn) fieldList(body []byte) error {
	table, pattern := mysql.ReadFieldList(body)
	p, err := c.session.Prepare(c.ctx, "SELECT * FROM `"+strings.ReplaceAll(table, "`", "``")+"` LIMIT 0")
	if err != nil {
		return c.sendError(err)
	}
	for _, col := range wireColumns(p.Columns) {
		col.Table = table
		if pattern != "" && pattern != "%" && !strings.EqualFold(pattern, col.Name) {
			continue
		}
		if err := c.queue(mysql.AppendListedColumn(c.w.Begin(), col)); err != nil {
			return err
		}
	}
	return c.send(mysql.AppendEOF(c.w.Begin(), mysql.OK{Status: statusAutocommit}, c.has(gomysql.CLIENT_DEPRECATE_EOF)))
}
