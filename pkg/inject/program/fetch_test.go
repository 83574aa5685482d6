package program

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noFile = func(path string) ([]byte, error) { return nil, os.ErrNotExist }

// server serves the good bytes at /good and misbehaves elsewhere.
func server(t *testing.T, good []byte) (*httptest.Server, *[]string) {
	t.Helper()
	var mu sync.Mutex
	seen := &[]string{}
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) { w.Write(good) })
	mux.HandleFunc("/wrong", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>please log in</html>") })
	mux.HandleFunc("/short", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(good)+1))
		w.Write(good)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(MaxSize+1))
		w.WriteHeader(200)
	})
	mux.HandleFunc("/hang", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/gone", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusGone) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop?token=sesame", http.StatusFound)
	})
	mux.HandleFunc("/ftp", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "ftp://x/sesame")
		w.WriteHeader(302)
	})
	mux.HandleFunc("/odd", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://x:sesame/")
		w.WriteHeader(302)
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "c", Value: "sesame"})
		w.Header().Set("Location", "http://user:sesame@"+r.Host+"/good")
		w.WriteHeader(307)
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		*seen = append(*seen, r.URL.Path)
		mu.Unlock()
		for _, key := range []string{"Authorization", "Referer", "Cookie"} {
			if r.Header.Get(key) != "" {
				t.Errorf("%s: %s was sent", r.URL.Path, key)
			}
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s, seen
}

func TestDownload(t *testing.T) {
	good := binary(t, "witness")
	s, _ := server(t, good)
	for _, tt := range []struct {
		path string
		want string // part of the error; empty if there is none
	}{
		{"/good", ""},
		{"/moved?token=sesame", ""},
		{"/wrong", "has sha256"},
		{"/short", "unexpected EOF"},
		{"/endless", "it has more than 4 MiB"},
		{"/huge", "it has more than 4 MiB"},
		{"/gone?token=sesame", "/gone: status 410 Gone"},
		{"/loop", "redirects more than ten times"},
		{"/ftp", "redirects to what is not an http(s) URL"},
		{"/odd", "redirects to what is not an http(s) URL"},
		{"/hang?token=sesame", "deadline exceeded"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			if tt.path == "/hang?token=sesame" {
				ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancel()
			}
			c := &Cache{Dir: t.TempDir(), Client: s.Client(), limit: 4 << 20}
			p, err := c.Fetch(ctx, pin("witness", s.URL+tt.path, good), "linux/amd64", noFile)
			if tt.want == "" {
				if err != nil || !bytes.Equal(p.data, good) || p.SHA256 != digest(good) {
					t.Fatal(p, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatal(err)
			}
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("the error shows the query: %v", err)
			}
			if entries, _ := os.ReadDir(filepath.Join(c.Dir, "sha256")); len(entries) != 0 {
				t.Errorf("the cache holds %v", entries)
			}
		})
	}
}

