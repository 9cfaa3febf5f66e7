package server

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"
	driverpkg "github.com/go-sql-driver/mysql"
)

// TestLocalInfile loads files of the client's: one that is many packets, an empty one, and those that may not or cannot be had.
func TestLocalInfile(t *testing.T) {
	s := start(t, Options{})
	db := open(t, s.dsn("multiStatements=true"))
	db.SetMaxOpenConns(1)
	exec := func(sql string) (int64, error) {
		r, err := db.Exec(sql)
		if err != nil {
			return 0, err
		}
		return r.RowsAffected()
	}
	if _, err := exec("CREATE TABLE t (id INT, s STRING)"); err != nil {
		t.Fatal(err)
	}
	var big bytes.Buffer
	for i := range 300_000 {
		fmt.Fprintf(&big, "%d\tsome text of row %d\n", i, i)
	}
	for name, text := range map[string]string{"big": big.String(), "empty": "", "bad": "x\ty\tz\n"} {
		driverpkg.RegisterReaderHandler("load_test_"+name, func() io.Reader { return strings.NewReader(text) })
		defer driverpkg.DeregisterReaderHandler("load_test_" + name)
	}
	load := func(name string) string {
		return "LOAD DATA LOCAL INFILE 'Reader::load_test_" + name + "' INTO TABLE t"
	}
	for _, c := range []struct {
		sql    string
		rows   int64
		number int
	}{
		{load("big"), 300_000, 0}, {load("empty"), 0, 0}, {load("bad"), 1, 0}, {load("big") + " IGNORE 299999 LINES; " + load("bad"), 1, 0},
		{strings.Replace(load("big"), "TABLE t", "TABLE nothing", 1), 0, 1146}, {load("unregistered"), 0, -1}, {"SET GLOBAL local_infile = 0", 0, 0}, {load("big"), 0, 3948},
	} {
		n, err := exec(c.sql)
		if c.number == 0 && (err != nil || n != c.rows) || c.number != 0 && number(err) != c.number {
			t.Errorf("%s: %d rows, %v", c.sql, n, err)
		}
	}
	if _, err := exec("SET GLOBAL local_infile = 1"); err != nil {
		t.Fatal(err)
	}
	var rows, sum int64
	if err := db.QueryRow("SELECT count(*), sum(id) FROM t").Scan(&rows, &sum); err != nil || rows != 300_003 || sum != 299_999*300_000/2+299_999 {
		t.Error(rows, sum, err)
	}
	// The answer tells the warnings, and the client that does not offer its files is asked for none.
	c := connect(t, s)
	c.caps |= gomysql.CLIENT_LOCAL_FILES
	if got := c.respond("root", nil, gomysql.AUTH_NATIVE_PASSWORD); got[0] != gomysql.OK_HEADER {
		t.Fatalf("login: %q", got)
	}
	if got := c.command(gomysql.COM_QUERY, "LOAD DATA LOCAL INFILE 'a b' INTO TABLE t"); string(got) != "\xfba b" {
		t.Fatalf("%q", got)
	}
	c.w.Seq = c.r.Seq
	c.write([]byte("1\ta\nx"))
	c.write([]byte("y\n"))
	c.write(nil)
	c.r.Seq = c.w.Seq
	if got := c.packet(); got[0] != gomysql.OK_HEADER || got[1] != 2 || !strings.HasSuffix(string(got), "Records: 2  Deleted: 0  Skipped: 0  Warnings: 2") {
		t.Errorf("%q", got)
	}
	c = login(t, s)
	if got := c.command(gomysql.COM_QUERY, "LOAD DATA LOCAL INFILE 'a' INTO TABLE t"); got[0] != gomysql.ERR_HEADER || int(got[1])|int(got[2])<<8 != 3948 {
		t.Errorf("%q", got)
	}
	if got := c.command(gomysql.COM_PING, ""); got[0] != gomysql.OK_HEADER {
		t.Errorf("%q", got)
	}
}
