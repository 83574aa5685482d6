package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var everything = Event{
	Name: Merged, Time: time.Date(2026, 1, 5, 9, 0, 0, 7, time.FixedZone("", 3600)), Repository: "https://git.example/acme/shop",
	Environment: "production", Branch: "env/production", Commit: strings.Repeat("a", 40), Before: strings.Repeat("b", 40), Source: strings.Repeat("c", 40),
	Changed: []Changed{{"production", 2}}, Request: &Request{12, "https://git.example/acme/shop/pull/12"}, Run: "https://git.example/run/1?a=1&b=2",
}

func TestJSON(t *testing.T) {
	got, err := everything.JSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"version":1,"event":"merged","time":"2026-01-05T08:00:00Z","repository":"https://git.example/acme/shop",` +
		`"environment":"production","branch":"env/production","commit":"` + strings.Repeat("a", 40) + `","before":"` + strings.Repeat("b", 40) +
		`","source":"` + strings.Repeat("c", 40) + `","changed":[{"environment":"production","objects":2}],` +
		`"pullRequest":{"number":12,"url":"https://git.example/acme/shop/pull/12"},"run":"https://git.example/run/1?a=1\u0026b=2"}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestSlackText(t *testing.T) {
	with := func(change func(*Event)) Event {
		e := everything
		e.Repository, e.Run, e.Request, e.Changed = "", "", nil, nil
		change(&e)
		return e
	}
	for _, c := range []struct {
		name, want string
		event      Event
	}{
		{"links", "`production` is at commit `aaaaaaaaaa`; 2 objects of `production` changed · <https://git.example/acme/shop/pull/12|#12>" +
			" · <https://git.example/acme/shop|git.example/acme/shop> · <https://git.example/run/1?a=1&amp;b=2|run>", everything},
		{"hydrated", "`env/staging` hydrated: commit `aaaaaaaaaa` of source `cccccccccc`; 1 object of `staging`, 0 objects of `x` changed", with(func(e *Event) {
			e.Name, e.Branch, e.Changed = Hydrated, "env/staging", []Changed{{"staging", 1}, {"x", 0}}
		})},
		{"opened", "`production` is asked to get commit `aaaaaaaaaa`", with(func(e *Event) { e.Name = Opened })},
		{"mention", "`production` refused: `'&lt;!channel&gt; @here &lt;@U1&gt; &amp; *x*'`", with(func(e *Event) {
			e.Name, e.Reason = Refused, "`<!channel>\n@here\t<@U1> & *x*`"
		})},
		{"invisible", "`production` refused: `a b c d`", with(func(e *Event) { e.Name, e.Reason = Refused, "a\u202eb\x00c\xffd" })},
		{"long", "`production` refused: `" + strings.Repeat("é", 300) + "...`", with(func(e *Event) { e.Name, e.Reason = Refused, strings.Repeat("é", 301) })},
		{"empty", "`env/production` not verified: (empty)", with(func(e *Event) { e.Name, e.Reason = VerifyFailed, "\n" })},
		{"no web address", "`production` is at commit `aaaaaaaaaa` · `#1` · `/srv/git/shop.git` · `run`", with(func(e *Event) {
			e.Request, e.Repository, e.Run = &Request{1, "javascript:alert(1)"}, "/srv/git/shop.git", "https://x/|<!here>"
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := c.event.Slack()
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Text string }
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Text); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever others wrote, it ends no code span and is no entity.
func FuzzCode(f *testing.F) {
	f.Add("`<!channel>`\n&amp;")
	f.Fuzz(func(t *testing.T, s string) {
		got := code(s)
		inside := strings.TrimSuffix(strings.TrimPrefix(got, "`"), "`")
		if strings.ContainsAny(inside, "`<>\n\r") || len(got) < 2 {
			t.Errorf("code(%q) is %q", s, got)
		}
	})
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://hooks.example/T0/B0/x": "", " https://ada:pw@hooks.example/x\n": "", "http://127.0.0.1:8080/x": "", "http://localhost/x": "", "http://[::1]/x": "",
		"http://hooks.example/x": "it holds no https address", "ftp://hooks.example/x": "it holds no https address", "http://localhost.example/": "it holds no https address",
		"keyed": "it holds no address", "https:keyed": "it holds no address", "https://": "it holds no address", "https://%zz/keyed": "it holds no address", "https://:443/keyed": "it holds no address",
	} {
		_, err := ParseURL(text)
		if got := said(err); got != want {
			t.Errorf("ParseURL(%q) says %q, want %q", text, got, want)
		}
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// answers is a transport that gives one answer after the other.
type answers struct {
	give  []func() (*http.Response, error)
	got   []*http.Request
	bytes []string
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a.got, a.bytes = append(a.got, r), append(a.bytes, string(body))
	give := a.give[min(len(a.got), len(a.give))-1]
	return give()
}

func status(code int, header ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("keyed"))}, nil
	}
}

