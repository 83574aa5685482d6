package described

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHold holds that what GitHub does not know is told, and nothing else.
func TestHold(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	const ref = `{"ref": "refs/heads/env/production", "node_id": "x", "url": "https://x", "object": {"type": "commit", "sha": "099b7ba3b7c50a12167e380f5c21e78b346cf48c", "url": "https://x"}}`
	for _, c := range []struct {
		what, body string
		status     int
		answer     string
		want       string // empty for nothing
	}{
		{"GET /repos/acme/shop/git/ref/heads/env/production", "", 200, ref, ""},
		{"PATCH /repos/acme/shop/git/refs/heads/env/production", `{"sha": "x", "force": false}`, 200, ref, ""},
		{"PATCH /repos/acme/shop/git/refs/heads/env/production", `{"force": "no"}`, 422, `{}`, "asking PATCH"},
		{"GET /repos/acme/shop/git/ref/heads/main", "", 200, strings.Replace(ref, `"node_id"`, `"nodeId"`, 1), `has no field "nodeId"`},
		{"GET /repos/acme/shop/git/ref/heads/main", "", 200, strings.Replace(ref, `"type": "commit"`, `"type": 1`, 1), "answering GET"},
		{"GET /repos/acme/shop/git/ref/heads/main", "", 204, ref, "status 204 is not in the description"},
		{"GET /repos/acme/shop/git/ref/heads/main", "", 200, `nothing`, "invalid character"},
		{"GET /repos/acme/shop/git/ref/heads/main", "", 200, `[]`, "is a list"},
		{"GET /repos/acme/shop/pulls?state=opened", "", 200, `[]`, "asking GET"},
		{"GET /repos/acme/shop/pulls?state=open&page=2", "", 200, `[{"number": 1, "merged": true}]`, `has no field "merged"`},
		{"GET /repos/acme/shop/pulls/1", "", 200, `{"number": null}`, "number is null"},
		{"DELETE /repos/acme/shop/pulls", "", 204, ``, "not in the description"},
		{"GET /elsewhere", "", 200, `{}`, "not in the description"},
	} {
		var told []string
		server := Hold(all, "/api/v3", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got, _ := io.ReadAll(r.Body); string(got) != c.body {
				t.Errorf("%s comes with body %q", c.what, got)
			}
			w.WriteHeader(c.status)
			io.WriteString(w, c.answer)
		}), func(what string) { told = append(told, what) })
		method, path, _ := strings.Cut(c.what, " ")
		r := httptest.NewRequest(method, "/api/v3"+path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		server.ServeHTTP(httptest.NewRecorder(), r)
		all := strings.Join(told, "\n")
		if c.want == "" && all != "" || c.want != "" && strings.Count(all, c.want) != 2 { // both descriptions
			t.Errorf("%s answered with %d %s: %q, want %q twice", c.what, c.status, c.answer, all, c.want)
		}
	}
}
