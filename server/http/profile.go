package http

import (
	"encoding/json"
	nethttp "net/http"
	"time"

	"github.com/basaltdb/basalt"
)

// envelope is what Doris's management API answers with.
type envelope struct {
	Message string `json:"msg"`
	Code    int    `json:"code"` // 0, or the HTTP status of a failure
	Data    any    `json:"data"`
	Count   int    `json:"count"`
}

func answer(w nethttp.ResponseWriter, status int, e envelope) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(e)
}

// profileSummary is a profile in the list.
type profileSummary struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	State     string    `json:"state"`
	User      string    `json:"user"`
	Database  string    `json:"database"`
	Statement string    `json:"statement"`
	Start     time.Time `json:"start"`
	Nanos     int64     `json:"total_ns"`
}

// handleProfiles serves the profiles of statements that ran with enable_profile: a list, or one as
// JSON or as text.
func handleProfiles(mux *nethttp.ServeMux, db *basalt.DB) {
	find := func(w nethttp.ResponseWriter, id string) *basalt.QueryProfile {
		p := db.Profile(id)
		if p == nil {
			answer(w, nethttp.StatusNotFound, envelope{Message: "ID " + id + " does not exist", Code: nethttp.StatusNotFound})
		}
		return p
	}
	asText := func(w nethttp.ResponseWriter, id string) {
		if p := find(w, id); p != nil {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = w.Write([]byte(p.Statement + "\n\n" + p.Text + "\n"))
		}
	}
	asJSON := func(w nethttp.ResponseWriter, id string) {
		if p := find(w, id); p != nil {
			answer(w, nethttp.StatusOK, envelope{Message: "success", Data: p, Count: 1})
		}
	}
	list := func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		out := []profileSummary{}
		for _, p := range db.Profiles() {
			out = append(out, profileSummary{p.ID, p.Type, p.State, p.User, p.Database, p.Statement, p.Start, int64(p.End.Sub(p.Start))})
		}
		answer(w, nethttp.StatusOK, envelope{Message: "success", Data: out, Count: len(out)})
	}
	mux.HandleFunc("GET /api/profile", func(w nethttp.ResponseWriter, r *nethttp.Request) {
		id := r.URL.Query().Get("query_id") // Doris's name
		if id == "" {
			id = r.URL.Query().Get("id")
		}
		switch {
		case id == "":
			list(w, r)
		case r.URL.Query().Get("format") == "text":
			asText(w, id)
		default:
			asJSON(w, id)
		}
	})
	mux.HandleFunc("GET /rest/v2/manager/query/query_info", list)
	mux.HandleFunc("GET /rest/v2/manager/query/profile/json/{id}", func(w nethttp.ResponseWriter, r *nethttp.Request) { asJSON(w, r.PathValue("id")) })
	mux.HandleFunc("GET /rest/v2/manager/query/profile/text/{id}", func(w nethttp.ResponseWriter, r *nethttp.Request) { asText(w, r.PathValue("id")) })
}
