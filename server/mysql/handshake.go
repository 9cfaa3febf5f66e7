package mysql

import (
	"encoding/binary"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"
)

const (
	protocolVersion = 10
	// SaltSize is the length of the random bytes that passwords are scrambled with.
	SaltSize = 20
	// sslRequestSize is the length of a handshake response that only asks for TLS.
	sslRequestSize = 32
)

// Greeting is the first packet of a connection, the server's.
type Greeting struct {
	ServerVersion string
	ConnectionID  uint32
	Salt          []byte // SaltSize bytes, none of them zero
	Capabilities  uint32
	Status        uint16
	AuthPlugin    string
}

// AppendGreeting appends the greeting's payload.
func AppendGreeting(dst []byte, g Greeting) []byte {
	dst = append(dst, protocolVersion)
	dst = append(dst, g.ServerVersion...)
	dst = append(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, g.ConnectionID)
	dst = append(dst, g.Salt[:8]...)
	dst = append(dst, 0)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(g.Capabilities))
	dst = append(dst, charsetUTF8)
	dst = binary.LittleEndian.AppendUint16(dst, g.Status)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(g.Capabilities>>16))
	dst = append(dst, SaltSize+1)
	dst = append(dst, make([]byte, 10)...)
	dst = append(dst, g.Salt[8:]...)
	dst = append(dst, 0)
	dst = append(dst, g.AuthPlugin...)
	return append(dst, 0)
}

// Login is who a client says it is: its handshake response or COM_CHANGE_USER.
type Login struct {
	Capabilities uint32
	User         string
	Auth         []byte // the scrambled password
	Database     string
	AuthPlugin   string // "" when the client names none
	// WantsTLS is set for a response that only asks for TLS; nothing but Capabilities is
	// filled then, and the true response follows inside TLS.
	WantsTLS bool
}

// ReadLogin decodes a handshake response. Connection attributes are ignored.
func ReadLogin(packet []byte) (Login, error) {
	c := cursor{data: packet}
	var l Login
	l.Capabilities = c.u32()
	if c.short || l.Capabilities&gomysql.CLIENT_PROTOCOL_41 == 0 {
		return l, malformed("the client speaks a protocol before MySQL 4.1")
	}
	c.u32()     // the client's own packet limit
	c.u8()      // its character set: text is always UTF-8 here
	c.bytes(23) // reserved
	if len(packet) == sslRequestSize && l.Capabilities&gomysql.CLIENT_SSL != 0 {
		l.WantsTLS = true
		return l, nil
	}
	l.User = c.nul()
	switch {
	case l.Capabilities&gomysql.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA != 0:
		l.Auth = c.lenencBytes()
	case l.Capabilities&gomysql.CLIENT_SECURE_CONNECTION != 0:
		l.Auth = c.bytes(int(c.u8()))
	default:
		l.Auth = []byte(c.nul())
	}
	if l.Capabilities&gomysql.CLIENT_CONNECT_WITH_DB != 0 && len(c.data) > 0 {
		l.Database = c.nul()
	}
	if l.Capabilities&gomysql.CLIENT_PLUGIN_AUTH != 0 && len(c.data) > 0 {
		l.AuthPlugin = c.nul()
	}
	if c.short {
		return l, malformed("handshake response")
	}
	return l, nil
}

// ReadChangeUser decodes the body of COM_CHANGE_USER of a client with the given capabilities.
func ReadChangeUser(body []byte, capabilities uint32) (Login, error) {
	c := cursor{data: body}
	l := Login{Capabilities: capabilities}
	l.User = c.nul()
	if capabilities&gomysql.CLIENT_SECURE_CONNECTION != 0 {
		l.Auth = c.bytes(int(c.u8()))
	} else {
		l.Auth = []byte(c.nul())
	}
	l.Database = c.nul()
	if len(c.data) > 0 {
		c.u16() // character set
		if capabilities&gomysql.CLIENT_PLUGIN_AUTH != 0 {
			l.AuthPlugin = c.nul()
		}
	}
	if c.short {
		return l, malformed("COM_CHANGE_USER")
	}
	return l, nil
}

// AppendAuthSwitch appends the request to answer again for another plugin.
func AppendAuthSwitch(dst []byte, plugin string, salt []byte) []byte {
	dst = append(dst, gomysql.EOF_HEADER)
	dst = append(dst, plugin...)
	dst = append(dst, 0)
	dst = append(dst, salt...)
	return append(dst, 0)
}

// AppendFastAuthDone appends what caching_sha2_password says before OK when the scramble was right.
func AppendFastAuthDone(dst []byte) []byte {
	return append(dst, gomysql.MORE_DATE_HEADER, gomysql.CACHE_SHA2_FAST_AUTH)
}
