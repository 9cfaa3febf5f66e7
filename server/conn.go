package server

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/server/mysql"
)

const (
	statusAutocommit  = gomysql.SERVER_STATUS_AUTOCOMMIT
	statusMoreResults = gomysql.SERVER_MORE_RESULTS_EXISTS
)

// conn is one client's connection. Its own goroutine runs serve and uses everything;
// others call drain, hurry and kill.
type conn struct {
	srv     *Server
	raw     net.Conn      // deadlines and closing
	stream  io.ReadWriter // raw, or TLS over it; does not change after login
	in      *inbound
	r       *mysql.Reader
	w       *mysql.Writer
	session *basalt.Session

	capabilities uint32
	multi        bool // several statements in one text are allowed
	salt         []byte
	statements   map[uint32]*statement
	lastID       uint32
	longRoom     int // what parameters sent ahead may still take

	ctx    context.Context // ends with the client, KILL and the server
	cancel context.CancelCauseFunc

	mu       sync.Mutex // guards what follows
	draining bool       // end after the running command
	hurried  bool       // end now
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{srv: s, raw: nc, stream: nc, statements: map[uint32]*statement{}}
	c.ctx, c.cancel = context.WithCancelCause(s.ctx)
	c.session = s.db.NewSession(basalt.SessionOptions{User: "unauthenticated user", Host: nc.RemoteAddr().String()})
	c.r = mysql.NewReader(nc, handshakePacket)
	c.w = mysql.NewWriter(c)
	return c
}

// Write sends what the packet writer gathered. A client that takes nothing for
// WriteTimeout is given up.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	patience := c.srv.o.WriteTimeout
	if c.hurried {
		patience = lastWords
	}
	_ = c.raw.SetWriteDeadline(time.Now().Add(patience))
	c.mu.Unlock()
	return c.stream.Write(p)
}

// drain makes the connection end when its running command does: at once when it is idle.
func (c *conn) drain() {
	c.mu.Lock()
	c.draining = true
	_ = c.raw.SetReadDeadline(time.Unix(1, 0)) // ends reading, so a wait for the next command
	c.mu.Unlock()
}

// hurry is drain for a connection whose command was cancelled: it may only say so.
func (c *conn) hurry() {
	c.drain()
	c.mu.Lock()
	c.hurried = true
	_ = c.raw.SetWriteDeadline(time.Now().Add(lastWords))
	c.mu.Unlock()
}

func (c *conn) isDraining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining
}

// serve runs the connection from greeting to end.
func (c *conn) serve() {
	defer c.end()
	defer func() {
		if r := recover(); r != nil {
			c.srv.log.Error("connection ended by a panic", "connection", c.session.ID(), "panic", r, "stack", string(debug.Stack()))
			c.w.Abandon()
			_ = c.sendError(sqlerr.New(sqlerr.Internal, "internal error: %v", r))
		}
	}()
	if err := c.login(); err != nil {
		c.srv.refused.Add(1)
		c.srv.log.Info("login failed", "client", c.raw.RemoteAddr().String(), "error", err)
		return
	}
	c.multi = c.capabilities&gomysql.CLIENT_MULTI_STATEMENTS != 0
	c.session.OnKill(c.hurry)
	c.session.SetLocalFile(c.localFile)
	c.in = newInbound(c.stream, c.clientGone)
	c.r = mysql.NewReader(c.in, c.maxPacket())
	c.longRoom = c.maxPacket()
	idle := newIdleTimer(c)
	defer idle.stop()
	_ = c.raw.SetReadDeadline(time.Time{})
	c.mu.Lock()
	if c.draining { // since login started
		_ = c.raw.SetReadDeadline(time.Unix(1, 0))
	}
	c.mu.Unlock()
	c.srv.running.Add(1)
	go func() {
		defer c.srv.running.Done()
		c.in.run()
	}()
	for !c.isDraining() {
		idle.start()
		c.r.Seq = 0
		packet, err := c.r.Next()
		idle.pause()
		c.w.Seq = c.r.Seq
		if err == nil {
			err = c.command(packet)
		}
		if err != nil {
			var e *sqlerr.Error
			if errors.As(err, &e) {
				_ = c.sendError(e) // a packet that is too large or out of order
			}
			return
		}
	}
}

// clientGone is called when reading ended. Unless we ended it, the client left.
func (c *conn) clientGone() {
	c.mu.Lock()
	ours := c.draining && !c.hurried
	c.mu.Unlock()
	if !ours {
		c.cancel(errClientGone)
	}
}

