package server

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"
	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// start serves a new engine until the test's end and checks that nothing is left running.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o.Address = "127.0.0.1:0"
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := Listen(db, o)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // nothing may go on
		s.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		eventually(t, "all goroutines of the server end", func() bool { return !strings.Contains(stacks(), "/server.(*") })
	})
	return s
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// eventually waits for what other goroutines bring about.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(testPatience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s\n%s", what, stacks())
		}
		runtime.Gosched()
	}
}

// isRunning reports whether a session runs this text: what ran before it may not have been
// counted down yet when its client has the answer.
func (s *Server) isRunning(text string) bool {
	for _, i := range s.db.Sessions() {
		if i.Query == text {
			return true
		}
	}
	return false
}

func (s *Server) dsn(params string) string {
	return fmt.Sprintf("root@tcp(%s)/?%s", s.Addr(), params)
}

// open is a pool of go-sql-driver connections.
func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func number(err error) int {
	var e *driverpkg.MySQLError
	if errors.As(err, &e) {
		return int(e.Number)
	}
	return -1
}

// long runs until it is cancelled, for all that a test's patience is concerned.
const long = "SELECT count(*) FROM numbers('number' = '100000000000')"

// TestValues sends the same query as text and prepared: both give the same values.
func TestValues(t *testing.T) {
	s := start(t, Options{})
	db := open(t, s.dsn("parseTime=true"))
	query := `SELECT cast(1 as boolean) b, cast(-1 as tinyint) t, cast(-300 as smallint) s, cast(70000 as int) i, cast(-5000000000 as bigint) l,
		cast('170141183460469231731687303715884105727' as largeint) w, cast(0.5 as double) d, cast('12.30' as decimal(9,2)) m,
		date '2024-02-29' da, cast('2024-02-29 12:34:56.789' as datetime(3)) dt, 'héllo' v, null n, cast(null as int) ni`
	want := "[1 -1 -300 70000 -5000000000 170141183460469231731687303715884105727 0.5 12.30 2024-02-29 00:00:00 +0000 UTC 2024-02-29 12:34:56.789 +0000 UTC héllo <nil> <nil>]"
	types := "TINYINT TINYINT SMALLINT INT BIGINT VARCHAR DOUBLE DECIMAL DATE DATETIME VARCHAR"
	check := func(rows *sql.Rows, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, _ := rows.ColumnTypes()
		vals := make([]any, len(columns))
		into := make([]any, len(columns))
		var names []string
		for i := range vals {
			into[i] = &vals[i]
			names = append(names, columns[i].DatabaseTypeName())
		}
		if !rows.Next() {
			t.Fatal("no row", rows.Err())
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i := range vals {
			if b, ok := vals[i].([]byte); ok {
				vals[i] = string(b)
			}
		}
		if got := fmt.Sprint(vals); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := strings.Join(names[:11], " "); got != types {
			t.Errorf("got types %s, want %s", got, types)
		}
		if rows.Next() || rows.Err() != nil {
			t.Errorf("one row expected, %v", rows.Err())
		}
	}
	check(db.Query(query))
	stmt, err := db.Prepare(query)
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for range 2 {
		check(stmt.Query())
	}
}

// TestParameters sends Go values through COM_STMT_EXECUTE.
func TestParameters(t *testing.T) {
	s := start(t, Options{})
	db := open(t, s.dsn(""))
	check := func(query, want string, args ...any) {
		t.Helper()
		var got sql.NullString
		if err := db.QueryRow(query, args...).Scan(&got); err != nil {
			t.Errorf("%s %v: %v", query, args, err)
		} else if got.String != want {
			t.Errorf("%s %v: got %q, want %q", query, args, got.String, want)
		}
	}
	check("SELECT ? + 1", "8", 7)
	check("SELECT ? + 1", "-6", int64(-7))
	check("SELECT concat(?, '-', ?)", "a-b", "a", "b")
	check("SELECT ?", "", nil)
	check("SELECT ? * 2", "1", 0.5)
	check("SELECT length(?)", "70000", strings.Repeat("x", 70000))
	check("SELECT count(*) FROM numbers('number' = '100') WHERE number >= ? AND number < ?", "50", 25, 75)
	check("SELECT date_add(?, interval 1 day)", "2024-03-01 10:00:00", time.Date(2024, 2, 29, 10, 0, 0, 0, time.UTC))
}

func TestMultiStatements(t *testing.T) {
	s := start(t, Options{})
	c := login(t, s)
	p := c.command(gomysql.COM_QUERY, "SELECT 1; SET @a = 5; SELECT @a; SELECT nonsense; SELECT 3")
	if len(p) != 1 {
		t.Fatalf("%q", p)
	}
	more := func(p []byte) bool { return p[len(p)-2]&byte(gomysql.SERVER_MORE_RESULTS_EXISTS) != 0 }
	values, end := c.rows()
	if fmt.Sprint(values) != "[1]" || !more(end) {
		t.Errorf("first: %v %q", values, end)
	}
	if p = c.packet(); p[0] != gomysql.OK_HEADER || p[3]&byte(gomysql.SERVER_MORE_RESULTS_EXISTS) == 0 {
		t.Errorf("SET: %q", p)
	}
	c.packet()
	if values, end = c.rows(); fmt.Sprint(values) != "[5]" || !more(end) {
		t.Errorf("third: %v %q", values, end)
	}
	c.wantErr(c.packet(), 1054)
	if got := c.value("SELECT 9"); got != "9" { // the connection goes on, the rest of the text does not
		t.Errorf("then %s", got)
	}

	if p := c.command(gomysql.COM_SET_OPTION, "\x01\x00"); p[0] != gomysql.EOF_HEADER {
		t.Errorf("COM_SET_OPTION: %q", p)
	}
	c.wantErr(c.command(gomysql.COM_QUERY, "SELECT 1; SELECT 2"), 1064)
	if got := c.value("SELECT 9;"); got != "9" {
		t.Errorf("one statement with its end: %s", got)
	}
	c.wantErr(c.command(gomysql.COM_QUERY, " ; "), 1065)
}

// TestErrorInRows: an error behind the first rows is an ERR packet, and the connection goes on.
func TestErrorInRows(t *testing.T) {
	s := start(t, Options{})
	c := login(t, s)
	c.command(gomysql.COM_QUERY, "SELECT number FROM numbers('number' = '100000000')")
	done := make(chan struct{})
	go func() {
		defer close(done)
		eventually(t, "the query runs", func() bool { return s.db.Counters().RowsReturned.Load() > 0 })
		if err := s.db.Kill(uint64(c.id), true); err != nil {
			t.Error(err)
		}
	}()
	values, last := c.rows()
	<-done
	c.wantErr(last, 1317)
	if len(values) == 0 {
		t.Error("the error came before all rows")
	}
	if got := c.value("SELECT 9"); got != "9" {
		t.Errorf("then %s", got)
	}
}

// TestStartupProbes: what clients ask while they connect. Every one must be answered.
func TestStartupProbes(t *testing.T) {
	s := start(t, Options{})
	db := open(t, s.dsn(""))
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, q := range []string{
		// Connector/J
		`/* mysql-connector-j-8.4.0 */SELECT  @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@character_set_connection AS character_set_connection, @@character_set_results AS character_set_results, @@character_set_server AS character_set_server, @@collation_server AS collation_server, @@collation_connection AS collation_connection, @@init_connect AS init_connect, @@interactive_timeout AS interactive_timeout, @@license AS license, @@lower_case_table_names AS lower_case_table_names, @@max_allowed_packet AS max_allowed_packet, @@net_write_timeout AS net_write_timeout, @@performance_schema AS performance_schema, @@sql_mode AS sql_mode, @@system_time_zone AS system_time_zone, @@time_zone AS time_zone, @@transaction_isolation AS transaction_isolation, @@wait_timeout AS wait_timeout`,
		"SET character_set_results = NULL", "SET autocommit=1", "SET sql_mode='STRICT_TRANS_TABLES'", "SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
		// mysql, mysql2, go-sql-driver, mysqlclient, PyMySQL
		"select @@version_comment limit 1", "SELECT DATABASE(), USER() LIMIT 1", "SET NAMES utf8mb4", "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
		"SET AUTOCOMMIT = 0", "select @@max_allowed_packet,@@system_time_zone,@@time_zone,@@auto_increment_increment,@@tx_isolation AS tx_isolation", "SELECT @@session.tx_isolation",
		"SHOW VARIABLES LIKE 'sql_mode'", "SHOW VARIABLES LIKE 'lower_case_%'; ", "SHOW SESSION VARIABLES WHERE Variable_name IN ('max_allowed_packet','net_buffer_length')", "SHOW GLOBAL VARIABLES", "SHOW COLLATION", "SHOW COLLATION WHERE Charset = 'utf8mb4'", "SHOW CHARACTER SET", "SHOW CHARSET",
		"SHOW ENGINES", "SHOW PLUGINS", "SHOW WARNINGS", "SHOW STATUS", "SHOW SESSION STATUS LIKE 'Ssl_cipher'", "SHOW GLOBAL STATUS", "SELECT connection_id()", "SELECT CURRENT_USER()", "SELECT @@lower_case_table_names", "SELECT @@tx_read_only",
		"SHOW DATABASES", "SHOW FULL TABLES FROM information_schema WHERE Table_type != 'VIEW'", "SHOW TABLE STATUS", "SHOW TRIGGERS", "SHOW EVENTS", "SHOW PROCEDURE STATUS", "SHOW FUNCTION STATUS",
		"SHOW PROCESSLIST", "SHOW FULL PROCESSLIST", "SET sql_select_limit=DEFAULT", "SET SQL_SAFE_UPDATES=1", "SET net_write_timeout=600", "BEGIN", "COMMIT", "ROLLBACK", "START TRANSACTION",
	} {
		rows, err := conn.QueryContext(t.Context(), q)
		if err != nil {
			t.Errorf("%.60s: %v", q, err)
			continue
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			t.Errorf("%.60s: %v", q, err)
		}
		_ = rows.Close()
	}
	var id int64
	rows, err := conn.QueryContext(t.Context(), "SELECT connection_id()")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, _ := rows.ColumnTypes()
	if name := types[0].DatabaseTypeName(); name != "BIGINT" || !rows.Next() || rows.Scan(&id) != nil || id == 0 {
		t.Errorf("connection_id() is %d of type %s", id, name)
	}
}

// TestStreaming reads a result far larger than any buffer, then leaves another in the middle.
func TestStreaming(t *testing.T) {
	s := start(t, Options{})
	db := open(t, s.dsn(""))
	rows, err := db.Query("SELECT number, number * 2, 'text' FROM numbers('number' = '300000')")
	if err != nil {
		t.Fatal(err)
	}
	var n, sum, a, b int64
	var text sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&a, &b, &text); err != nil {
			t.Fatal(err)
		}
		n, sum = n+1, sum+b
	}
	if rows.Err() != nil || n != 300000 || sum != 300000*299999 {
		t.Fatalf("%d rows, sum %d, %v", n, sum, rows.Err())
	}
	ctx, cancel := context.WithCancel(t.Context())
	if rows, err = db.QueryContext(ctx, "SELECT number FROM numbers('number' = '1000000000')"); err != nil {
		t.Fatal(err)
	}
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	cancel()
	_ = rows.Close()
	eventually(t, "the query that nobody reads ends", func() bool { return s.db.Counters().Running.Load() == 0 })
}

