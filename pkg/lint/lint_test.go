package lint

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/image"
)

func of(environment, ref, source string, site Site, entries ...string) Image {
	return Image{
		Container: image.Container{Environment: environment, App: "web", Object: "Pod " + environment + "/web", Name: "web", Image: image.Parse(ref)},
		Source:    source, Site: site, Entries: entries,
	}
}

func TestImages(t *testing.T) {
	plain := func(environment, tag string) Image {
		file := environment + "/web.yaml"
		return of(environment, "web:"+tag, file, Site{file, 3}, environment)
	}
	base := func(environment string, site Site, tag string) Image {
		return of(environment, "web:"+tag, "base/web.yaml", site, "overlays/"+environment)
	}
	words := plain("production", "2")
	words.Site, words.Words, words.Place = Site{}, "source commit 1", Site{"sluice.yaml", 9}
	unknown := words
	unknown.Words = ""
	for _, c := range []struct {
		what    string
		a, b    Image
		found   int
		unknown int
		at      string
	}{
		{"the same", plain("staging", "1"), plain("production", "1"), 0, 0, ""},
		{"two plain files", plain("staging", "1"), plain("production", "2"), 1, 0, "production/web.yaml:3"},
		{"an overlay after", base("staging", Site{"base/web.yaml", 3}, "1"), base("production", Site{"overlays/production/kustomization.yaml", 2}, "2"), 0, 0, ""},
		{"an overlay before", base("staging", Site{"overlays/staging/kustomization.yaml", 2}, "1"), base("production", Site{"base/web.yaml", 3}, "2"), 0, 0, ""},
		{"a component", base("staging", Site{"base/web.yaml", 3}, "1"), base("production", Site{"pinned/kustomization.yaml", 2}, "2"), 0, 0, ""},
		{"two bases", base("staging", Site{"base/web.yaml", 3}, "1"), of("production", "web:2", "two/web.yaml", Site{"two/kustomization.yaml", 2}, "overlays/production"), 1, 0, "two/kustomization.yaml:2"},
		{"one line, another name", base("staging", Site{"base/web.yaml", 3}, "1"), of("production", "mirror/web:1", "base/web.yaml", Site{"base/web.yaml", 3}, "overlays/production"), 0, 0, ""},
		{"an entry that both have", of("staging", "web:1", "all/a/web.yaml", Site{"all/a/kustomization.yaml", 2}, "all"), of("production", "web:2", "all/b/web.yaml", Site{"all/b/kustomization.yaml", 2}, "all"), 1, 0, "all/b/kustomization.yaml:2"},
		{"a revision", plain("staging", "1"), words, 1, 0, "sluice.yaml:9"},
		{"not known", plain("staging", "1"), unknown, 0, 1, ""},
	} {
		found, unknown := Images([]Image{c.a}, []Image{c.b})
		if len(found) != c.found || unknown != c.unknown {
			t.Errorf("%s: found %v, %d unknown", c.what, found, unknown)
			continue
		}
		if len(found) > 0 && (Site{found[0].File, found[0].Line}).String() != c.at {
			t.Errorf("%s: at %s:%d, want %s", c.what, found[0].File, found[0].Line, c.at)
		}
	}
}

// What cannot be told apart across namespaces is not compared; what can is,
// and one difference of many objects is one finding.
func TestPairs(t *testing.T) {
	one := func(environment, namespace, name string) Image {
		i := of(environment, "web:"+environment, environment+".yaml", Site{environment + ".yaml", 1})
		i.Object = "Pod " + namespace + "/" + name
		return i
	}
	before := []Image{one("a", "x", "web"), one("a", "y", "web"), one("a", "x", "api"), one("a", "x", "db"), one("a", "x", "db")}
	after := []Image{one("b", "x", "web"), one("b", "z", "web"), one("b", "y", "api"), one("b", "x", "db"), one("b", "x", "db"), one("b", "x", "only")}
	found, _ := Images(before, after)
	want := []string{"Pod x/web, container web", "Pod y/api, container web", "Pod x/db, container web", "Pod x/db, container web"}
	if len(found) != 1 {
		t.Fatalf("found %v", found)
	}
	if d := cmp.Diff(want, found[0].Objects); d != "" {
		t.Error(d)
	}
}