// end frees what the connection holds.
func (c *conn) end() {
	c.cancel(errClientGone)
	_ = c.raw.Close()
	if c.in != nil {
		c.in.stop()
	}
	c.session.Close()
}

// maxPacket is the longest packet that the session takes.
func (c *conn) maxPacket() int {
	n, err := strconv.Atoi(c.session.Setting("max_allowed_packet"))
	if err != nil {
		n = 64 << 20
	}
	return n
}

// idleTimer ends a connection that sends no command for wait_timeout seconds.
type idleTimer struct {
	c     *conn
	timer *time.Timer
}

func newIdleTimer(c *conn) *idleTimer {
	t := &idleTimer{c: c}
	t.timer = time.AfterFunc(time.Hour, c.drain)
	t.timer.Stop()
	return t
}

func (t *idleTimer) start() {
	seconds, err := strconv.Atoi(t.c.session.Setting("wait_timeout"))
	if err == nil && seconds > 0 {
		t.timer.Reset(time.Duration(seconds) * time.Second)
	}
}

func (t *idleTimer) pause() { t.timer.Stop() }
func (t *idleTimer) stop()  { t.timer.Stop() }

// errQuit ends the command loop without a word.
var errQuit = errors.New("the client quit")

// command runs one command. What a statement does wrong is told to the client and is no
// error here; an error ends the connection.
func (c *conn) command(packet []byte) error {
	if len(packet) == 0 {
		return c.sendError(sqlerr.New(sqlerr.MalformedPacket, "Malformed communication packet: no command"))
	}
	body := packet[1:]
	switch packet[0] {
	case gomysql.COM_QUIT:
		return errQuit
	case gomysql.COM_PING, gomysql.COM_DEBUG:
		return c.sendOK(mysql.OK{})
	case gomysql.COM_QUERY:
		return c.query(string(body))
	case gomysql.COM_INIT_DB:
		return c.sendResult(c.session.Use(string(body)))
	case gomysql.COM_STMT_PREPARE:
		return c.prepare(string(body))
	case gomysql.COM_STMT_EXECUTE:
		return c.execute(body)
	case gomysql.COM_STMT_SEND_LONG_DATA:
		c.longData(body)
		return nil
	case gomysql.COM_STMT_RESET:
		return c.resetStatement(body)
	case gomysql.COM_STMT_CLOSE:
		if id, err := mysql.ReadID(body); err == nil {
			if s := c.statements[id]; s != nil {
				s.params.Reset()
			}
			delete(c.statements, id)
		}
		return nil // has no answer
	case gomysql.COM_STMT_FETCH:
		return c.sendError(sqlerr.Unsupported("COM_STMT_FETCH (cursors)"))
	case gomysql.COM_FIELD_LIST:
		return c.fieldList(body)
	case gomysql.COM_CHANGE_USER:
		return c.changeUser(body)
	case gomysql.COM_RESET_CONNECTION:
		c.reset()
		return c.sendOK(mysql.OK{})
	case gomysql.COM_SET_OPTION:
		return c.setOption(body)
	case gomysql.COM_STATISTICS:
		return c.statistics()
	case gomysql.COM_PROCESS_INFO:
		return c.query("SHOW PROCESSLIST")
	case gomysql.COM_PROCESS_KILL:
		id, err := mysql.ReadID(body)
		if err == nil {
			err = c.srv.db.Kill(uint64(id), false)
		}
		return c.sendResult(err)
	}
	return c.sendError(sqlerr.New(sqlerr.UnknownCommand, "Unknown command %d", packet[0]))
}

// queue finishes a packet without flushing.
func (c *conn) queue(dst []byte) error { return c.w.End(dst) }

// send finishes a packet and flushes.
func (c *conn) send(dst []byte) error {
	if err := c.w.End(dst); err != nil {
		return err
	}
	return c.w.Flush()
}

func (c *conn) sendOK(ok mysql.OK) error {
	ok.Status |= statusAutocommit
	return c.send(mysql.AppendOK(c.w.Begin(), ok))
}

func (c *conn) sendError(err error) error {
	return c.send(mysql.AppendError(c.w.Begin(), err))
}

// sendResult answers a command that has no rows.
func (c *conn) sendResult(err error) error {
	if err != nil {
		return c.sendError(err)
	}
	return c.sendOK(mysql.OK{})
}
