package conduit

// release is a place in the order of the releases.
type release int

// The releases, oldest first.
const (
	v010 release = iota
	v011
	v012
	v013
	v020
	v030
	v031
	v040
	v041
	v042
	v043
	v044
	v050
	v1871
	v1872
	v1873
	v1881
	v1882
	v1883
	v1884
	v1891
	stable200
	end // no release: one past the last
)

var versions = [end]string{
	"v0.1.0", "v0.1.1", "v0.1.2", "v0.1.3", "v0.2.0", "v0.3.0", "v0.3.1",
	"v0.4.0", "v0.4.1", "v0.4.2", "v0.4.3", "v0.4.4", "v0.5.0",
	"v18.7.1", "v18.7.2", "v18.7.3", "v18.8.1", "v18.8.2", "v18.8.3", "v18.8.4", "v18.9.1",
	"stable-2.0.0",
}

// Releases lists the releases whose injection this package knows, oldest first.
func Releases() []string {
	return append([]string(nil), versions[:]...)
}

func (r release) String() string { return versions[r] }

func releaseOf(version string) (release, bool) {
	for r, v := range versions {
		if v == version {
			return release(r), true
		}
	}
	return end, false
}

// span is the releases from one on and before another.
type span struct{ from, until release }

func always() span                     { return span{v010, end} }
func since(r release) span             { return span{r, end} }
func before(r release) span            { return span{v010, r} }
func between(from, until release) span { return span{from, until} }
func (s span) has(r release) bool      { return s.from <= r && r < s.until }

// family is the name under which a run of releases went, and what is named
// after it.
type family struct {
	in       span
	mesh     string // {mesh} in the tables; also the default namespace
	title    string
	env      string // prefix of the proxy's variables
	registry string
	logLevel string // of the releases that have the option
}

var families = [...]family{
	{before(v1871), "conduit", "Conduit", "CONDUIT_PROXY_", "gcr.io/runconduit", "warn,conduit_proxy=info"},
	{since(v1871), "linkerd", "Linkerd", "LINKERD2_PROXY_", "gcr.io/linkerd-io", "warn,linkerd2_proxy=info"},
}

func (r release) family() family {
	for _, f := range families {
		if f.in.has(r) {
			return f
		}
	}
	return family{}
}

func (f family) proxy() string      { return f.mesh + "-proxy" }
func (f family) init() string       { return f.mesh + "-init" }
func (f family) proxyImage() string { return f.registry + "/proxy" }
func (f family) initImage() string  { return f.registry + "/proxy-init" }
func (f family) createdBy() string  { return f.mesh + ".io/created-by" }

// client is how a release's own program names itself in the created-by
// annotation, before the version.
func (f family) client() string { return f.mesh + "/cli " }
