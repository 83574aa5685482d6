package github

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// description is the API in OpenAPI, which every request and every answer of
// the tests is held to: testdata/api.yaml, or the file that
// SLUICE_GITHUB_DESCRIPTION names, which is to be GitHub's own.
type description struct {
	doc    *openapi3.T
	routes map[string]*regexp.Regexp // by path template
}

// described is the description, read once: GitHub's own takes a while.
var described struct {
	sync.Once
	*description
}

func describe(t *testing.T) *description {
	t.Helper()
	described.Do(func() { described.description = load(t) })
	if described.description == nil {
		t.Fatal("the description could not be read")
	}
	return described.description
}

func load(t *testing.T) *description {
	t.Helper()
	file := os.Getenv("SLUICE_GITHUB_DESCRIPTION")
	if file == "" {
		file = "testdata/api.yaml"
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data = trim(t, file, data)
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatal(err)
	}
	d := &description{doc, map[string]*regexp.Regexp{}}
	for path := range doc.Paths.Map() {
		pattern := regexp.QuoteMeta(path)
		pattern = strings.ReplaceAll(pattern, `\{ref\}`, `(?P<ref>.+)`) // which may have slashes in it
		pattern = regexp.MustCompile(`\\\{(\w+)\\\}`).ReplaceAllString(pattern, `(?P<$1>[^/]+)`)
		d.routes[path] = regexp.MustCompile("^" + pattern + "$")
	}
	return d
}

// trim keeps the paths of testdata/api.yaml: GitHub's description has 800.
func trim(t *testing.T, file string, data []byte) []byte {
	t.Helper()
	if !strings.HasSuffix(file, ".json") {
		return data
	}
	ours, err := openapi3.NewLoader().LoadFromFile("testdata/api.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	var paths map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all["paths"], &paths); err != nil {
		t.Fatal(err)
	}
	for path := range paths {
		if ours.Paths.Value(path) == nil {
			delete(paths, path)
		}
	}
	if len(paths) != ours.Paths.Len() {
		t.Fatalf("%s has %d of the %d paths that are used", file, len(paths), ours.Paths.Len())
	}
	delete(all, "x-webhooks")
	if all["paths"], err = json.Marshal(paths); err != nil {
		t.Fatal(err)
	}
	if data, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	return data
}

// hold wraps a server: what it is asked and what it answers has to be as the
// API is described.
func (d *description) hold(t *testing.T, prefix string, server http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, r)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if rec.Header().Get("X-Not-GitHub") == "" {
			d.check(t, prefix, r, rec)
		}
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// undescribed are bodies that the libraries send and GitHub takes, and that its
// description has in words only, or not at all.
var undescribed = map[string]string{
	"/repos/{owner}/{repo}/issues/{issue_number}/labels": "a plain list, which the words of the description allow",
	"/app/installations/{installation_id}/access_tokens": "null, for no restriction of the token",
}

func (d *description) check(t *testing.T, prefix string, r *http.Request, rec *httptest.ResponseRecorder) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), prefix) // a branch's slashes are escaped
	route, params := d.find(path, r.Method)
	if route == nil {
		t.Errorf("%s %s is not in the description", r.Method, path)
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeReadOnlyValidations: true},
	}
	for template := range undescribed {
		input.Options.ExcludeRequestBody = input.Options.ExcludeRequestBody || template == route.Path
	}
	if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
		t.Errorf("asking %s %s: %v", r.Method, path, err)
	}
	if rec.Code >= 400 {
		return // most refusals are described nowhere
	}
	answer := route.Operation.Responses.Status(rec.Code)
	if answer == nil {
		t.Errorf("answering %s %s: status %d is not in the description", r.Method, path, rec.Code)
		return
	}
	var v any
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		t.Errorf("answering %s %s: %v", r.Method, path, err)
		return
	}
	fits(t, r.Method+" "+path, answer.Value.Content.Get("application/json").Schema.Value, v)
}

func (d *description) find(path, method string) (*routers.Route, map[string]string) {
	for template, pattern := range d.routes {
		m := pattern.FindStringSubmatch(path)
		item := d.doc.Paths.Value(template)
		if m == nil || item.GetOperation(method) == nil {
			continue
		}
		params := map[string]string{}
		for i, name := range pattern.SubexpNames() {
			if name != "" {
				params[name] = m[i]
			}
		}
		return &routers.Route{Spec: d.doc, Path: template, PathItem: item, Method: method, Operation: item.GetOperation(method)}, params
	}
	return nil, nil
}

// fits holds a value to a schema: every field has to be known and of its type.
// Fields that are left out are not missed, because nothing reads them.
func fits(t *testing.T, at string, s *openapi3.Schema, v any) {
	if v == nil {
		if !s.Nullable && len(s.AnyOf)+len(s.OneOf) == 0 {
			t.Errorf("%s is null", at)
		}
		return
	}
	if len(s.AllOf) == 1 {
		s = s.AllOf[0].Value
	}
	switch v := v.(type) {
	case map[string]any:
		if len(s.Properties) == 0 {
			return // anything goes
		}
		for key, inner := range v {
			p := s.Properties[key]
			if p == nil {
				t.Errorf("%s has no field %q", at, key)
				continue
			}
			fits(t, at+"."+key, p.Value, inner)
		}
	case []any:
		if s.Items == nil {
			t.Errorf("%s is a list", at)
			return
		}
		for _, inner := range v {
			fits(t, at+"[]", s.Items.Value, inner)
		}
	default:
		if err := s.VisitJSON(v); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
}
