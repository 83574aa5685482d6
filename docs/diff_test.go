package docs

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sluice-dev/sluice/pkg/diff"
)

func TestDiffPage(t *testing.T) { newShell(t).replay(readPage(t, "diff.md")) }

// TestDiffShape holds the table of diff.md to the types of the JSON: every
// key is there, and no key that there is not.
func TestDiffShape(t *testing.T) {
	want := map[string]bool{}
	jsonKeys(reflect.TypeFor[diff.Report](), "", want)
	jsonKeys(reflect.TypeFor[diff.Parity](), "pairs[].", want)
	_, table, _ := strings.Cut(readPage(t, "diff.md").text(), "\n## JSON\n")
	p := &page{path: "diff.md", lines: strings.Split(table, "\n")}
	have := p.rows(t)
	for key := range want {
		if have[key] == nil {
			t.Errorf("diff.md has no row for %s", key)
		}
	}
	for key := range have {
		if !want[key] {
			t.Errorf("diff.md has a row for %s, which is no key", key)
		}
	}
}

// jsonKeys collects the keys of a type. Those of Counts, Text and Field are
// described where they occur first.
func jsonKeys(t reflect.Type, at string, into map[string]bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			continue // a Field, described under environments
		}
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner, below := f.Type, at+key+"."
		switch inner.Kind() {
		case reflect.Pointer:
			inner = inner.Elem()
		case reflect.Slice:
			inner, below = inner.Elem(), at+key+"[]."
		}
		into[at+key] = true
		again := strings.Contains(below, "[].counts.") || key == "textWithoutInjector" || key == "order" || strings.HasPrefix(at, "pairs") && key == "files" || key == "images" && strings.Contains(at, "objects")
		if inner.Kind() == reflect.Struct && inner.NumField() > 1 && !again {
			jsonKeys(inner, below, into)
		}
	}
}
