package http

import (
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/server"
)

func TestPages(t *testing.T) {
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(Handler(db, func() server.Stats { return server.Stats{Open: 3, Accepted: 5, Refused: 2} }))
	defer web.Close()
	check := func(path string, status int, wants ...string) {
		t.Helper()
		resp, err := nethttp.Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != status {
			t.Fatalf("%s: status %d, %v", path, resp.StatusCode, err)
		}
		for _, want := range wants {
			if !strings.Contains(string(body), want) {
				t.Errorf("%s: no %q in\n%s", path, want, body)
			}
		}
	}
	check("/healthz", 200, "ok")
	if _, err := db.NewSession(basalt.SessionOptions{}).Exec(t.Context(), "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	check("/metrics", 200, "basalt_queries_total 1\n", "basalt_query_errors_total 0\n", "basalt_rows_returned_total 1\n",
		"basalt_queries_running 0\n", "basalt_sessions 1\n", "basalt_connections 3\n", "basalt_connections_total 5\n",
		"basalt_connections_refused_total 2\n", "basalt_memory_used_bytes", "go_goroutines", "process_resident_memory_bytes")
	check("/other", 404)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	check("/healthz", 503, "shutdown")
}
