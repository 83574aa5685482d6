package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sluice-dev/sluice/pkg/notify"
)

// testHooks is what the webhooks of one session have got.
type testHooks struct {
	mu  sync.Mutex
	got []string // by name of the webhook, and then in the order in which it came
}

type hooksKey struct{}

var (
	clock = regexp.MustCompile(`"time":"[0-9TZ:-]{20}"`)
	local = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)
)

// webhookServe VAR [STATUS...] puts the address of a webhook into a variable.
// It answers with one status after the other, and with 200 then. "chatty" is
// status 500, and then words that no request has asked for.
func webhookServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: webhook-serve VAR [STATUS...]")
	}
	hooks := ts.Value(hooksKey{}).(*testHooks)
	name, answers := args[0], args[1:] // names differ in their first four letters
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hooks.mu.Lock()
		defer hooks.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		signed := "unsigned"
		if had := r.Header.Get(notify.SignatureHeader); had == notify.Sign("hunter2", body) {
			signed = "signed"
		} else if had != "" {
			signed = "signed by another"
		}
		text := local.ReplaceAll(clock.ReplaceAll(body, []byte(`"time":"T"`)), []byte("http://forge.test"))
		hooks.got = append(hooks.got, fmt.Sprintf("%s %s %s %s %s\n%s\n", name, r.Method, r.URL.Path, r.Header.Get(notify.EventHeader), signed, text))
		status := http.StatusOK
		if len(answers) > 0 && answers[0] == "chatty" {
			answers = answers[1:]
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprint(conn, "HTTP/1.1 500 Odd\r\nContent-Length: 0\r\n\r\n")
				time.Sleep(50 * time.Millisecond) // a connection that is idle again
				fmt.Fprint(conn, "##[error]an answer that nobody is to see\r\n")
				conn.Close()
			}
			return
		}
		if len(answers) > 0 {
			status, _ = strconv.Atoi(answers[0])
			answers = answers[1:]
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		fmt.Fprintln(w, "an answer that nobody is to see")
	}))
	ts.Defer(s.Close)
	ts.Setenv(name, s.URL+"/T0/B0/keyed")
}

// webhookGot FILE writes what the webhooks have got since it was last asked.
func webhookGot(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: webhook-got FILE")
	}
	hooks := ts.Value(hooksKey{}).(*testHooks)
	hooks.mu.Lock()
	defer hooks.mu.Unlock()
	slices.SortStableFunc(hooks.got, func(a, b string) int { return strings.Compare(a[:4], b[:4]) }) // webhooks are told in parallel
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(hooks.got, "")), 0o600))
	hooks.got = nil
}