// TestClientGone: a query whose client left is cancelled, though it sends nothing.
func TestClientGone(t *testing.T) {
	s := start(t, Options{})
	c := login(t, s)
	c.send(gomysql.COM_QUERY, long)
	eventually(t, "the query runs", func() bool { return s.isRunning(long) })
	_ = c.nc.Close()
	eventually(t, "the query ends", func() bool { return s.db.Counters().Running.Load() == 0 })
	eventually(t, "the connection is forgotten", func() bool { return s.Stats().Open == 0 })
}

// TestPipelined: commands sent ahead of the answers are all answered, in order.
func TestPipelined(t *testing.T) {
	s := start(t, Options{})
	c := login(t, s)
	const n = 2000 // more bytes than are read ahead
	go func() {
		for i := range n {
			query := fmt.Sprintf("SELECT %d", i)
			_, _ = c.nc.Write(append([]byte{byte(len(query) + 1), 0, 0, 0, gomysql.COM_QUERY}, query...))
		}
	}()
	for i := range n {
		c.r.Seq = 1
		c.packet()
		if values, _ := c.rows(); fmt.Sprint(values) != fmt.Sprintf("[%d]", i) {
			t.Fatalf("answer %d is %v", i, values)
		}
	}
}

func TestKill(t *testing.T) {
	s := start(t, Options{})
	victim, killer := login(t, s), login(t, s)
	run := func() {
		victim.send(gomysql.COM_QUERY, long)
		eventually(t, "the query runs", func() bool { return s.isRunning(long) })
	}
	run()
	if p := killer.command(gomysql.COM_QUERY, fmt.Sprintf("KILL QUERY %d", victim.id)); p[0] != gomysql.OK_HEADER {
		t.Fatalf("KILL QUERY: %q", p)
	}
	victim.wantErr(victim.packet(), 1317)
	if got := victim.value("SELECT 1"); got != "1" {
		t.Errorf("behind KILL QUERY: %s", got)
	}
	run()
	if p := killer.command(gomysql.COM_PROCESS_KILL, string([]byte{byte(victim.id), byte(victim.id >> 8), 0, 0})); p[0] != gomysql.OK_HEADER {
		t.Fatalf("COM_PROCESS_KILL: %q", p)
	}
	victim.wantErr(victim.packet(), 1317)
	victim.ended()
	idle := login(t, s)
	if p := killer.command(gomysql.COM_QUERY, fmt.Sprintf("KILL %d", idle.id)); p[0] != gomysql.OK_HEADER {
		t.Fatalf("KILL: %q", p)
	}
	idle.ended()
	killer.wantErr(killer.command(gomysql.COM_QUERY, "KILL 999999"), 1094)
}

