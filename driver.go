package basalt

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// The database/sql driver "basalt". The data source name is a data folder, "" or
// ":memory:" for an engine in memory that lives as long as the sql.DB, with options as
// a query string: "folder?database=tpch&exec_mem_limit=1073741824".
func init() { sql.Register("basalt", &sqlDriver{}) }

type sqlDriver struct{}

// Open implements driver.Driver; database/sql uses OpenConnector instead.
func (d *sqlDriver) Open(name string) (driver.Conn, error) {
	c, err := d.OpenConnector(name)
	if err != nil {
		return nil, err
	}
	return c.Connect(context.Background())
}

// OpenConnector implements driver.DriverContext: one engine a sql.DB, opened on first use.
func (d *sqlDriver) OpenConnector(name string) (driver.Connector, error) {
	dir, query, _ := strings.Cut(name, "?")
	if dir == ":memory:" {
		dir = ""
	}
	opts, err := url.ParseQuery(query)
	if err != nil {
		return nil, sqlerr.Wrap(sqlerr.WrongArguments, err, "malformed data source name")
	}
	c := &connector{driver: d, dir: dir, settings: map[string]string{}}
	for k, v := range opts {
		switch k {
		case "database":
			c.database = v[0]
		case "workers":
			if c.workers, err = strconv.Atoi(v[0]); err != nil {
				return nil, sqlerr.Wrap(sqlerr.WrongArguments, err, "workers")
			}
		default:
			c.settings[k] = v[0]
		}
	}
	return c, nil
}

// Connector wraps an open DB for sql.OpenDB; closing the sql.DB leaves db open.
func (db *DB) Connector(database string) driver.Connector {
	return &connector{driver: &sqlDriver{}, db: db, shared: true, database: database}
}

type connector struct {
	driver   *sqlDriver
	dir      string
	database string
	workers  int
	settings map[string]string

	mu     sync.Mutex
	db     *DB
	shared bool // the DB belongs to somebody else
}

func (c *connector) Driver() driver.Driver { return c.driver }

func (c *connector) Connect(context.Context) (driver.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db == nil {
		db, err := Open(c.dir, Options{Workers: c.workers, Settings: c.settings})
		if err != nil {
			return nil, err
		}
		c.db = db
	}
	s := c.db.NewSession(SessionOptions{})
	if c.database != "" {
		if err := s.Use(c.database); err != nil {
			s.Close()
			return nil, err
		}
	}
	return &sqlConn{s}, nil
}

// Close implements io.Closer, which sql.DB.Close calls.
func (c *connector) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db == nil || c.shared {
		return nil
	}
	db := c.db
	c.db = nil
	return db.Close()
}

type sqlConn struct{ s *Session }

func (c *sqlConn) Close() error { c.s.Close(); return nil }

func (c *sqlConn) Begin() (driver.Tx, error) {
	return nil, sqlerr.Unsupported("a transaction of several statements")
}

func (c *sqlConn) ResetSession(context.Context) error { c.s.Reset(); return nil }

func (c *sqlConn) Prepare(query string) (driver.Stmt, error) {
	p, err := c.s.Prepare(context.Background(), query)
	if err != nil {
		return nil, err
	}
	return &sqlStmt{c.s, p}, nil
}

func (c *sqlConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.s.Query(ctx, query, namedValues(args)...)
	if err != nil {
		return nil, err
	}
	return &sqlRows{ctx: ctx, rows: rows}, nil
}

func (c *sqlConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	n, err := c.s.Exec(ctx, query, namedValues(args)...)
	return driver.RowsAffected(n), err
}

func namedValues(args []driver.NamedValue) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a.Value
	}
	return out
}

type sqlStmt struct {
	s *Session
	p *Prepared
}

func (st *sqlStmt) Close() error  { return nil }
func (st *sqlStmt) NumInput() int { return st.p.Statement.NumParams() }

func (st *sqlStmt) Exec(args []driver.Value) (driver.Result, error) {
	return nil, driver.ErrSkip
}

func (st *sqlStmt) Query(args []driver.Value) (driver.Rows, error) { return nil, driver.ErrSkip }

func (st *sqlStmt) open(ctx context.Context, args []driver.NamedValue) (*Rows, error) {
	params, err := paramValues(namedValues(args))
	if err != nil {
		return nil, err
	}
	return st.s.Execute(ctx, st.p.Statement, params)
}

func (st *sqlStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := st.open(ctx, args)
	if err != nil {
		return nil, err
	}
	return &sqlRows{ctx: ctx, rows: rows}, nil
}

func (st *sqlStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	rows, err := st.open(ctx, args)
	if err != nil {
		return nil, err
	}
	for rows.Next(ctx) {
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close()
		return nil, err
	}
	return driver.RowsAffected(rows.RowsAffected()), rows.Close()
}

type sqlRows struct {
	ctx  context.Context
	rows *Rows
}

func (r *sqlRows) Columns() []string {
	out := make([]string, len(r.rows.Columns()))
	for i, c := range r.rows.Columns() {
		out[i] = c.Name
	}
	return out
}

func (r *sqlRows) ColumnTypeDatabaseTypeName(i int) string {
	name, _, _ := strings.Cut(r.rows.Columns()[i].TypeName(), "(")
	return strings.ToUpper(name)
}

func (r *sqlRows) ColumnTypeNullable(i int) (nullable, ok bool) {
	return r.rows.Columns()[i].Nullable, true
}

func (r *sqlRows) Close() error { return r.rows.Close() }

func (r *sqlRows) Next(dest []driver.Value) error {
	if !r.rows.Next(r.ctx) {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	for i, v := range r.rows.Values() {
		dest[i] = v
	}
	return nil
}
