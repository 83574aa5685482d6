//go:build browser

// The page of status -o html in a real Chromium: make test-browser.
package cli

import (
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/sluice-dev/sluice/pkg/onepage/browser"
)

func TestStatusPageInABrowser(t *testing.T) {
	b := browser.Open(t, statusPageOf(t, standings(), "abc0000 Change 2 of the source"))
	browser.Is(b, browser.Seen(".branch > .node > .station"), 6)
	browser.Is(b, browser.Seen(".waiting li"), 0)

	// Each environment stands behind the one that it is promoted from.
	browser.Is(b, `(() => { const at = (i) => document.querySelectorAll(".branch > .node > .station")[i].getBoundingClientRect(); return at(0).right < at(1).left && at(1).right < at(2).left && at(0).top === at(2).top && at(4).left === at(5).left && at(4).bottom < at(5).top; })()`, true)

	// From one to the next, and what it waits for.
	b.Do(chromedp.KeyEvent("jj"))
	browser.Is(b, "document.querySelector('.here h2').textContent", "canary")
	b.Do(chromedp.KeyEvent("o"))
	browser.Is(b, browser.Seen(".waiting li"), 3)
	b.Do(chromedp.KeyEvent("o"), chromedp.KeyEvent("k"))
	browser.Is(b, browser.Seen(".waiting li"), 0)
	browser.Is(b, "document.querySelector('.here h2').textContent", "staging")
	b.Do(chromedp.KeyEvent("a"))
	browser.Is(b, browser.Seen(".waiting li"), 106)
	b.Do(chromedp.KeyEvent("a"))
	browser.Is(b, browser.Seen(".waiting li"), 0)

	// No other script than the page's own runs.
	browser.Is(b, `(() => { const s = document.createElement("script"); s.textContent = "document.title = 'run'"; document.body.append(s); return document.title === "run"; })()`, false)
}

func TestStatusPageInBothLights(t *testing.T) {
	b := browser.Open(t, statusPageOf(t, standings(), "abc0000 Change 2 of the source"))
	b.Lights("h1, h2, p, summary, small, code, .badge, .warns, a", func(scheme string) {
		b.Picture(os.Getenv("SCREENSHOTS"), "status-"+scheme)
		b.Do(chromedp.KeyEvent("jjo"))
		b.Picture(os.Getenv("SCREENSHOTS"), "status-open-"+scheme)
		b.Do(chromedp.KeyEvent("okk"))
	})
}

// On a telephone the line goes down, and nothing is wider than the page.
func TestStatusPageOnANarrowScreen(t *testing.T) {
	b := browser.Open(t, statusPageOf(t, standings(), "abc0000 Change 2 of the source"))
	b.Screen(emulation.SetDeviceMetricsOverrideParams{Width: 400, Height: 900, DeviceScaleFactor: 1})
	browser.Is(b, "document.documentElement.scrollWidth <= 400", true)
	browser.Is(b, "[...document.querySelectorAll('.chain')].every((c) => c.scrollWidth <= c.clientWidth)", true)
	b.Picture(os.Getenv("SCREENSHOTS"), "status-narrow")
}
