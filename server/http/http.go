// Package http serves what operators of a Basalt server look at: /healthz for load
// balancers, /metrics for Prometheus and /api/profile for query profiles.
package http

import (
	"context"
	"net"
	nethttp "net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/server"
)

// DefaultAddress is where status is served when nothing else is said: Doris's HTTP port.
const DefaultAddress = "127.0.0.1:8030"

const headerTimeout = 10 * time.Second

// Server serves status over HTTP. Safe for concurrent use.
type Server struct {
	listener net.Listener
	http     *nethttp.Server
}

// Listen opens the port. stats gives the MySQL server's counts; nil when there is none.
func Listen(address string, db *basalt.DB, stats func() server.Stats) (*Server, error) {
	if address == "" {
		address = DefaultAddress
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, sqlerr.Wrap(sqlerr.FileIO, err, "cannot listen on %s", address)
	}
	return &Server{l, &nethttp.Server{Handler: Handler(db, stats), ReadHeaderTimeout: headerTimeout}}, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve answers requests until Shutdown, which makes it return nil.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); err != nil && err != nethttp.ErrServerClosed {
		return sqlerr.Wrap(sqlerr.FileIO, err, "HTTP server")
	}
	return nil
}

// Shutdown waits for running requests until ctx ends.
func (s *Server) Shutdown(ctx context.Context) { _ = s.http.Shutdown(ctx) }

// Handler is the server's pages, for programs that serve HTTP themselves.
func Handler(db *basalt.DB, stats func() server.Stats) nethttp.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(engineMetrics(db)...)
	if stats != nil {
		registry.MustRegister(connectionMetrics(stats)...)
	}
	mux := nethttp.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w nethttp.ResponseWriter, r *nethttp.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := db.Ping(r.Context()); err != nil {
			nethttp.Error(w, err.Error(), nethttp.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	handleProfiles(mux, db)
	return mux
}

func counter(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
}

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

func engineMetrics(db *basalt.DB) []prometheus.Collector {
	c := db.Counters()
	return []prometheus.Collector{
		counter("basalt_queries_total", "Statements started.", func() float64 { return float64(c.Queries.Load()) }),
		counter("basalt_query_errors_total", "Statements that failed.", func() float64 { return float64(c.Errors.Load()) }),
		counter("basalt_rows_returned_total", "Rows returned to clients.", func() float64 { return float64(c.RowsReturned.Load()) }),
		counter("basalt_query_seconds_total", "Time that statements took together.", func() float64 { return float64(c.QueryNanos.Load()) / 1e9 }),
		gauge("basalt_queries_running", "Statements running now.", func() float64 { return float64(c.Running.Load()) }),
		gauge("basalt_memory_used_bytes", "Memory that statements have reserved now.", func() float64 { return float64(db.MemoryUsed()) }),
		gauge("basalt_page_cache_bytes", "Decoded pages kept between queries.", func() float64 { return float64(db.PageCacheStats().Bytes) }),
		counter("basalt_page_cache_hits_total", "Pages found in the cache.", func() float64 { return float64(db.PageCacheStats().Hits) }),
		counter("basalt_page_cache_misses_total", "Pages that had to be decoded.", func() float64 { return float64(db.PageCacheStats().Misses) }),
		gauge("basalt_dictionary_cache_bytes", "Global dictionaries kept in memory.", func() float64 { return float64(db.DictionaryCacheStats().Bytes) }),
		gauge("basalt_dictionary_in_use_bytes", "Global dictionaries that are not kept and are in use.", func() float64 { return float64(db.DictionaryCacheStats().InUse) }),
		counter("basalt_dictionary_cache_hits_total", "Dictionaries found in memory.", func() float64 { return float64(db.DictionaryCacheStats().Hits) }),
		counter("basalt_dictionary_cache_misses_total", "Dictionaries that had to be read.", func() float64 { return float64(db.DictionaryCacheStats().Misses) }),
		counter("basalt_slow_queries_total", "Statements that took longer than long_query_time.", func() float64 { return float64(c.SlowQueries.Load()) }),
		counter("basalt_spilled_bytes_total", "Bytes written to temporary files.", func() float64 { b, _ := db.Spilled(); return float64(b) }),
		gauge("basalt_queries_waiting", "Queries that wait for memory to start.", func() float64 { n, _ := db.QueueLength(); return float64(n) }),
		gauge("basalt_sessions", "Open sessions, embedded ones too.", func() float64 { return float64(len(db.Sessions())) }),
	}
}

func connectionMetrics(stats func() server.Stats) []prometheus.Collector {
	return []prometheus.Collector{
		gauge("basalt_connections", "Open MySQL connections.", func() float64 { return float64(stats().Open) }),
		counter("basalt_connections_total", "MySQL connections since the start.", func() float64 { return float64(stats().Accepted) }),
		counter("basalt_connections_refused_total", "MySQL connections refused: limit, handshake or password.", func() float64 { return float64(stats().Refused) }),
	}
}
