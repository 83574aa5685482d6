package conduit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/config"
)

// theirs is as v0.3.0's own program printed it, cut short, with an image from
// elsewhere.
const theirs = `apiVersion: extensions/v1beta1
kind: Deployment
metadata:
  creationTimestamp: null
  name: web
spec:
  strategy: {}
  template:
    metadata:
      annotations:
        conduit.io/created-by: conduit/cli v0.3.0
        conduit.io/proxy-version: v9
      creationTimestamp: null
      labels:
        app: web
        conduit.io/control-plane-ns: conduit
    spec:
      containers:
        - image: example/web:1
          name: web
          resources: {}
        - env:
            - name: CONDUIT_PROXY_LOG
              value: warn,conduit_proxy=info
          image: example/proxy:v9
          imagePullPolicy: IfNotPresent
          name: conduit-proxy
          ports:
            - containerPort: 4143
              name: conduit-proxy
          resources: {}
      initContainers:
        - args:
            - --incoming-proxy-port
            - "4143"
          image: example/init:v9
          name: conduit-init
          resources: {}
status: {}
`

const theirsBefore = `apiVersion: extensions/v1beta1
kind: Deployment
metadata:
  creationTimestamp: null
  name: web
spec:
  strategy: {}
  template:
    metadata:
      creationTimestamp: null
      labels:
        app: web
    spec:
      containers:
        - image: example/web:1
          name: web
          resources: {}
status: {}
`