func TestErrorsAreTyped(t *testing.T) {
	good := binary(t, "witness")
	s, _ := server(t, good)
	c := &Cache{Client: s.Client()}
	ctx := context.Background()
	_, err := c.Fetch(ctx, pin("witness", s.URL+"/wrong", good), "linux/amd64", noFile)
	var mismatch *MismatchError
	want := MismatchError{Tool: "witness", Version: "v1.2.3", Platform: "linux/amd64", Want: digest(good), Have: digest([]byte("<html>please log in</html>"))}
	if !errors.As(err, &mismatch) || *mismatch != want {
		t.Error(err)
	}
	_, err = c.Fetch(ctx, pin("witness", s.URL+"/gone", good), "linux/amd64", noFile)
	var fetch *FetchError
	if !errors.As(err, &fetch) || fetch.Status != 410 || fetch.URL != s.URL+"/gone" {
		t.Error(err)
	}
	_, err = c.Fetch(ctx, pin("witness", "tools/x", good), "linux/amd64", noFile)
	if !errors.As(err, &fetch) || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	_, err = c.Fetch(ctx, pin("witness", "tools/x", good), "linux/amd64", func(string) ([]byte, error) { return []byte("other"), nil })
	if !errors.As(err, &mismatch) {
		t.Error(err)
	}
	tool := pin("witness", "tools/x", good)
	tool.Platforms["darwin/arm64"] = tool.Platforms["linux/amd64"]
	_, err = c.Fetch(ctx, tool, "plan9/386", noFile)
	var platform *PlatformError
	if !errors.As(err, &platform) || cmp.Diff([]string{"darwin/arm64", "linux/amd64"}, platform.Pinned) != "" {
		t.Error(err)
	}
	hasty := &Cache{Client: &http.Client{Timeout: 20 * time.Millisecond}}
	if _, err = hasty.Fetch(ctx, pin("witness", s.URL+"/hang", good), "linux/amd64", noFile); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err = c.Fetch(canceled, pin("witness", s.URL+"/good", good), "linux/amd64", noFile); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCache(t *testing.T) {
	good := binary(t, "witness")
	s, seen := server(t, good)
	tool := pin("witness", s.URL+"/good", good)
	c := &Cache{Dir: filepath.Join(t.TempDir(), "a", "b"), Client: s.Client()}
	offline := &Cache{Dir: c.Dir}
	fetch := func(c *Cache) error {
		p, err := c.Fetch(context.Background(), tool, "linux/amd64", noFile)
		if err == nil && !bytes.Equal(p.data, good) {
			t.Fatal("other bytes")
		}
		return err
	}
	var failed *FetchError
	if err := fetch(offline); !errors.As(err, &failed) {
		t.Fatal(err)
	}
	for range 3 {
		if err := fetch(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := fetch(offline); err != nil {
		t.Fatal(err)
	}
	if len(*seen) != 1 {
		t.Errorf("downloads: %q", *seen)
	}
	entry := filepath.Join(c.Dir, "sha256", digest(good))
	for path, mode := range map[string]os.FileMode{c.Dir: 0o700, filepath.Dir(entry): 0o700, entry: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	for name, damage := range map[string]func() error{
		"a flipped byte": func() error {
			bad := bytes.Clone(good)
			bad[len(bad)/2] ^= 1
			return os.WriteFile(entry, bad, 0o600)
		},
		"half":  func() error { return os.Truncate(entry, int64(len(good)/2)) },
		"empty": func() error { return os.Truncate(entry, 0) },
		"a directory": func() error {
			return errors.Join(os.Remove(entry), os.MkdirAll(filepath.Join(entry, "x"), 0o700))
		},
		"a link": func() error { return errors.Join(os.Remove(entry), os.Symlink("/dev/zero", entry)) },
	} {
		if err := damage(); err != nil {
			t.Fatal(name, err)
		}
		if err := fetch(offline); !errors.As(err, &failed) {
			t.Errorf("%s, offline: %v", name, err)
		}
		if exists(entry) {
			t.Errorf("%s was not removed", name)
		}
		if err := fetch(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSwap replaces the file in the cache all the time, beside runs.
func TestSwap(t *testing.T) {
	good, evil := []byte("#!/bin/sh\necho good\n"), []byte("#!/bin/sh\necho evil\n")
	s, _ := server(t, good)
	c := &Cache{Dir: t.TempDir(), Client: s.Client()}
	entry := filepath.Join(c.Dir, "sha256", digest(good))
	tool := pin("swapped", s.URL+"/good", good)
	if _, err := c.Fetch(context.Background(), tool, "linux/amd64", noFile); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var swaps atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; !stop.Load(); i++ {
			content := evil
			if i%3 == 0 {
				content = good
			}
			if i%2 == 0 { // in place
				_ = os.WriteFile(entry, content, 0o700)
			} else if os.WriteFile(entry+".swap", content, 0o700) == nil {
				_ = os.Rename(entry+".swap", entry)
			}
			swaps.Add(1)
			time.Sleep(50 * time.Microsecond)
		}
	})
	ran := 0
	for began := time.Now(); time.Since(began) < 4*time.Second; {
		p, err := c.Fetch(context.Background(), tool, "linux/amd64", noFile)
		if err != nil {
			continue // refusing is right, too
		}
		out, err := p.Run(context.Background(), Invocation{})
		if err != nil {
			t.Fatal(err)
		}
		if string(out) != "good\n" {
			t.Fatalf("the program printed %q", out)
		}
		ran++
	}
	stop.Store(true)
	wg.Wait()
	if ran < 50 || swaps.Load() < 500 {
		t.Errorf("only %d runs and %d swaps", ran, swaps.Load())
	}
}

func tarGz(files ...string) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for i := 0; i+1 < len(files); i += 2 {
		h := &tar.Header{Name: files[i], Mode: 0o755, Size: int64(len(files[i+1]))}
		if target, isLink := strings.CutPrefix(files[i+1], "-> "); isLink {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
		}
		w.WriteHeader(h)
		if h.Size > 0 {
			io.WriteString(w, files[i+1])
		}
	}
	w.Close()
	z.Close()
	return out.Bytes()
}

func zipped(files ...string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i+1 < len(files); i += 2 {
		f, _ := w.Create(files[i])
		io.WriteString(f, files[i+1])
	}
	w.Close()
	return out.Bytes()
}

func TestArchive(t *testing.T) {
	for _, tt := range []struct {
		name   string
		data   []byte
		member string
		want   string
		err    string
	}{
		{"tar path", tarGz("dir/linkerd", "L", "README", "r"), "dir/linkerd", "L", ""},
		{"tar dot path", tarGz("./dir/linkerd", "L"), "dir/linkerd", "L", ""},
		{"tar base", tarGz("README", "r", "dir/linkerd", "L"), "linkerd", "L", ""},
		{"path before base", tarGz("dir/linkerd", "L", "linkerd", "M", "x/linkerd", "N"), "linkerd", "M", ""},
		{"zip path", zipped("dir/linkerd", "L", "README", "r"), "dir/linkerd", "L", ""},
		{"zip base", zipped("dir/linkerd.exe", "L"), "linkerd.exe", "L", ""},
		{"two of one base", tarGz("a/x", "1", "b/x", "2"), "x", "", "several files named"},
		{"two of one path", tarGz("a/x", "1", "a/x", "2"), "a/x", "", "more than once"},
		{"wrong member", tarGz("a/x", "1"), "y", "", `holds no "y", only "a/x"`},
		{"a part of a path", tarGz("a/b/x", "1"), "b/x", "", "holds no"},
		{"no member named", tarGz("x", "1"), "", "", "no member is named"},
		{"no archive", []byte("plain"), "x", "", "neither a .tar.gz nor a .zip"},
		{"a link", tarGz("x", "-> /etc/passwd"), "x", "", "nothing that is a file"},
		{"traversal", tarGz("../../bin/x", "1", "/bin/x", "2"), "x", "", "nothing that is a file"},
		{"traversal by path", tarGz("../x", "1"), "../x", "", "nothing that is a file"},
		{"zip traversal", zipped(`..\..\x`, "1", "../x", "2"), "x", "", "nothing that is a file"},
		{"cut off", tarGz("x", strings.Repeat("0123456789", 100))[:40], "x", "", "reading the archive"},
		{"damaged zip", append([]byte("PK\x03\x04"), "junk"...), "x", "", "reading the archive"},
		{"member too large", tarGz("x", strings.Repeat("a", 5000)), "x", "", "has more than 4 KiB"},
		{"zip member too large", zipped("x", strings.Repeat("a", 5000)), "x", "", "has more than 4 KiB"},
		{"bomb", tarGz("y", strings.Repeat("a", 20000), "x", "1"), "x", "", "holds more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tool := pin("x", "tools/x.tgz", tt.data)
			a := tool.Platforms["linux/amd64"]
			a.Member = tt.member
			tool.Platforms["linux/amd64"] = a
			c := &Cache{limit: 4096}
			p, err := c.Fetch(context.Background(), tool, "linux/amd64", func(string) ([]byte, error) { return tt.data, nil })
			if tt.err == "" {
				if err != nil || string(p.data) != tt.want {
					t.Fatal(p, err)
				}
				return
			}
			var fault *PinError
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), tt.err) || !strings.HasPrefix(fault.Field, "platforms.linux/amd64") {
				t.Fatal(err)
			}
		})
	}
}

func TestPin(t *testing.T) {
	sum := strings.Repeat("0a", 32)
	good := Tool{Name: "linkerd", Version: "stable-2.14.10", Platforms: map[string]Artifact{"linux/amd64": {URL: "https://example.com/x?y=z", SHA256: sum}}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*Tool)) Tool {
		out := good
		out.Platforms = map[string]Artifact{"linux/amd64": good.Platforms["linux/amd64"]}
		change(&out)
		return out
	}
	url := func(u string) Tool {
		return with(func(t *Tool) { t.Platforms["linux/amd64"] = Artifact{URL: u, SHA256: sum} })
	}
	for name, tt := range map[string]struct {
		tool  Tool
		field string
	}{
		"no name":       {with(func(t *Tool) { t.Name = "" }), "name"},
		"a path":        {with(func(t *Tool) { t.Name = "../linkerd" }), "name"},
		"no version":    {with(func(t *Tool) { t.Version = "" }), "version"},
		"latest":        {with(func(t *Tool) { t.Version = "latest" }), "version"},
		"a channel":     {with(func(t *Tool) { t.Version = "stable" }), "version"},
		"a range":       {with(func(t *Tool) { t.Version = "^1.2" }), "version"},
		"a wildcard":    {with(func(t *Tool) { t.Version = "1.x" }), "version"},
		"version path":  {with(func(t *Tool) { t.Version = "./bin/1" }), "version"},
		"no platform":   {with(func(t *Tool) { t.Platforms = nil }), "platforms"},
		"odd platform":  {with(func(t *Tool) { t.Platforms["linux"] = t.Platforms["linux/amd64"] }), "platforms.linux"},
		"short sum":     {with(func(t *Tool) { t.Platforms["linux/amd64"] = Artifact{URL: "x", SHA256: "abc"} }), "platforms.linux/amd64.sha256"},
		"no url":        {url(""), "platforms.linux/amd64.url"},
		"file url":      {url("file:///bin/sh"), "platforms.linux/amd64.url"},
		"absolute path": {url("/bin/sh"), "platforms.linux/amd64.url"},
		"outside":       {url("../sh"), "platforms.linux/amd64.url"},
		"no host":       {url("https:///x"), "platforms.linux/amd64.url"},
		"credentials":   {url("https://sesame@example.com/x"), "platforms.linux/amd64.url"},
		"password":      {url("https://u:sesame@example.com/x"), "platforms.linux/amd64.url"},
	} {
		var fault *PinError
		err := tt.tool.Check()
		if !errors.As(err, &fault) || fault.Field != tt.field || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", name, err)
		}
		// Nothing is asked for what is not pinned well.
		c := Cache{Client: &http.Client{Transport: refuse{t}}}
		if _, err := c.Fetch(context.Background(), tt.tool, "linux/amd64", noFile); err == nil {
			t.Errorf("%s was fetched", name)
		}
	}
}

type refuse struct{ t *testing.T }

func (r refuse) RoundTrip(*http.Request) (*http.Response, error) {
	r.t.Error("a request was made")
	return nil, errors.New("no")
}
