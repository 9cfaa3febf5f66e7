package mysql

import (
	"bytes"
	"strings"
	"testing"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

func TestParams(t *testing.T) {
	// check decodes one parameter of a wire type and wants its SQL type and text.
	check := func(code int, value, typ, text string) {
		t.Helper()
		data := append([]byte{0, 1, byte(code), byte(code >> 8)}, value...)
		got, err := NewParams(1, room(100)).Decode(data)
		if err != nil {
			t.Errorf("type %d value %x: %v", code, value, err)
			return
		}
		if got[0].Type.String() != typ || got[0].Text() != text {
			t.Errorf("type %d value %x: %s %s, want %s %s", code, value, got[0].Type, got[0].Text(), typ, text)
		}
	}
	const unsigned = 0x8000
	check(int(gomysql.MYSQL_TYPE_NULL), "", "null", "NULL")
	check(int(gomysql.MYSQL_TYPE_TINY), "\xff", "bigint", "-1")
	check(int(gomysql.MYSQL_TYPE_TINY)|unsigned, "\xff", "bigint", "255")
	check(int(gomysql.MYSQL_TYPE_SHORT), "\xfe\xff", "bigint", "-2")
	check(int(gomysql.MYSQL_TYPE_YEAR)|unsigned, "\xe8\x07", "bigint", "2024")
	check(int(gomysql.MYSQL_TYPE_LONG), "\xfd\xff\xff\xff", "bigint", "-3")
	check(int(gomysql.MYSQL_TYPE_LONG)|unsigned, "\xfd\xff\xff\xff", "bigint", "4294967293")
	check(int(gomysql.MYSQL_TYPE_LONGLONG), "\xff\xff\xff\xff\xff\xff\xff\xff", "bigint", "-1")
	check(int(gomysql.MYSQL_TYPE_LONGLONG)|unsigned, "\xff\xff\xff\xff\xff\xff\xff\xff", "largeint", "18446744073709551615")
	check(int(gomysql.MYSQL_TYPE_FLOAT), "\x00\x00\x00\x3f", "double", "0.5")
	check(int(gomysql.MYSQL_TYPE_DOUBLE), "\x9a\x99\x99\x99\x99\x99\xb9\x3f", "double", "0.1")
	check(int(gomysql.MYSQL_TYPE_NEWDECIMAL), "\x06-12.50", "decimal(4,2)", "-12.50")
	check(int(gomysql.MYSQL_TYPE_NEWDECIMAL), "\x040.05", "decimal(2,2)", "0.05")
	check(int(gomysql.MYSQL_TYPE_NEWDECIMAL), "\x011", "decimal(1,0)", "1")
	check(int(gomysql.MYSQL_TYPE_NEWDECIMAL), "\x041e10", "string", "1e10"[:4])
	check(int(gomysql.MYSQL_TYPE_NEWDECIMAL), "\x28"+strings.Repeat("9", 40), "string", strings.Repeat("9", 40))
	check(int(gomysql.MYSQL_TYPE_VAR_STRING), "\x03abc", "string", "abc")
	check(int(gomysql.MYSQL_TYPE_BLOB), "\x00", "string", "")
	check(int(gomysql.MYSQL_TYPE_DATE), "\x04\xe8\x07\x02\x1d", "date", "2024-02-29")
	check(int(gomysql.MYSQL_TYPE_DATETIME), "\x04\xe8\x07\x02\x1d", "datetime(6)", "2024-02-29 00:00:00.000000")
	check(int(gomysql.MYSQL_TYPE_DATETIME), "\x07\xe8\x07\x02\x1d\x17\x3b\x3b", "datetime(6)", "2024-02-29 23:59:59.000000")
	check(int(gomysql.MYSQL_TYPE_TIMESTAMP), "\x0b\xe8\x07\x02\x1d\x17\x3b\x3b\x3f\x42\x0f\x00", "datetime(6)", "2024-02-29 23:59:59.999999")
	check(int(gomysql.MYSQL_TYPE_TIME), "\x00", "time(6)", "00:00:00.000000")
	check(int(gomysql.MYSQL_TYPE_TIME), "\x08\x01\x01\x00\x00\x00\x01\x01\x01", "time(6)", "-25:01:01.000000")
	check(int(gomysql.MYSQL_TYPE_TIME), "\x08\x01\xff\xff\xff\xff\x17\x3b\x3b", "time(6)", "-838:59:59.999999")
	check(int(gomysql.MYSQL_TYPE_TIME), "\x0c\x00\x00\x00\x00\x00\x00\x00\x01\x40\x42\x0f\x00", "time(6)", "00:00:02.000000")
}

func TestParamsRefuse(t *testing.T) {
	check := func(code sqlerr.Code, n int, data string) {
		t.Helper()
		if _, err := NewParams(n, room(100)).Decode([]byte(data)); !sqlerr.Is(err, code) {
			t.Errorf("%x: %v", data, err)
		}
	}
	check(sqlerr.MalformedPacket, 1, "")
	check(sqlerr.MalformedPacket, 1, "\x00")
	check(sqlerr.MalformedPacket, 1, "\x00\x01\x08")
	check(sqlerr.MalformedPacket, 1, "\x00\x01\x08\x00\x01\x02")
	check(sqlerr.MalformedPacket, 1, "\x00\x01\xfd\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xffabc")
	check(sqlerr.MalformedPacket, 1, "\x00\x01\xfd\x00\xfb")
	check(sqlerr.MalformedPacket, 1, "\x00\x01\x0a\x00\x05\x01\x01\x01\x01\x01")
	check(sqlerr.WrongParamCount, 1, "\x00\x00")
	check(sqlerr.WrongParamCount, 1, "\x00\x01\x63\x00")
	check(sqlerr.WrongValue, 1, "\x00\x01\x0a\x00\x00")
	check(sqlerr.WrongValue, 1, "\x00\x01\x0a\x00\x04\xe7\x07\x02\x1d") // 2023-02-29
}

// TestParamsRemembersTypes: the second execution of a client that does not bind again.
func TestParamsRemembersTypes(t *testing.T) {
	p := NewParams(2, room(100))
	if _, err := p.Decode([]byte("\x00\x01\x01\x00\xfd\x00\x05\x01a")); err != nil {
		t.Fatal(err)
	}
	got, err := p.Decode([]byte("\x01\x00\x02bc"))
	if err != nil || !got[0].Null || got[1].S != "bc" {
		t.Errorf("got %v, %v", got, err)
	}
}

func room(n int) *int { return &n }

// TestLongRoom: statements of a connection share what they may keep.
func TestLongRoom(t *testing.T) {
	left := room(10)
	p, q := NewParams(1, left), NewParams(1, left)
	execute := []byte("\x00\x01\xfc\x00")
	p.AddLong(0, []byte("1234567"))
	q.AddLong(0, []byte("1234"))
	if _, err := q.Decode(execute); !sqlerr.Is(err, sqlerr.PacketTooLarge) {
		t.Errorf("more than both may keep: %v", err)
	}
	if got, err := p.Decode(execute); err != nil || got[0].S != "1234567" || *left != 10 {
		t.Errorf("%v, %v, %d bytes left", got, err, *left)
	}
	q.AddLong(0, []byte("1234567890"))
	q.Reset()
	q.Reset()
	if *left != 10 {
		t.Errorf("%d bytes left", *left)
	}
}

func TestLongData(t *testing.T) {
	p := NewParams(2, room(10))
	execute := []byte("\x00\x01\xfc\x00\x01\x00\x09")
	p.AddLong(0, []byte("abc"))
	p.AddLong(0, []byte("def"))
	got, err := p.Decode(execute)
	if err != nil || got[0].S != "abcdef" || got[1].Int64() != 9 {
		t.Fatalf("got %v, %v", got, err)
	}
	p.AddLong(0, nil)
	if got, err = p.Decode(execute); err != nil || got[0].Null || got[0].S != "" {
		t.Errorf("empty long data: %v, %v", got, err)
	}
	p.AddLong(0, bytes.Repeat([]byte("x"), 11))
	if _, err = p.Decode(execute); !sqlerr.Is(err, sqlerr.PacketTooLarge) {
		t.Errorf("too long: %v", err)
	}
	p.AddLong(5, []byte("x"))
	if _, err = p.Decode(execute); !sqlerr.Is(err, sqlerr.WrongParamCount) {
		t.Errorf("wrong parameter: %v", err)
	}
	p.AddLong(0, []byte("x"))
	p.Reset()
	if _, err = p.Decode([]byte("\x01\x00\x09")); err != nil {
		t.Errorf("after Reset: %v", err)
	}
}

func TestLogin(t *testing.T) {
	caps := uint32(gomysql.CLIENT_PROTOCOL_41 | gomysql.CLIENT_SECURE_CONNECTION | gomysql.CLIENT_CONNECT_WITH_DB | gomysql.CLIENT_PLUGIN_AUTH)
	head := func(caps uint32) string {
		return string([]byte{byte(caps), byte(caps >> 8), byte(caps >> 16), byte(caps >> 24)}) + strings.Repeat("\x00", 28)
	}
	check := func(packet string, want Login) {
		t.Helper()
		got, err := ReadLogin([]byte(packet))
		got.Capabilities = 0
		if err != nil || got.User != want.User || string(got.Auth) != string(want.Auth) || got.Database != want.Database || got.AuthPlugin != want.AuthPlugin || got.WantsTLS != want.WantsTLS {
			t.Errorf("%q: %+v, %v", packet, got, err)
		}
	}
	check(head(caps)+"root\x00\x02abdb\x00plug\x00", Login{User: "root", Auth: []byte("ab"), Database: "db", AuthPlugin: "plug"})
	check(head(caps)+"root\x00\x00", Login{User: "root"})
	check(head(caps|gomysql.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)+"root\x00\x01xdb\x00plug\x00\x00", Login{User: "root", Auth: []byte("x"), Database: "db", AuthPlugin: "plug"})
	check(head(caps|gomysql.CLIENT_SSL), Login{WantsTLS: true})
	for _, bad := range []string{"", "abc", head(caps) + "root\x00\x14abc", head(0) + "root\x00", head(caps|gomysql.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA) + "root\x00\xfb"} {
		if _, err := ReadLogin([]byte(bad)); !sqlerr.Is(err, sqlerr.MalformedPacket) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	l, err := ReadChangeUser([]byte("u\x00\x02abdb\x00\x2d\x00plug\x00attrs"), caps)
	if err != nil || l.User != "u" || string(l.Auth) != "ab" || l.Database != "db" || l.AuthPlugin != "plug" {
		t.Errorf("%+v, %v", l, err)
	}
}

// FuzzPacket feeds foreign bytes to every decoder: a value or an error, never a panic.
func FuzzPacket(f *testing.F) {
	f.Add([]byte("\x05\x00\x00\x00abcde"))
	f.Add([]byte("\x00\x01\x01\x00\xfd\x00\x05\x01a"))
	f.Add([]byte("\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\x0c\x00\x0b\xe8\x07\x02\x1d\x17\x3b\x3b\x3f\x42\x0f\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(bytes.NewReader(data), 1<<20)
		for {
			packet, err := r.Next()
			if err != nil {
				break
			}
			if len(packet) > len(data) {
				t.Fatal("a packet longer than its bytes")
			}
		}
		_, _ = ReadLogin(data)
		_, _ = ReadChangeUser(data, gomysql.CLIENT_PLUGIN_AUTH|gomysql.CLIENT_SECURE_CONNECTION)
		_, _ = ReadChangeUser(data, 0)
		_, _ = ReadLongData(data)
		_, _ = ReadID(data)
		_, _ = ReadOption(data)
		_, _ = ReadFieldList(data)
		if e, err := ReadExecute(data); err == nil {
			for _, n := range []int{0, 1, 3, 9} {
				p := NewParams(n, room(100))
				for range 2 {
					values, err := p.Decode(e.Params)
					if err == nil && len(values) != n {
						t.Fatalf("%d values of %d", len(values), n)
					}
					for _, v := range values {
						_ = v.Text()
					}
				}
			}
		}
	})
}
