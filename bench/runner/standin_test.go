package runner

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"

	"github.com/basaltdb/basalt/bench/result"
)

// A server side of the MySQL protocol with just what the driver needs: no password, text
// results, results below 16 MB and 251 columns.

const (
	capabilities = 1<<0 | 1<<9 | 1<<15 | 1<<19 // long password, protocol 4.1, secure connection, plugin auth
	comQuit      = 1
	comQuery     = 3
	typeVarchar  = 0xfd
	utf8mb4      = 45
)

type standIn struct {
	r   *bufio.Reader
	w   *bufio.Writer
	seq byte
}

// serveConn answers the connection's queries with answer's sets or errors until the
// client quits. A set without columns is sent as OK.
func serveConn(c net.Conn, answer func(query string) (result.Set, error)) error {
	defer c.Close()
	s := &standIn{r: bufio.NewReader(c), w: bufio.NewWriter(c)}
	greeting := append([]byte{10}, "5.7.99-standin\x00"...)
	greeting = binary.LittleEndian.AppendUint32(greeting, 1)
	greeting = append(greeting, "12345678\x00"...)
	greeting = binary.LittleEndian.AppendUint16(greeting, capabilities&0xffff)
	greeting = append(greeting, utf8mb4, 2, 0)
	greeting = binary.LittleEndian.AppendUint16(greeting, capabilities>>16)
	greeting = append(greeting, 21)
	greeting = append(greeting, make([]byte, 10)...)
	greeting = append(greeting, "123456789012\x00mysql_native_password\x00"...)
	s.send(greeting)
	if _, err := s.receive(); err != nil {
		return err
	}
	s.ok()
	for {
		command, err := s.receive()
		if err != nil || len(command) == 0 || command[0] == comQuit {
			return err
		}
		if command[0] != comQuery {
			s.ok()
			continue
		}
		set, err := answer(string(command[1:]))
		switch {
		case err != nil:
			s.send(append([]byte{0xff, 0x10, 0x04, '#', 'H', 'Y', '0', '0', '0'}, err.Error()...))
			s.w.Flush()
		case len(set.Columns) == 0:
			s.ok()
		default:
			s.set(set)
		}
	}
}

func (s *standIn) receive() ([]byte, error) {
	s.w.Flush()
	var head [4]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return nil, err
	}
	s.seq = head[3] + 1
	body := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	_, err := io.ReadFull(s.r, body)
	return body, err
}

func (s *standIn) send(body []byte) {
	n := len(body)
	s.w.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16), s.seq})
	s.w.Write(body)
	s.seq++
}

func (s *standIn) ok()  { s.send([]byte{0, 0, 0, 2, 0, 0, 0}) }
func (s *standIn) eof() { s.send([]byte{0xfe, 0, 0, 2, 0}) }

func (s *standIn) set(set result.Set) {
	s.send([]byte{byte(len(set.Columns))})
	for _, name := range set.Columns {
		var b []byte
		for _, field := range []string{"def", "", "", "", name, name} {
			b = appendString(b, field)
		}
		s.send(append(b, 12, utf8mb4, 0, 0, 1, 0, 0, typeVarchar, 0, 0, 0, 0, 0))
	}
	s.eof()
	for _, row := range set.Rows {
		var b []byte
		for _, v := range row {
			if v.Null {
				b = append(b, 0xfb)
			} else {
				b = appendString(b, v.Text)
			}
		}
		s.send(b)
	}
	s.eof()
}

func appendString(b []byte, s string) []byte {
	if len(s) < 251 {
		b = append(b, byte(len(s)))
	} else {
		b = append(b, 0xfc, byte(len(s)), byte(len(s)>>8))
	}
	return append(b, s...)
}
