package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/server/mysql"
)

// FuzzCommand gives foreign bytes to the command loop: an answer or the connection's end,
// never a panic. Commands that carry SQL are the parser's business and left out.
func FuzzCommand(f *testing.F) {
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		f.Fatal(err)
	}
	s, err := Listen(db, Options{Address: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Shutdown(context.Background()); _ = db.Close() })
	f.Add([]byte("\x17\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\x08\x00\xfd\x00\x05\x00\x00\x00\x00\x00\x00\x00\x01a"))
	f.Add([]byte("\x18\x01\x00\x00\x00\x00\x00abc"))
	f.Add([]byte("\x11root\x00\x00\x00"))
	f.Add([]byte("\x04t\x00%"))
	f.Add([]byte("\x1b\x01\x00"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) > 0 && (packet[0] == gomysql.COM_QUERY || packet[0] == gomysql.COM_STMT_PREPARE || packet[0] == gomysql.COM_PROCESS_KILL) {
			return
		}
		nc, other := net.Pipe()
		defer other.Close()
		c := newConn(s, nc)
		defer c.end()
		c.capabilities, c.salt = offered, newSalt()
		c.w = mysql.NewWriter(io.Discard)
		c.longRoom = 1 << 20
		_ = other.Close() // an answer that is waited for never comes
		if err := c.prepare("SELECT ?, ?"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_ = c.command(packet)
			c.w.Abandon()
		}
	})
}
