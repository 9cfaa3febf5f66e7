package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/server/mysql"
)

// Options configure a Server. The zero value serves root without a password to this machine.
type Options struct {
	// Address is host:port to listen on; "127.0.0.1:9030" when empty.
	Address string
	// Users may connect; nil is root without a password, from this machine alone.
	Users *Users
	// TLS, when set, is offered to clients.
	TLS *tls.Config
	// MaxConnections bounds the connections at a time; 0 is 1024.
	MaxConnections int
	// HandshakeTimeout bounds the time from connecting to being logged in; 0 is 10 s.
	HandshakeTimeout time.Duration
	// WriteTimeout bounds how long a client may take none of a result; 0 is 10 minutes.
	WriteTimeout time.Duration
	// Logger takes what happens to connections; nil is slog.Default.
	Logger *slog.Logger
}

// DefaultAddress is where a server listens when nothing else is said: Doris's query port.
const DefaultAddress = "127.0.0.1:9030"

const (
	defaultMaxConnections   = 1024
	defaultHandshakeTimeout = 10 * time.Second
	defaultWriteTimeout     = 10 * time.Minute
	// lastWords is how long a connection that was told to end may take to write its last packet.
	lastWords = time.Second
)

var (
	errServerShutdown = sqlerr.New(sqlerr.Code{Number: 1053, SQLState: "08S01"}, "Server shutdown in progress")
	errTooMany        = sqlerr.New(sqlerr.TooManyConnections, "Too many connections")
	errClientGone     = sqlerr.New(sqlerr.Interrupted, "Query execution was interrupted: the client went away")
)

// Server accepts connections. Safe for concurrent use.
type Server struct {
	db       *basalt.DB
	o        Options
	log      *slog.Logger
	listener net.Listener
	started  time.Time

	ctx    context.Context
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	conns    map[*conn]struct{}
	draining bool
	running  sync.WaitGroup

	accepted atomic.Int64
	refused  atomic.Int64
}

// Stats count the connections of a Server.
type Stats struct {
	Open     int
	Accepted int64 // since the start, refused ones too
	Refused  int64 // by limit, failed handshake or password
}

// Listen opens the port. It refuses to open one to other machines while a user has no
// password. Serve then accepts.
func Listen(db *basalt.DB, o Options) (*Server, error) {
	if o.Address == "" {
		o.Address = DefaultAddress
	}
	if o.Users == nil {
		o.Users = NewUsers()
	}
	o.MaxConnections = orDefault(o.MaxConnections, defaultMaxConnections)
	o.HandshakeTimeout = orDefault(o.HandshakeTimeout, defaultHandshakeTimeout)
	o.WriteTimeout = orDefault(o.WriteTimeout, defaultWriteTimeout)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if user, open := o.Users.withoutPassword(); open && !isLoopback(o.Address) {
		return nil, sqlerr.New(sqlerr.AccessDenied, "refusing to listen on %s: user '%s' has no password", o.Address, user).
			WithHint("Set one (basalt serve --root-password …) or listen on %s", DefaultAddress)
	}
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, sqlerr.Wrap(sqlerr.FileIO, err, "cannot listen on %s", o.Address)
	}
	s := &Server{db: db, o: o, log: o.Logger, listener: l, started: time.Now(), conns: map[*conn]struct{}{}}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s, nil
}

func orDefault[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// isLoopback reports whether an address to listen on is reached from this machine alone.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Stats are the server's counts now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{len(s.conns), s.accepted.Load(), s.refused.Load()}
}

// Serve accepts connections until Shutdown, which makes it return nil.
func (s *Server) Serve() error {
	pause := time.Millisecond
	for {
		nc, err := s.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			// Out of file descriptors, most likely: connections that end will free some.
			s.log.Warn("accept failed", "error", err)
			select {
			case <-s.ctx.Done():
				return nil
			case <-time.After(pause):
			}
			pause = min(2*pause, time.Second)
			continue
		}
		pause = time.Millisecond
		s.accept(nc)
	}
}

func (s *Server) accept(nc net.Conn) {
	s.accepted.Add(1)
	s.mu.Lock()
	if s.draining || len(s.conns) >= s.o.MaxConnections {
		reason := errTooMany
		if s.draining {
			reason = errServerShutdown
		}
		s.mu.Unlock()
		s.refused.Add(1)
		refuse(nc, reason)
		return
	}
	c := newConn(s, nc)
	s.conns[c] = struct{}{}
	s.running.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.running.Done()
		defer s.forget(c)
		c.serve()
	}()
}

// refuse tells a client why it cannot connect. The packet is small: it fits the socket's
// buffer, so that this does not wait for the client.
func refuse(nc net.Conn, reason error) {
	_ = nc.SetWriteDeadline(time.Now().Add(lastWords))
	w := mysql.NewWriter(nc)
	_ = w.End(mysql.AppendEarlyError(w.Begin(), reason))
	_ = w.Flush()
	_ = nc.Close()
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// Shutdown stops accepting, lets running statements end until ctx does, cancels the rest
// and waits for all connections to be closed. It may be called once.
func (s *Server) Shutdown(ctx context.Context) {
	_ = s.listener.Close()
	s.mu.Lock()
	s.draining = true
	for c := range s.conns {
		c.drain()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.cancel(errServerShutdown)
		s.mu.Lock()
		for c := range s.conns {
			c.hurry()
		}
		s.mu.Unlock()
		<-done
	}
	s.cancel(errServerShutdown)
}