func TestStrip(t *testing.T) {
	const plain = "kind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - name: a\n"
	const container = "    - name: conduit-proxy\n      image: gcr.io/runconduit/proxy:v0.5.0\n"
	for _, c := range []struct{ name, text, want, version string }{
		{"of the real program", theirs, theirsBefore, "v0.3.0"},
		{
			"twice injected by it",
			strings.Replace(theirs, "      initContainers:", "        - name: conduit-proxy\n          image: gcr.io/runconduit/proxy:v0.3.0\n      initContainers:", 1),
			theirsBefore, "v0.3.0",
		},
		{"no annotation, default image", plain + container, plain, "v0.5.0"},
		{
			"somebody else's annotation, default image",
			strings.Replace(plain+container, "  name: a\n", "  name: a\n  annotations:\n    conduit.io/created-by: me\n", 1), plain, "v0.5.0",
		},
		{"init container alone", plain + "  initContainers:\n    - name: linkerd-init\n      image: gcr.io/linkerd-io/proxy-init:v18.8.1\n", plain, "v18.8.1"},
		{"nothing but the proxy", "kind: Pod\nspec:\n  containers:\n" + container, "kind: Pod\nspec:\n  containers: []\n", "v0.5.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := parse(t, c.text)
			if version, ok := Detect(n); !ok || version != c.version {
				t.Errorf("detected %q, %t", version, ok)
			}
			if !Strip(n) {
				t.Error("nothing stripped")
			}
			if diff := cmp.Diff(c.want, encode(t, n)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStripLeavesAlone(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"no proxy", web},
		{"annotation without proxy", annotated("conduit.io/created-by: conduit/cli v0.3.0", "{name: a}")},
		{"annotation of a program unknown", strings.Replace(theirs, "cli v0.3.0", "cli git-12345678", 1)},
		{"annotation of the other family", strings.Replace(theirs, "cli v0.3.0", "cli v18.8.1", 1)},
		{"annotation, but the container is no proxy", annotated("conduit.io/created-by: conduit/cli v0.3.0", "{name: a}, {name: conduit-proxy, image: example/a}")},
		{"default image, tag unknown", pod("containers: [{name: conduit-proxy, image: 'gcr.io/runconduit/proxy:v9'}]")},
		{"tag of the other family", pod("containers: [{name: conduit-proxy, image: 'gcr.io/runconduit/proxy:v18.8.1'}]")},
		{"image by digest", pod("containers: [{name: conduit-proxy, image: 'gcr.io/runconduit/proxy@sha256:0123'}]")},
		{"image from elsewhere, no annotation", pod("containers: [{name: conduit-proxy, image: 'example/proxy:v0.3.0'}]")},
		{"other name", pod("containers: [{name: a, image: 'gcr.io/runconduit/proxy:v0.3.0'}]")},
		{"foreign group", strings.Replace(theirs, "extensions/", "example.org/", 1)},
		{"no workload", strings.Replace(theirs, "Deployment", "Gateway", 1)},
		{"odd", strings.Replace(theirs, "        app: web", "        - app", 1)},
	} {
		doc := document(t, strings.Replace(c.text, "conduit.io/control-plane-ns: conduit", "", 1))
		before := encode(t, doc)
		if version, ok := Detect(doc.Content[0]); ok || Strip(doc.Content[0]) {
			t.Errorf("%s: found %q", c.name, version)
		}
		if diff := cmp.Diff(before, encode(t, doc)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestInjectReplaces(t *testing.T) {
	for _, version := range Releases() {
		in := injector(t, config.Conduit{Version: version})
		doc := document(t, theirs)
		r, err := in.Inject(doc.Content[0])
		if err != nil || r.Status != Injected || r.Replaced != "v0.3.0" {
			t.Errorf("%s: got %+v, %v", version, r, err)
		}
		want := document(t, theirsBefore)
		if _, err := in.Inject(want.Content[0]); err != nil {
			t.Fatal(err)
		}
		// The real program sorts; where it put the annotations, they stay.
		if !equal(want.Content[0], doc.Content[0]) {
			t.Errorf("%s: %s", version, cmp.Diff(encode(t, want), encode(t, doc)))
		}
	}
}

// TestOverwrites holds that labels of the mesh without a proxy are the user's:
// the release overwrites those it has itself and leaves the others.
func TestOverwrites(t *testing.T) {
	text := annotated("conduit.io/created-by: somebody\n        note: a", "{name: a}")
	text = strings.Replace(text, "      annotations:", "      labels:\n        conduit.io/control-plane-ns: stale\n"+
		"        conduit.io/proxy-deployment: stale\n        linkerd.io/control-plane-ns: stale\n        app: web\n      annotations:", 1)
	out, _ := inject(t, injector(t, config.Conduit{Version: "v0.3.1"}), text)
	want := `      labels:
        conduit.io/proxy-deployment: stale
        linkerd.io/control-plane-ns: stale
        app: web
        conduit.io/control-plane-ns: conduit
      annotations:
        note: a
        conduit.io/created-by: conduit/cli v0.3.1
        conduit.io/proxy-version: v0.3.1
`
	if !strings.Contains(out, want) {
		t.Errorf("got %s", out)
	}
	if again, _ := inject(t, injector(t, config.Conduit{Version: "v0.3.1"}), out); again != out {
		t.Error(cmp.Diff(out, again))
	}
}

// TestKindsOwnLabel holds that only the label of the object's own kind is the
// release's: another kind's is the user's and stays through any injection.
func TestKindsOwnLabel(t *testing.T) {
	text := strings.Replace(web, "    spec:\n      cont", "    metadata:\n      labels:\n        conduit.io/proxy-job: mine\n    spec:\n      cont", 1)
	in := injector(t, config.Conduit{Version: "v0.4.0"})
	doc := document(t, text)
	for range 2 {
		if _, err := in.Inject(doc.Content[0]); err != nil {
			t.Fatal(err)
		}
	}
	Strip(doc.Content[0])
	if diff := cmp.Diff(text, encode(t, doc)); diff != "" {
		t.Error(diff)
	}
}

func TestNullsAndEmpties(t *testing.T) {
	text := `kind: Deployment
metadata: {name: a}
spec:
  template:
    metadata:
      annotations: # none yet
      labels: ~
    spec:
      volumes: []
      initContainers: null # soon
      containers:
        - name: a
          args: null
`
	tls := injector(t, config.Conduit{Version: "v0.5.0", TLS: ptr("optional")})
	once, _ := inject(t, tls, text)
	for _, want := range []string{"# none yet", "# soon", "args: null", "labels:\n        conduit.io/control-plane-ns: conduit"} {
		if !strings.Contains(once, want) {
			t.Errorf("%q is missing in\n%s", want, once)
		}
	}
	if again, _ := inject(t, tls, once); again != once {
		t.Error(cmp.Diff(once, again))
	}
	doc := document(t, once)
	Strip(doc.Content[0])
	want := "kind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      containers:\n        - name: a\n          args: null\n"
	if got := encode(t, doc); flatComments(strings.NewReplacer(" # none yet", "", " # soon", "").Replace(got)) != want {
		t.Errorf("got %s", got)
	}
}

// TestUnchangedKeepsText holds that what means the same is left as it is
// written: order of keys, quotes and comments.
func TestUnchangedKeepsText(t *testing.T) {
	in := injector(t, config.Conduit{Version: "v0.3.1"})
	out, _ := inject(t, in, web)
	text := strings.Replace(out, "        conduit.io/created-by: conduit/cli v0.3.1\n        conduit.io/proxy-version: v0.3.1\n",
		"        conduit.io/proxy-version: 'v0.3.1' # pinned\n        conduit.io/created-by: conduit/cli v0.3.1\n", 1)
	doc := document(t, text)
	r, err := in.Inject(doc.Content[0])
	if err != nil || r.Status != Unchanged {
		t.Fatalf("got %+v, %v", r, err)
	}
	if diff := cmp.Diff(text, encode(t, doc)); diff != "" {
		t.Error(diff)
	}
	doc = document(t, strings.Replace(text, "runAsUser: 2102", "runAsUser: 0", 1))
	if r, _ := in.Inject(doc.Content[0]); r.Status != Injected {
		t.Errorf("a proxy changed by hand is %v", r.Status)
	}
	if diff := cmp.Diff(out, encode(t, doc)); diff != "" {
		t.Error(diff)
	}
}
