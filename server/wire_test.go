package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt/server/mysql"
)

// wire is a client that speaks packets, for what drivers do not let a test say.
type wire struct {
	t    *testing.T
	nc   net.Conn
	r    *mysql.Reader
	w    *mysql.Writer
	salt []byte
	id   uint32
	caps uint32
}

// testPatience bounds how long a test waits for what must happen; it fails then.
const testPatience = time.Minute

const wireCaps = uint32(gomysql.CLIENT_PROTOCOL_41 | gomysql.CLIENT_SECURE_CONNECTION | gomysql.CLIENT_PLUGIN_AUTH | gomysql.CLIENT_MULTI_STATEMENTS | gomysql.CLIENT_MULTI_RESULTS)

// connect reads the greeting.
func connect(t *testing.T, s *Server) *wire {
	t.Helper()
	nc, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(testPatience))
	c := &wire{t: t, nc: nc, r: mysql.NewReader(nc, 1<<30), w: mysql.NewWriter(nc), caps: wireCaps}
	g := c.packet()
	if g[0] == gomysql.ERR_HEADER {
		c.salt = g
		return c
	}
	end := bytes.IndexByte(g, 0)
	c.id = binary.LittleEndian.Uint32(g[end+1:])
	c.salt = append(append(c.salt, g[end+5:end+13]...), g[end+32:end+44]...)
	return c
}

// login connects as root without a password.
func login(t *testing.T, s *Server) *wire {
	t.Helper()
	c := connect(t, s)
	if got := c.respond("root", nil, gomysql.AUTH_NATIVE_PASSWORD); got[0] != gomysql.OK_HEADER {
		t.Fatalf("login: %q", got)
	}
	return c
}

// respond sends the handshake response and returns the answer.
func (c *wire) respond(user string, answer []byte, plugin string) []byte {
	c.t.Helper()
	b := binary.LittleEndian.AppendUint32(nil, c.caps)
	b = append(b, make([]byte, 28)...)
	b = append(append(b, user...), 0, byte(len(answer)))
	b = append(append(b, answer...), plugin...)
	return c.reply(append(b, 0))
}

// reply sends a packet that continues the numbers and returns the answer.
func (c *wire) reply(payload []byte) []byte {
	c.t.Helper()
	c.w.Seq = c.r.Seq
	c.write(payload)
	c.r.Seq = c.w.Seq
	return c.packet()
}

func (c *wire) write(payload []byte) {
	c.t.Helper()
	if err := c.w.End(append(c.w.Begin(), payload...)); err != nil {
		c.t.Fatal(err)
	}
	if err := c.w.Flush(); err != nil {
		c.t.Fatal(err)
	}
}

// packet reads one packet and copies it.
func (c *wire) packet() []byte {
	c.t.Helper()
	p, err := c.r.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	return append([]byte{}, p...)
}

// ended waits for the server to close the connection.
func (c *wire) ended() {
	c.t.Helper()
	c.r.Seq = 0
	for {
		if _, err := c.r.Next(); err == io.EOF || err != nil && !isTimeout(err) {
			return
		} else if err != nil {
			c.t.Fatal("the server did not close the connection")
		}
		c.r.Seq = 0
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// send sends a command.
func (c *wire) send(command byte, body string) {
	c.t.Helper()
	c.w.Seq, c.r.Seq = 0, 1
	c.write(append([]byte{command}, body...))
}

// command sends a command and returns the first packet of the answer.
func (c *wire) command(command byte, body string) []byte {
	c.t.Helper()
	c.send(command, body)
	return c.packet()
}

// rows reads a text result set of one column behind its first packet, up to EOF or ERR,
// and returns the values and the last packet.
func (c *wire) rows() (values []string, last []byte) {
	c.t.Helper()
	c.packet()
	if p := c.packet(); p[0] != gomysql.EOF_HEADER {
		c.t.Fatalf("want EOF behind one column, got %q", p)
	}
	for {
		p := c.packet()
		if p[0] == gomysql.ERR_HEADER || p[0] == gomysql.EOF_HEADER && len(p) < 9 {
			return values, p
		}
		values = append(values, string(p[1:]))
	}
}

// value is the only value of a query's result.
func (c *wire) value(query string) string {
	c.t.Helper()
	if p := c.command(gomysql.COM_QUERY, query); len(p) != 1 || p[0] != 1 {
		c.t.Fatalf("%s: %q", query, p)
	}
	values, _ := c.rows()
	if len(values) != 1 {
		c.t.Fatalf("%s: %q", query, values)
	}
	return values[0]
}

// wantErr checks an ERR packet's number and returns its message.
func (c *wire) wantErr(p []byte, number int) string {
	c.t.Helper()
	if p[0] != gomysql.ERR_HEADER || int(binary.LittleEndian.Uint16(p[1:])) != number {
		c.t.Fatalf("want error %d, got %q", number, p)
	}
	return string(p[9:])
}

func scramble(plugin, password string, salt []byte) []byte {
	if plugin == gomysql.AUTH_NATIVE_PASSWORD {
		return gomysql.CalcNativePassword(salt, []byte(password))
	}
	once := sha256.Sum256([]byte(password))
	twice := sha256.Sum256(once[:])
	mask := sha256.Sum256(append(append([]byte{}, twice[:]...), salt...))
	for i := range mask {
		mask[i] ^= once[i]
	}
	return mask[:]
}
