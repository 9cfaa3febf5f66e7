package shell

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// RemoteOptions say how to reach a server.
type RemoteOptions struct {
	Host, Port, User, Password, Database string
}

// Remote runs statements on a server over the MySQL protocol.
type Remote struct {
	db       *sql.DB
	conn     *sql.Conn
	id       uint64
	where    string
	database string
}

const dialTimeout = 10 * time.Second

// silent drops what the driver logs: what goes wrong comes back as an error too.
type silent struct{}

func (silent) Print(...any) {}

// Dial connects to a server.
func Dial(ctx context.Context, o RemoteOptions) (*Remote, error) {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr = "tcp", net.JoinHostPort(o.Host, o.Port)
	cfg.User, cfg.Passwd, cfg.DBName = o.User, o.Password, o.Database
	cfg.Timeout, cfg.Logger = dialTimeout, silent{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("cannot connect: %w", err)
	}
	r := &Remote{db: sql.OpenDB(connector), where: fmt.Sprintf("server %s as %s", cfg.Addr, o.User), database: o.Database}
	if r.conn, err = r.db.Conn(ctx); err == nil {
		err = r.conn.QueryRowContext(ctx, "SELECT connection_id()").Scan(&r.id)
	}
	if err != nil {
		_ = r.db.Close()
		return nil, fmt.Errorf("cannot connect to %s: %w", cfg.Addr, err)
	}
	r.readDatabase(ctx)
	return r, nil
}

// Run implements Client. The statement is cancelled by KILL QUERY over a second
// connection: cancelling the driver's context would drop the session.
func (r *Remote) Run(ctx context.Context, statement string, show func(Result) error) error {
	stop := context.AfterFunc(ctx, func() {
		kctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
		defer cancel()
		_, _ = r.db.ExecContext(kctx, fmt.Sprintf("KILL QUERY %d", r.id))
	})
	defer stop()
	background := context.WithoutCancel(ctx)
	if !returnsRows(statement) {
		res, err := r.conn.ExecContext(background, statement)
		if err != nil {
			return err
		}
		n, _ := res.RowsAffected()
		if strings.EqualFold(firstWord(statement), "use") {
			r.readDatabase(background)
		}
		return show(Result{Affected: n})
	}
	rows, err := r.conn.QueryContext(background, statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	result := Result{Columns: make([]Column, len(types))}
	for i, t := range types {
		result.Columns[i] = Column{t.Name(), kindOf(t.DatabaseTypeName())}
	}
	raw := make([]sql.RawBytes, len(types))
	into := make([]any, len(types))
	for i := range raw {
		into[i] = &raw[i]
	}
	result.Next = func(row []Cell) (bool, error) {
		if !rows.Next() {
			return false, rows.Err()
		}
		if err := rows.Scan(into...); err != nil {
			return false, err
		}
		for i := range row {
			row[i] = Cell{string(raw[i]), raw[i] == nil}
		}
		return true, nil
	}
	return show(result)
}

// returnsRows guesses from the first word whether a statement has rows: the driver asks
// for different calls to get rows and to get the number of affected ones.
func returnsRows(statement string) bool {
	switch strings.ToLower(firstWord(statement)) {
	case "insert", "create", "drop", "alter", "truncate", "use", "set", "kill", "delete", "update", "replace", "load", "grant",
		"revoke", "begin", "start", "commit", "rollback", "prepare", "deallocate", "refresh", "msck":
		return false
	}
	return true
}

// firstWord is the first word behind white space and comments.
func firstWord(statement string) string {
	s := skipSpace(statement)
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return s[:i]
		}
	}
	return s
}

func (r *Remote) readDatabase(ctx context.Context) {
	var name sql.NullString
	if r.conn.QueryRowContext(ctx, "SELECT database()").Scan(&name) == nil {
		r.database = name.String
	}
}

// Database implements Client.
func (r *Remote) Database() string { return r.database }

// Where implements Client.
func (r *Remote) Where() string { return r.where }

// Close closes the connection.
func (r *Remote) Close() error {
	_ = r.conn.Close()
	return r.db.Close()
}
