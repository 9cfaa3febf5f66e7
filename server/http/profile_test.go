package http

import (
	"context"
	"encoding/json"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
)

func TestProfiles(t *testing.T) {
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	for _, sql := range []string{"SELECT 1", "SET enable_profile = 1", "SELECT number FROM numbers('number' = '10') WHERE number > 6"} {
		if _, err := s.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(Handler(db, nil))
	defer server.Close()
	get := func(path string, status int) string {
		t.Helper()
		res, err := nethttp.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != status {
			t.Fatalf("%s: status %d, error %v: %s", path, res.StatusCode, err, body)
		}
		return string(body)
	}
	var list struct {
		Code int
		Data []struct{ ID, Statement, State string }
	}
	if err := json.Unmarshal([]byte(get("/api/profile", 200)), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Data) != 1 || list.Data[0].State != "OK" || !strings.HasPrefix(list.Data[0].Statement, "SELECT number") {
		t.Fatalf("list %+v", list)
	}
	var one struct{ Data basalt.QueryProfile }
	if err := json.Unmarshal([]byte(get("/api/profile?id="+list.Data[0].ID, 200)), &one); err != nil {
		t.Fatal(err)
	}
	if one.Data.Rows != 3 || len(one.Data.Operators) == 0 || one.Data.Operators[0].Measured == nil || one.Data.Operators[0].Measured.Rows != 3 {
		t.Fatalf("profile %+v", one.Data)
	}
	if text := get("/rest/v2/manager/query/profile/text/"+list.Data[0].ID, 200); !strings.Contains(text, "actual: rows in=10, out=3") {
		t.Fatalf("text %s", text)
	}
	get("/api/profile?query_id=nope", 404)
}
