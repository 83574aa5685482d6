//go:build browser

// Package browser shows pages to tests in a real Chromium: make test-browser.
package browser

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Tab is a page in a browser of its own.
type Tab struct {
	t   *testing.T
	ctx context.Context
}

// Open shows a page. The test fails if the page throws, or asks for anything
// but itself.
func Open(t *testing.T, page string) *Tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.WindowSize(1280, 900))
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &Tab{t, ctx}
	var mu sync.Mutex
	var wrong []string
	asked := false
	err := chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			wrong = append(wrong, e.ExceptionDetails.Text)
		case *network.EventRequestWillBeSent:
			if e.Request.URL != "file://"+file {
				wrong = append(wrong, "asks for "+e.Request.URL)
			}
			asked = true
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.Navigate("file://" + file))
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if !asked {
			t.Error("no request was seen, not even that for the page")
		}
		for _, e := range wrong {
			t.Error("in the page: " + e)
		}
	})
	return b
}

// Do does what a person would.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// Is holds what a script gives to a value. The page puts lines beside each
// other when they come into sight, which takes some frames.
func Is[T comparable](b *Tab, script string, want T) {
	b.t.Helper()
	got := Value[T](b, script)
	for try := 0; got != want && try < 50; try++ {
		Value[bool](b, "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true), 20)))")
		got = Value[T](b, script)
	}
	if got != want {
		b.t.Errorf("%s: got %v, want %v", script, got, want)
	}
}

// Value gives what a script gives; a promise, once it is kept.
func Value[T any](b *Tab, script string) T {
	b.t.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return got
}

// Seen gives the script that counts the elements that can be seen.
func Seen(selector string) string {
	return `[...document.querySelectorAll(` + "`" + selector + "`" + `)].filter((e) => e.checkVisibility()).length`
}

// Lights calls look with the page in light and in dark, after it has held that the
// background follows, and that all text that the selector finds has the contrast
// that people need.
func (b *Tab) Lights(selector string, look func(scheme string)) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
			b.t.Fatal(err)
		}
		if got := Value[float64](b, contrast+"("+"`"+selector+"`"+")"); got < 4.5 {
			b.t.Errorf("%s: a contrast of %.2f, want 4.5", scheme, got)
		}
		Is(b, `getComputedStyle(document.body).backgroundColor.match(/\d+/)[0] < 128`, scheme == "dark")
		look(scheme)
	}
}

// Picture writes a picture of what is seen into a directory, if one is named.
func (b *Tab) Picture(dir, name string) {
	b.t.Helper()
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// contrast gives the least contrast of the text of what a selector finds.
const contrast = `((selector) => {
	const light = (c) => { const [r, g, b] = c.match(/[\d.]+/g).map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const back = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(", 0)")) return c; } return "rgb(255, 255, 255)"; };
	let least = 21;
	for (const e of document.querySelectorAll(selector)) {
		const [a, b] = [light(getComputedStyle(e).color), light(back(e))];
		least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
	}
	return least;
})`

// Screen gives the page another screen.
func (b *Tab) Screen(s emulation.SetDeviceMetricsOverrideParams) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, s); err != nil {
		b.t.Fatal(err)
	}
}
