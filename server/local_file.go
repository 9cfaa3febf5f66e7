package server

import (
	"context"
	"io"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/server/mysql"
)

// localFile asks the client for a file, for LOAD DATA LOCAL INFILE, and copies what it sends to w. The client sends all of the
// file whatever happens here, so all is read. It runs inside of a command, on the connection's goroutine.
func (c *conn) localFile(ctx context.Context, name string, w io.Writer) error {
	if !c.has(gomysql.CLIENT_LOCAL_FILES) {
		return sqlerr.New(sqlerr.LocalInfile, "Loading local data is disabled; this must be enabled on both the client and server sides")
	}
	if err := c.send(mysql.AppendLocalInfile(c.w.Begin(), name)); err != nil {
		return sqlerr.Wrap(sqlerr.Interrupted, err, "the client does not take the request for a file")
	}
	c.r.Seq = c.w.Seq
	var failed error
	for {
		packet, err := c.r.Next()
		c.w.Seq = c.r.Seq
		if err != nil {
			return sqlerr.From(err)
		}
		if len(packet) == 0 {
			return failed
		}
		if failed == nil {
			if _, err := w.Write(packet); err != nil {
				failed = sqlerr.Wrap(sqlerr.FileIO, err, "cannot keep the client's file")
			} else if ctx.Err() != nil {
				failed = sqlerr.Wrap(sqlerr.Interrupted, context.Cause(ctx), "the load was interrupted")
			}
		}
	}
}
