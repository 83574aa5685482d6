// Package described holds what is asked of GitHub and what a fake of it answers
// to GitHub's own description of its API, for tests.
package described

import (
	"bytes"
	"context"
	_ "embed" // the descriptions
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// GitHub's descriptions, trimmed to what is used; `make forge-facts` says
// whether they are fresh. Their license is in them.
var (
	//go:embed testdata/api.github.com.json
	dotcom []byte
	//go:embed testdata/ghes-3.17.json
	enterprise []byte
)

// Description is GitHub's API in OpenAPI.
type Description struct {
	doc    *openapi3.T
	routes map[string]*regexp.Regexp // by path template
}

// All gives the descriptions of github.com and of an Enterprise Server.
func All() ([]*Description, error) {
	var all []*Description
	for _, data := range [][]byte{dotcom, enterprise} {
		doc, err := openapi3.NewLoader().LoadFromData(data)
		if err != nil {
			return nil, fmt.Errorf("reading GitHub's description: %w", err)
		}
		d := &Description{doc, map[string]*regexp.Regexp{}}
		for path := range doc.Paths.Map() {
			pattern := regexp.QuoteMeta(path)
			pattern = strings.ReplaceAll(pattern, `\{ref\}`, `(?P<ref>.+)`) // which may have slashes in it
			pattern = regexp.MustCompile(`\\\{(\w+)\\\}`).ReplaceAllString(pattern, `(?P<$1>[^/]+)`)
			if d.routes[path], err = regexp.Compile("^" + pattern + "$"); err != nil {
				return nil, err
			}
		}
		all = append(all, d)
	}
	return all, nil
}

// Hold wraps a server whose API is below prefix: what it is asked and what it
// answers has to be as all descriptions have it. What is not goes to wrong. An
// answer with the header X-Not-GitHub is not GitHub's.
func Hold(all []*Description, prefix string, server http.Handler, wrong func(string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, r)
		// A branch's slashes may be escaped.
		if path, ok := strings.CutPrefix(r.URL.EscapedPath(), prefix+"/"); ok && rec.Header().Get("X-Not-GitHub") == "" {
			for _, d := range all {
				r.Body = io.NopCloser(bytes.NewReader(body))
				for _, what := range d.check("/"+path, r, rec) {
					wrong(fmt.Sprintf("%s (%v)", what, d.doc.Extensions["x-from"]))
				}
			}
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

// check gives what is wrong with one request and its answer.
func (d *Description) check(path string, r *http.Request, rec *httptest.ResponseRecorder) []string {
	at := r.Method + " " + path
	route, params := d.find(path, r.Method)
	if route == nil {
		return []string{at + " is not in the description"}
	}
	var wrong []string
	_, excepted := undescribed[route.Path]
	if err := openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeReadOnlyValidations: true, ExcludeRequestBody: excepted},
	}); err != nil {
		wrong = append(wrong, fmt.Sprintf("asking %s: %v", at, err))
	}
	answer := route.Operation.Responses.Status(rec.Code)
	switch {
	case rec.Code >= 400:
		return wrong // many refusals are described nowhere
	case answer == nil:
		return append(wrong, fmt.Sprintf("answering %s: status %d is not in the description", at, rec.Code))
	}
	var v any
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		return append(wrong, fmt.Sprintf("answering %s: %v", at, err))
	}
	return append(wrong, fits("answering "+at, answer.Value.Content.Get("application/json").Schema.Value, v)...)
}

func (d *Description) find(path, method string) (*routers.Route, map[string]string) {
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
func fits(at string, s *openapi3.Schema, v any) []string {
	if len(s.AllOf) == 1 {
		s = s.AllOf[0].Value
	}
	switch v := v.(type) {
	case nil:
		if s.Nullable || len(s.AnyOf)+len(s.OneOf) > 0 {
			return nil
		}
		return []string{at + " is null"}
	case map[string]any:
		var wrong []string
		for key, inner := range v {
			switch p := s.Properties[key]; {
			case p != nil:
				wrong = append(wrong, fits(at+"."+key, p.Value, inner)...)
			case len(s.Properties) > 0: // without properties anything goes
				wrong = append(wrong, fmt.Sprintf("%s has no field %q", at, key))
			}
		}
		return wrong
	case []any:
		if s.Items == nil {
			return []string{at + " is a list"}
		}
		var wrong []string
		for _, inner := range v {
			wrong = append(wrong, fits(at+"[]", s.Items.Value, inner)...)
		}
		return wrong
	}
	if err := s.VisitJSON(v); err != nil {
		return []string{fmt.Sprintf("%s: %v", at, err)}
	}
	return nil
}