func fails(err error) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		return nil, &url.Error{Op: "Post", URL: "https://hooks.example/keyed", Err: err}
	}
}

func TestSend(t *testing.T) {
	type give = []func() (*http.Response, error)
	for _, c := range []struct {
		name   string
		give   give
		want   string // error
		tries  int
		waited []time.Duration
	}{
		{"at once", give{status(204)}, "", 1, nil},
		{"after a while", give{status(500), fails(io.EOF), status(429), status(200)}, "", 4, []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}},
		{"never", give{status(503)}, "the answer is 503", 4, []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}},
		{"as asked", give{status(429, "Retry-After", "2"), status(200)}, "", 2, []time.Duration{2 * time.Second}},
		{"asked for too much", give{status(429, "Retry-After", "3600"), status(200)}, "", 2, []time.Duration{5 * time.Second}},
		{"asked for nonsense", give{status(429, "Retry-After", "-7"), status(200)}, "", 2, []time.Duration{500 * time.Millisecond}},
		{"no", give{status(403)}, "the answer is 403", 1, nil},
		{"elsewhere", give{status(308, "Location", "https://keyed.example")}, "the answer is 308, to send it elsewhere: that is not followed", 1, nil},
		{"no host", give{fails(&net.DNSError{Err: "no such host", Name: "hooks.example"})}, "its host is not known", 4, []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}},
		{"silence", give{fails(context.DeadlineExceeded), status(200)}, "", 2, []time.Duration{500 * time.Millisecond}},
		{"silence for good", give{fails(context.DeadlineExceeded)}, "no answer in time", 4, []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}},
		{"nobody there", give{fails(errors.New("dial tcp keyed: refused"))}, "no connection", 4, []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			via := &answers{give: c.give}
			var waited []time.Duration
			s := Sender{Via: via, Sleep: func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }}
			hook := Webhook{URL: &url.URL{Scheme: "https", Host: "hooks.example", Path: "/keyed", User: url.UserPassword("ada", "pw")}, Secret: "hunter2"}
			err := s.Send(t.Context(), hook, []Event{everything})
			if want := c.want; said(err) != want && said(err) != `sending the event "merged": `+want || strings.Contains(said(err), "keyed") {
				t.Errorf("error %q, want %q", said(err), want)
			}
			if len(via.got) != c.tries {
				t.Errorf("%d tries, want %d", len(via.got), c.tries)
			}
			if diff := cmp.Diff(c.waited, waited); diff != "" {
				t.Error(diff)
			}
			for i, r := range via.got {
				name, password, _ := r.BasicAuth()
				if via.bytes[i] != via.bytes[0] || r.Header.Get(DeliveryHeader) != via.got[0].Header.Get(DeliveryHeader) || len(r.Header.Get(DeliveryHeader)) != 32 ||
					r.Header.Get(SignatureHeader) != Sign("hunter2", []byte(via.bytes[i])) || r.Header.Get(EventHeader) != "merged" || r.Method != "POST" ||
					r.Header.Get("Content-Type") != "application/json" || name != "ada" || password != "pw" {
					t.Errorf("try %d: %v %s", i, r.Header, via.bytes[i])
				}
			}
		})
	}
}

// The first of two events that cannot be sent is the last that is tried.
func TestSendStops(t *testing.T) {
	via := &answers{give: []func() (*http.Response, error){status(404)}}
	s := Sender{Via: via, Sleep: func(context.Context, time.Duration) error { return nil }}
	err := s.Send(t.Context(), Webhook{URL: &url.URL{Scheme: "https", Host: "x"}, Slack: true}, []Event{everything, everything})
	if err == nil || len(via.got) != 1 || !strings.HasPrefix(via.bytes[0], `{"text":`) || via.got[0].Header.Get(SignatureHeader) != "" {
		t.Errorf("%v: %d requests, %q", err, len(via.got), via.bytes)
	}
}

// Real time: a server that never answers ends with the context, and a wait
// that is cut short gives what the last try came to.
func TestSendEnds(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := Sender{Via: http.DefaultTransport, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	if err := s.Send(ctx, Webhook{URL: u}, []Event{everything}); said(err) != `sending the event "merged": no answer in time` {
		t.Errorf("error %q", said(err))
	}
	canceled, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Send(canceled, Webhook{URL: u}, []Event{everything}); said(err) != `sending the event "merged": interrupted` {
		t.Errorf("error %q", said(err))
	}
}

// GitHub's own example of a signed body.
func TestSign(t *testing.T) {
	got := Sign("It's a Secret to Everybody", []byte("Hello, World!"))
	if want := "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"; got != want || bytes.Contains([]byte(got), []byte("Secret")) {
		t.Errorf("Sign gives %s, want %s", got, want)
	}
}
