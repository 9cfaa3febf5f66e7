package server

import (
	"crypto/tls"
	"net"
	"time"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/server/mysql"
)

// offered are the capabilities that the server has beside TLS. Compression, LOCAL INFILE
// and query attributes are not among them, so that no client uses them.
const offered = uint32(gomysql.CLIENT_LONG_PASSWORD | gomysql.CLIENT_FOUND_ROWS | gomysql.CLIENT_LONG_FLAG |
	gomysql.CLIENT_CONNECT_WITH_DB | gomysql.CLIENT_IGNORE_SPACE | gomysql.CLIENT_PROTOCOL_41 | gomysql.CLIENT_INTERACTIVE |
	gomysql.CLIENT_TRANSACTIONS | gomysql.CLIENT_SECURE_CONNECTION | gomysql.CLIENT_MULTI_STATEMENTS |
	gomysql.CLIENT_MULTI_RESULTS | gomysql.CLIENT_PS_MULTI_RESULTS | gomysql.CLIENT_PLUGIN_AUTH |
	gomysql.CLIENT_LOCAL_FILES | gomysql.CLIENT_CONNECT_ATTRS | gomysql.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA | gomysql.CLIENT_DEPRECATE_EOF)

// handshakePacket bounds the packets of a client that has not logged in, in bytes.
const handshakePacket = 64 << 10

// badHandshake is what a client that speaks something else gets.
var badHandshake = sqlerr.Code{Number: 1043, SQLState: "08S01"}

// login greets the client and finds out who it is. On an error the client was told and the
// connection is of no more use.
func (c *conn) login() error {
	_ = c.raw.SetReadDeadline(time.Now().Add(c.srv.o.HandshakeTimeout))
	c.salt = newSalt()
	greeting := mysql.Greeting{
		ServerVersion: basalt.ServerVersion, ConnectionID: uint32(c.session.ID()), Salt: c.salt,
		Capabilities: offered, Status: statusAutocommit, AuthPlugin: gomysql.AUTH_NATIVE_PASSWORD,
	}
	if c.srv.o.TLS != nil {
		greeting.Capabilities |= gomysql.CLIENT_SSL
	}
	if err := c.send(mysql.AppendGreeting(c.w.Begin(), greeting)); err != nil {
		return err
	}
	l, err := c.readLogin()
	if err != nil {
		return c.refuse(err)
	}
	c.capabilities = l.Capabilities & greeting.Capabilities
	if err := c.authenticate(l); err != nil {
		return c.refuse(err)
	}
	c.session.ChangeUser(l.User)
	if l.Database != "" {
		if err := c.session.Use(l.Database); err != nil {
			return c.refuse(err)
		}
	}
	if err := c.sendOK(mysql.OK{}); err != nil {
		return err
	}
	return nil
}

// refuse tells the client why it cannot stay and returns the reason.
func (c *conn) refuse(reason error) error {
	_ = c.sendError(reason)
	return reason
}

// readLogin reads the handshake response, through TLS when the client asks for it.
func (c *conn) readLogin() (mysql.Login, error) {
	l, err := c.readResponse(mysql.ReadLogin)
	if err != nil || !l.WantsTLS {
		return l, err
	}
	if c.srv.o.TLS == nil {
		return l, sqlerr.New(badHandshake, "Bad handshake: the server does not offer TLS")
	}
	secure := tls.Server(c.raw, c.srv.o.TLS)
	if err := secure.HandshakeContext(c.ctx); err != nil {
		return l, sqlerr.Wrap(badHandshake, err, "Bad handshake")
	}
	c.stream = secure
	c.r = mysql.NewReader(secure, handshakePacket)
	l, err = c.readResponse(mysql.ReadLogin)
	if err == nil && l.WantsTLS {
		err = sqlerr.New(badHandshake, "Bad handshake: TLS inside of TLS")
	}
	return l, err
}

// readResponse reads and decodes one packet, and makes the answer continue its numbers.
func (c *conn) readResponse(decode func([]byte) (mysql.Login, error)) (mysql.Login, error) {
	c.r.Seq = c.w.Seq
	packet, err := c.r.Next()
	c.w.Seq = c.r.Seq
	if err != nil {
		return mysql.Login{}, sqlerr.Wrap(badHandshake, err, "Bad handshake")
	}
	return decode(packet)
}

// authenticate checks a login, for the handshake and for COM_CHANGE_USER. The client is
// asked again when it answered for a plugin that we do not speak or answered nothing yet.
func (c *conn) authenticate(l mysql.Login) error {
	cred, known := c.srv.o.Users.find(l.User)
	answer, plugin := l.Auth, l.AuthPlugin
	if plugin == "" {
		plugin = gomysql.AUTH_NATIVE_PASSWORD
	}
	spoken := scrambleSize(plugin) > 0 && (plugin == gomysql.AUTH_NATIVE_PASSWORD || cred.sha2 != nil)
	if known && !cred.open() && (!spoken || len(answer) != scrambleSize(plugin)) {
		var err error
		if plugin, answer, err = c.switchPlugin(plugin, cred); err != nil {
			return err
		}
	}
	denied := !known || !cred.matches(plugin, answer, c.salt)
	if !denied && cred.open() && !c.local() {
		// A name without a password is for this machine only.
		denied = true
	}
	if denied {
		using := "YES"
		if emptyAnswer(answer) {
			using = "NO"
		}
		return sqlerr.New(sqlerr.AccessDenied, "Access denied for user '%s'@'%s' (using password: %s)", l.User, c.remoteHost(), using)
	}
	if plugin == gomysql.AUTH_CACHING_SHA2_PASSWORD && !cred.open() {
		return c.queue(mysql.AppendFastAuthDone(c.w.Begin()))
	}
	return nil
}

// switchPlugin asks for an answer for a plugin that we speak, with a new salt.
func (c *conn) switchPlugin(plugin string, cred credential) (string, []byte, error) {
	if scrambleSize(plugin) == 0 || cred.sha2 == nil {
		plugin = gomysql.AUTH_NATIVE_PASSWORD
	}
	c.salt = newSalt()
	if err := c.send(mysql.AppendAuthSwitch(c.w.Begin(), plugin, c.salt)); err != nil {
		return "", nil, err
	}
	c.r.Seq = c.w.Seq
	answer, err := c.r.Next()
	c.w.Seq = c.r.Seq
	if err != nil {
		return "", nil, sqlerr.Wrap(badHandshake, err, "Bad handshake")
	}
	return plugin, append([]byte{}, answer...), nil
}

// remoteHost is the client's address without its port.
func (c *conn) remoteHost() string {
	host, _, err := net.SplitHostPort(c.raw.RemoteAddr().String())
	if err != nil {
		return c.raw.RemoteAddr().String()
	}
	return host
}

func (c *conn) local() bool {
	ip := net.ParseIP(c.remoteHost())
	return ip != nil && ip.IsLoopback()
}
