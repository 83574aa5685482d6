//go:build browser

// The page in a real Chromium: make test-browser.
package diff

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/sluice-dev/sluice/pkg/onepage/browser"
)

func pageOf(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.HTML(&b, Style{Escape: quote}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const filterBox = chromedp.CSS("#filter")

func sample(t *testing.T) *Report {
	t.Helper()
	before := fmt.Sprintf(cm, "settings-bc4gd2t975", "one") + fmt.Sprintf(cm, "old", "x") + fmt.Sprintf(cm, "page", `"a\nb\nc\n"`) + "---\n" + injected(t, "v0.3.0", "registry.example/web:v1")
	after := fmt.Sprintf(cm, "settings-m97bt975g7", "two") + fmt.Sprintf(cm, "new", "x") + fmt.Sprintf(cm, "page", `"a\nB\nc\n</script><script>document.title=1</script>\n"`) + "---\n" + injected(t, "v0.4.0", "registry.example/web:v2")
	return compare(t, before, after)
}

func TestPageInABrowser(t *testing.T) {
	b := browser.Open(t, pageOf(t, sample(t)))
	browser.Is(b, "document.title", "staging: 1 added, 1 removed, 2 changed, 1 renamed, 0 the same")
	browser.Is(b, browser.Seen(".object"), 5)
	browser.Is(b, browser.Seen("nav a"), 5)

	// No other script than the page's own runs, whatever got into it.
	browser.Is(b, `(() => { const s = document.createElement("script"); s.textContent = "document.title = 'run'"; document.body.append(s); return document.title === "run"; })()`, false)

	// The filter takes words of names, fields and images; a link goes with its object.
	b.Do(chromedp.KeyEvent("/"), chromedp.SendKeys(filterBox, "deployment web:v2"))
	browser.Is(b, browser.Seen(".object"), 1)
	browser.Is(b, browser.Seen("nav a"), 1)
	b.Do(chromedp.SendKeys(filterBox, "x"))
	browser.Is(b, browser.Seen(".object"), 0)
	browser.Is(b, browser.Seen("#none"), 1)
	b.Do(chromedp.SendKeys(filterBox, kb.Escape))
	browser.Is(b, browser.Seen(".object"), 5)
	browser.Is(b, "document.activeElement === document.body", true)
	b.Do(chromedp.Click(chromedp.CSS(".chip.added")))
	browser.Is(b, browser.Seen(".object"), 4)
	b.Do(chromedp.Click(chromedp.CSS(".chip.added")))
	browser.Is(b, browser.Seen(".object"), 5)

	// Views. The lines of objects that came or went are always there.
	browser.Is(b, browser.Seen(".by-line"), 0)
	b.Do(chromedp.KeyEvent("u"))
	browser.Is(b, browser.Seen(".by-field"), 0)
	browser.Is(b, browser.Seen(".object > .lines"), 5)
	browser.Is(b, browser.Seen(".columns"), 0)
	b.Do(chromedp.KeyEvent("s"))
	browser.Is(b, browser.Seen(".object > .columns"), 5)
	browser.Is(b, "document.querySelector('.columns .del').getBoundingClientRect().top === document.querySelector('.columns .del + .add, .columns .del + .empty').getBoundingClientRect().top", true)
	b.Do(chromedp.KeyEvent("u"))
	browser.Is(b, browser.Seen(".columns"), 0)

	// What the injector changed is folded until somebody asks for it.
	browser.Is(b, browser.Seen(".own.lines"), 1)
	browser.Is(b, browser.Seen(".whole"), 0)
	b.Do(chromedp.KeyEvent("i"))
	browser.Is(b, browser.Seen(".own.lines"), 0)
	browser.Is(b, browser.Seen(".whole"), 1)
	b.Do(chromedp.KeyEvent("f"))
	browser.Is(b, browser.Seen(".injector .fields")+" > 0", true)
	b.Do(chromedp.KeyEvent("i"))
	browser.Is(b, browser.Seen(".injector .fields"), 0)

	// From object to object, folding one, and a link to another.
	b.Do(chromedp.KeyEvent("jj"))
	browser.Is(b, "document.querySelectorAll('.here').length", 2)
	browser.Is(b, "document.querySelector('.object.here').id", "o1")
	b.Do(chromedp.KeyEvent("o"))
	browser.Is(b, "document.querySelector('.object.here').open", false)
	b.Do(chromedp.KeyEvent("k"))
	browser.Is(b, "document.querySelector('.object.here').id", "o0")
	b.Do(chromedp.Click(chromedp.CSS("nav a[href='#o3']")))
	browser.Is(b, "location.hash", "#o3")
}

// Dark and light are the system's choice; text can be read in both.
func TestPageInBothLights(t *testing.T) {
	b := browser.Open(t, pageOf(t, sample(t)))
	b.Lights("h1, h2, small, summary, .chip span, .views span, code, del, ins, nav a, .notes li, .badge, .lines span, .kind, .name", func(scheme string) {
		for _, view := range []string{"f", "u", "s"} {
			b.Do(chromedp.KeyEvent(view))
			b.Picture(os.Getenv("SCREENSHOTS"), scheme+"-"+view)
		}
		b.Do(chromedp.KeyEvent("f"))
	})
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
	b := browser.Open(t, page)
	b.Do(chromedp.Poll[chromedp.Void](`performance.getEntriesByName("first-contentful-paint").length > 0`))
	paint := browser.Value[float64](b, `performance.getEntriesByName("first-contentful-paint")[0].startTime`)
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
			took := browser.Value[float64](b, fmt.Sprintf(measure, step[1]))
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