func TestCancelByContext(t *testing.T) {
	s := start(t, Options{})
	db := open(t, s.dsn(""))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		eventually(t, "the query runs", func() bool { return s.isRunning(long) })
		cancel()
	}()
	if _, err := db.ExecContext(ctx, long); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	eventually(t, "the query ends", func() bool { return s.db.Counters().Running.Load() == 0 })
}

func TestUsers(t *testing.T) {
	users := NewUsers()
	users.SetPassword("root", "secret")
	users.SetPassword("ann", "päss")
	file := filepath.Join(t.TempDir(), "users")
	hash := gomysql.EncodePasswordHex(gomysql.NativePasswordHash([]byte("hidden")))
	if err := os.WriteFile(file, []byte("# users\n\nbob:"+hash+"\neve:plain\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := users.Load(file); err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Users: users})
	// check logs in as a client of plugin does, answering auth switches.
	check := func(user, password, plugin string, sent bool, want int) {
		t.Helper()
		c := connect(t, s)
		var answer []byte
		if sent && password != "" {
			answer = scramble(plugin, password, c.salt)
		}
		p := c.respond(user, answer, plugin)
		if p[0] == gomysql.EOF_HEADER { // auth switch: plugin, 0, salt, 0
			name, salt, _ := strings.Cut(string(p[1:]), "\x00")
			answer = nil
			if password != "" {
				answer = scramble(name, password, []byte(salt[:20]))
			}
			p = c.reply(answer)
		}
		if p[0] == gomysql.MORE_DATE_HEADER {
			p = c.packet()
		}
		if want == 0 {
			if p[0] != gomysql.OK_HEADER {
				t.Errorf("%s by %s: %q", user, plugin, p)
			} else if got := c.value("SELECT user()"); got != user+"@127.0.0.1" {
				t.Errorf("%s by %s is %s", user, plugin, got)
			}
			return
		}
		message := c.wantErr(p, want)
		using := map[bool]string{true: "NO", false: "YES"}[password == ""]
		if !strings.Contains(message, "'"+user+"'@'127.0.0.1' (using password: "+using) {
			t.Errorf("%s by %s: %s", user, plugin, message)
		}
	}
	const native, sha2 = gomysql.AUTH_NATIVE_PASSWORD, gomysql.AUTH_CACHING_SHA2_PASSWORD
	for _, plugin := range []string{native, sha2} {
		for _, sent := range []bool{false, true} {
			check("root", "secret", plugin, sent, 0)
			check("ann", "päss", plugin, sent, 0)
			check("bob", "hidden", plugin, sent, 0)
			check("eve", "plain", plugin, sent, 0)
			check("root", "wrong", plugin, sent, 1045)
			check("bob", "wrong", plugin, sent, 1045)
			check("root", "", plugin, sent, 1045)
		}
		check("nobody", "", plugin, true, 1045)
		check("nobody", "x", plugin, true, 1045)
	}
	check("root", "secret", "sha256_password", false, 0)
	check("root", "secret", "", false, 0)

	if err := open(t, fmt.Sprintf("ann:päss@tcp(%s)/", s.Addr())).Ping(); err != nil {
		t.Error(err)
	}
	if err := open(t, fmt.Sprintf("ann:secret@tcp(%s)/", s.Addr())).Ping(); number(err) != 1045 {
		t.Error(err)
	}
	if err := open(t, fmt.Sprintf("root:secret@tcp(%s)/nowhere", s.Addr())).Ping(); number(err) != 1049 {
		t.Error(err)
	}
	if err := open(t, fmt.Sprintf("root:wrong@tcp(%s)/nowhere", s.Addr())).Ping(); number(err) != 1045 { // before the database is looked at
		t.Error(err)
	}
	if err := users.Load(file + "x"); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestListenRefusesOpenRoot(t *testing.T) {
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0"} {
		if _, err := Listen(db, Options{Address: address}); !sqlerr.Is(err, sqlerr.AccessDenied) {
			t.Errorf("%s: %v", address, err)
		}
	}
	users := NewUsers()
	users.SetPassword("root", "x")
	s, err := Listen(db, Options{Address: "0.0.0.0:0", Users: users})
	if err != nil {
		t.Fatal(err)
	}
	s.Shutdown(t.Context())
}

func TestChangeUser(t *testing.T) {
	users := NewUsers()
	users.SetPassword("ann", "pw")
	s := start(t, Options{Users: users})
	c := login(t, s)
	if p := c.command(gomysql.COM_QUERY, "SET @a = 1"); p[0] != gomysql.OK_HEADER {
		t.Fatalf("%q", p)
	}
	id := c.value("SELECT connection_id()")
	answer := scramble(gomysql.AUTH_NATIVE_PASSWORD, "pw", c.salt)
	body := "ann\x00\x14" + string(answer) + "information_schema\x00\x2d\x00" + gomysql.AUTH_NATIVE_PASSWORD + "\x00"
	if p := c.command(gomysql.COM_CHANGE_USER, body); p[0] != gomysql.OK_HEADER {
		t.Fatalf("COM_CHANGE_USER: %q", p)
	}
	if got := c.value("SELECT concat(substring_index(user(), '@', 1), ' ', database(), ' ', connection_id(), ' ', @a IS NULL)"); got != "ann information_schema "+id+" 1" {
		t.Errorf("got %s", got)
	}
	// Without a password the server asks once more, then ends the connection.
	if p := c.command(gomysql.COM_CHANGE_USER, "ann\x00\x00\x00\x2d\x00"+gomysql.AUTH_CACHING_SHA2_PASSWORD+"\x00"); p[0] != gomysql.EOF_HEADER {
		t.Fatalf("no auth switch: %q", p)
	}
	c.wantErr(c.reply(nil), 1045)
	c.ended()
}

func TestOtherCommands(t *testing.T) {
	s := start(t, Options{})
	c := login(t, s)
	ok := func(p []byte) {
		t.Helper()
		if p[0] != gomysql.OK_HEADER {
			t.Errorf("%q", p)
		}
	}
	ok(c.command(gomysql.COM_PING, ""))
	ok(c.command(gomysql.COM_INIT_DB, "information_schema"))
	c.wantErr(c.command(gomysql.COM_INIT_DB, "nowhere"), 1049)
	if p := c.command(gomysql.COM_STATISTICS, ""); !strings.HasPrefix(string(p), "Uptime: ") {
		t.Errorf("%q", p)
	}
	c.wantErr(c.command(gomysql.COM_BINLOG_DUMP, ""), 1047)
	c.wantErr(c.command(0xEE, ""), 1047)
	c.wantErr(c.command(gomysql.COM_STMT_FETCH, "\x01\x00\x00\x00\x01\x00\x00\x00"), 1235)
	c.wantErr(c.command(gomysql.COM_STMT_EXECUTE, "\x09\x00\x00\x00\x00\x01\x00\x00\x00"), 1243)
	c.wantErr(c.command(gomysql.COM_STMT_EXECUTE, "\x09"), 1835)
	c.wantErr(c.command(gomysql.COM_STMT_RESET, "\x09\x00\x00\x00"), 1243)
	c.wantErr(c.command(gomysql.COM_FIELD_LIST, "nothing\x00"), 1146)
	c.wantErr(c.command(gomysql.COM_SET_OPTION, "\x07\x00"), 1047)
	ok(c.command(gomysql.COM_RESET_CONNECTION, ""))
	c.w.Seq, c.r.Seq = 0, 1
	c.write(nil)
	c.wantErr(c.packet(), 1835)

	// A prepared statement by hand: a cursor is asked for and ignored, types are remembered.
	p := c.command(gomysql.COM_STMT_PREPARE, "SELECT ? + 1")
	if p[0] != 0 || p[5] != 1 || p[7] != 1 {
		t.Fatalf("COM_STMT_PREPARE: %q", p)
	}
	id := string(p[1:5])
	for range 4 {
		c.packet() // the parameter, EOF, the column, EOF
	}
	for i, params := range []string{"\x00\x01\x08\x00\x05\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"} {
		c.command(gomysql.COM_STMT_EXECUTE, id+"\x01\x01\x00\x00\x00"+params)
		c.packet()
		c.packet()
		if row := c.packet(); row[0] != 0 || row[2] != byte(6+i) {
			t.Errorf("execution %d: %q", i, row)
		}
		c.packet()
	}
	c.send(gomysql.COM_STMT_CLOSE, id) // has no answer
	c.wantErr(c.command(gomysql.COM_STMT_EXECUTE, id+"\x00\x01\x00\x00\x00\x00\x00"), 1243)
	c.send(gomysql.COM_QUIT, "")
	c.ended()
}

// TestFieldList describes a table to clients that complete names.
func TestFieldList(t *testing.T) {
	s := start(t, Options{})
	c := login(t, s)
	if p := c.command(gomysql.COM_INIT_DB, "information_schema"); p[0] != gomysql.OK_HEADER {
		t.Fatalf("%q", p)
	}
	c.send(gomysql.COM_FIELD_LIST, "schemata\x00")
	var names int
	for {
		p := c.packet()
		if p[0] == gomysql.EOF_HEADER {
			break
		}
		if p[len(p)-1] != 0xFB {
			t.Fatalf("no default value: %q", p)
		}
		names++
	}
	if names == 0 {
		t.Error("no columns")
	}
}

func TestPacketLimit(t *testing.T) {
	s := start(t, Options{})
	c := login(t, s)
	_, _ = c.nc.Write([]byte{255, 255, 255, 0}) // 16 MB announced four times over: 64 MB are allowed
	chunk := make([]byte, 1<<24-1)
	for i := range 4 {
		if _, err := c.nc.Write(chunk); err != nil {
			break // the server has had enough
		}
		_, _ = c.nc.Write([]byte{255, 255, 255, byte(i + 1)})
	}
	c.ended()

	early := connect(t, s)
	_, _ = early.nc.Write([]byte{0, 0, 16, 1}) // 1 MB before authentication
	early.r.Seq = 2
	early.wantErr(early.packet(), 1043)
	early.ended()

	odd := connect(t, s)
	_, _ = odd.nc.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	odd.ended()
}

func TestConnectionLimit(t *testing.T) {
	s := start(t, Options{MaxConnections: 2})
	login(t, s)
	second := login(t, s)
	third := connect(t, s)
	if got := string(third.salt); got != "\xff\x10\x04Too many connections" {
		t.Errorf("got %q", got)
	}
	second.send(gomysql.COM_QUIT, "")
	eventually(t, "a place gets free", func() bool { return s.Stats().Open == 1 })
	login(t, s)
	if st := s.Stats(); st.Accepted != 4 || st.Refused != 1 {
		t.Errorf("got %+v", st)
	}
}

// TestHandshakeTimeout: a connection that says nothing is closed.
func TestHandshakeTimeout(t *testing.T) {
	s := start(t, Options{HandshakeTimeout: time.Millisecond})
	connect(t, s).ended()
}

func TestManyConnections(t *testing.T) {
	s := start(t, Options{})
	db := open(t, s.dsn(""))
	db.SetMaxOpenConns(100)
	db.SetMaxIdleConns(100)
	var all sync.WaitGroup
	for i := range 100 {
		all.Add(1)
		go func() {
			defer all.Done()
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			for k := range 5 {
				var got int
				if err := conn.QueryRowContext(t.Context(), "SELECT count(*) + ? FROM numbers('number' = '1000')", i*k).Scan(&got); err != nil || got != 1000+i*k {
					t.Errorf("connection %d: %d, %v", i, got, err)
				}
			}
		}()
	}
	all.Wait()
	if n := s.Stats().Accepted; n > 100 {
		t.Errorf("%d connections for 100: some were dropped", n)
	}
}

// TestShutdown: a running statement may end, an idle connection ends at once.
func TestShutdown(t *testing.T) {
	s := start(t, Options{})
	idle, busy := login(t, s), login(t, s)
	busy.command(gomysql.COM_QUERY, "SELECT number FROM numbers('number' = '500000')")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.Shutdown(context.Background())
	}()
	idle.ended()
	if values, last := busy.rows(); last[0] != gomysql.EOF_HEADER || len(values) != 500000 {
		t.Errorf("%d rows, %q", len(values), last)
	}
	busy.ended()
	<-stopped
	if _, err := net.Dial("tcp", s.Addr().String()); err == nil {
		t.Error("still listening")
	}
}

// TestPanic: a bug ends one connection, which is told.
func TestPanic(t *testing.T) {
	s := start(t, Options{})
	c := login(t, s)
	s.mu.Lock()
	for sc := range s.conns {
		sc.statements = nil // the next prepared statement is a write to a nil map
	}
	s.mu.Unlock()
	c.wantErr(c.command(gomysql.COM_STMT_PREPARE, "SELECT 1"), 1105)
	c.ended()
	if got := login(t, s).value("SELECT 1"); got != "1" {
		t.Errorf("another connection: %s", got)
	}
}

// TestBadConn: go-sql-driver sees a killed connection as bad and takes a new one.
func TestBadConn(t *testing.T) {
	s := start(t, Options{})
	db := open(t, s.dsn(""))
	db.SetMaxOpenConns(1)
	var id uint64
	if err := db.QueryRow("SELECT connection_id()").Scan(&id); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Kill(id, false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the connection ends", func() bool { return s.Stats().Open == 0 })
	if err := db.Ping(); err != nil && !errors.Is(err, driver.ErrBadConn) {
		t.Error(err)
	}
}
