//go:build browser

// The page in a real Chromium: make test-browser.
package diff

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tab is a page in a browser of its own.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func open(t *testing.T, page string) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "diff.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.WindowSize(1280, 900))
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &tab{t, ctx}
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
	b.do(chromedp.Navigate("file://" + file))
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

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// is holds what a script gives to a value. The page puts lines beside each
// other when they come into sight, which takes some frames.
func is[T comparable](b *tab, script string, want T) {
	b.t.Helper()
	got := value[T](b, script)
	for try := 0; got != want && try < 50; try++ {
		value[bool](b, "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true), 20)))")
		got = value[T](b, script)
	}
	if got != want {
		b.t.Errorf("%s: got %v, want %v", script, got, want)
	}
}

// value gives what a script gives; a promise, once it is kept.
func value[T any](b *tab, script string) T {
	b.t.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return got
}

func pageOf(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.HTML(&b, Style{Escape: quote}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const filterBox = chromedp.CSS("#filter")

// seen counts the elements that can be seen.
func seen(selector string) string {
	return `[...document.querySelectorAll(` + "`" + selector + "`" + `)].filter((e) => e.checkVisibility()).length`
}

func sample(t *testing.T) *Report {
	t.Helper()
	before := fmt.Sprintf(cm, "settings-bc4gd2t975", "one") + fmt.Sprintf(cm, "old", "x") + fmt.Sprintf(cm, "page", `"a\nb\nc\n"`) + "---\n" + injected(t, "v0.3.0", "registry.example/web:v1")
	after := fmt.Sprintf(cm, "settings-m97bt975g7", "two") + fmt.Sprintf(cm, "new", "x") + fmt.Sprintf(cm, "page", `"a\nB\nc\n</script><script>document.title=1</script>\n"`) + "---\n" + injected(t, "v0.4.0", "registry.example/web:v2")
	return compare(t, before, after)
}

func TestPageInABrowser(t *testing.T) {
	b := open(t, pageOf(t, sample(t)))
	is(b, "document.title", "staging: 1 added, 1 removed, 2 changed, 1 renamed, 0 the same")
	is(b, seen(".object"), 5)
	is(b, seen("nav a"), 5)

	// No other script than the page's own runs, whatever got into it.
	is(b, `(() => { const s = document.createElement("script"); s.textContent = "document.title = 'run'"; document.body.append(s); return document.title === "run"; })()`, false)

	// The filter takes words of names, fields and images; a link goes with its object.
	b.do(chromedp.KeyEvent("/"), chromedp.SendKeys(filterBox, "deployment web:v2"))
	is(b, seen(".object"), 1)
	is(b, seen("nav a"), 1)
	b.do(chromedp.SendKeys(filterBox, "x"))
	is(b, seen(".object"), 0)
	is(b, seen("#none"), 1)
	b.do(chromedp.SendKeys(filterBox, kb.Escape))
	is(b, seen(".object"), 5)
	is(b, "document.activeElement === document.body", true)
	b.do(chromedp.Click(chromedp.CSS(".chip.added")))
	is(b, seen(".object"), 4)
	b.do(chromedp.Click(chromedp.CSS(".chip.added")))
	is(b, seen(".object"), 5)

	// Views. The lines of objects that came or went are always there.
	is(b, seen(".by-line"), 0)
	b.do(chromedp.KeyEvent("u"))
	is(b, seen(".by-field"), 0)
	is(b, seen(".object > .lines"), 5)
	is(b, seen(".columns"), 0)
	b.do(chromedp.KeyEvent("s"))
	is(b, seen(".object > .columns"), 5)
	is(b, "document.querySelector('.columns .del').getBoundingClientRect().top === document.querySelector('.columns .del + .add, .columns .del + .empty').getBoundingClientRect().top", true)
	b.do(chromedp.KeyEvent("u"))
	is(b, seen(".columns"), 0)

	// What the injector changed is folded until somebody asks for it.
	is(b, seen(".own.lines"), 1)
	is(b, seen(".whole"), 0)
	b.do(chromedp.KeyEvent("i"))
	is(b, seen(".own.lines"), 0)
	is(b, seen(".whole"), 1)
	b.do(chromedp.KeyEvent("f"))
	is(b, seen(".injector .fields")+" > 0", true)
	b.do(chromedp.KeyEvent("i"))
	is(b, seen(".injector .fields"), 0)

	// From object to object, folding one, and a link to another.
	b.do(chromedp.KeyEvent("jj"))
	is(b, "document.querySelectorAll('.here').length", 2)
	is(b, "document.querySelector('.object.here').id", "o1")
	b.do(chromedp.KeyEvent("o"))
	is(b, "document.querySelector('.object.here').open", false)
	b.do(chromedp.KeyEvent("k"))
	is(b, "document.querySelector('.object.here').id", "o0")
	b.do(chromedp.Click(chromedp.CSS("nav a[href='#o3']")))
	is(b, "location.hash", "#o3")
}

// Dark and light are the system's choice; text can be read in both.
func TestPageInBothLights(t *testing.T) {
	page := pageOf(t, sample(t))
	for _, scheme := range []string{"light", "dark"} {
		b := open(t, page)
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		const contrast = `(() => {
			const light = (c) => { const [r, g, b] = c.match(/[\d.]+/g).map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
			const back = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(", 0)")) return c; } return "rgb(255, 255, 255)"; };
			let least = 21;
			for (const e of document.querySelectorAll("h1, h2, small, summary, .chip span, .views span, code, del, ins, nav a, .notes li, .badge, .lines span, .kind, .name")) {
				const [a, b] = [light(getComputedStyle(e).color), light(back(e))];
				least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
			}
			return least;
		})()`
		if got := value[float64](b, contrast); got < 4.5 {
			t.Errorf("%s: a contrast of %.2f, want 4.5", scheme, got)
		}
		is(b, `getComputedStyle(document.body).backgroundColor.match(/\d+/)[0] < 128`, scheme == "dark")
		if dir := os.Getenv("SCREENSHOTS"); dir != "" {
			for _, view := range []string{"f", "u", "s"} {
				b.do(chromedp.KeyEvent(view))
				png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, scheme+"-"+view+".png"), png, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// A page of 2,000 objects is there, and filters, within a second.
func TestPageOfManyObjects(t *testing.T) {
	var before, after strings.Builder
	x, z := injected(t, "v0.3.0", "registry.example/web:v1"), injected(t, "v0.4.0", "registry.example/web:v2")
	for i := range 2000 {
		name := fmt.Sprintf("name: web-%d", i)
		before.WriteString("---\n" + strings.Replace(x, "name: o", name, 1))
		after.WriteString("---\n" + strings.Replace(z, "name: o", name, 1))
	}
	page := pageOf(t, compare(t, before.String(), after.String()))
	b := open(t, page)
	b.do(chromedp.Poll[chromedp.Void](`performance.getEntriesByName("first-contentful-paint").length > 0`))
	paint := value[float64](b, `performance.getEntriesByName("first-contentful-paint")[0].startTime`)
	// From the key to the frame that shows it, the best of three: other
	// programs may be busy, as the time of a loop tells.
	const measure = `(async () => {
		const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
		await frame();
		const start = performance.now();
		%s;
		await frame();
		return performance.now() - start;
	})()`
	filter := func(text string) string {
		return `document.getElementById("filter").value = "` + text + `"; document.getElementById("filter").dispatchEvent(new Event("input"))`
	}
	best := map[string]float64{"the first paint": paint}
	for range 3 {
		for _, step := range [][2]string{
			{"a loop", `for (let i = 0, x = 0; i < 1e8; i++) x += i % 7`},
			{"the filter", filter("web-1999")},
			{"all objects again", filter("")},
			{"the split view", `document.getElementById("view-split").click()`},
			{"the fields", `document.getElementById("view-fields").click()`},
		} {
			took := value[float64](b, fmt.Sprintf(measure, step[1]))
			if before, known := best[step[0]]; !known || took < before {
				best[step[0]] = took
			}
		}
	}
	t.Logf("%d MiB: %v", len(page)>>20, best)
	slow := max(1, best["a loop"]/100)
	for what, ms := range best {
		if ms > 1000*slow {
			t.Errorf("%s took %.0f ms, want less than 1000 (where a loop takes 100, not %.0f)", what, ms, best["a loop"])
		}
	}
}
