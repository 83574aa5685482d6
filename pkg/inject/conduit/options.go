package conduit

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sluice-dev/sluice/pkg/config"
)

// OptionError is an option of the pin that cannot be.
type OptionError struct {
	Option string // key below conduit: in the config
	Text   string
	Hint   string
}

func (e *OptionError) Error() string { return e.Option + ": " + e.Text }

// settings are the options of a pin with the release's defaults filled in.
type settings struct {
	tag                                      string
	namespace                                string
	initImage, proxyImage                    string
	pullPolicy                               string
	uid                                      int64
	inbound, outbound, control, api, metrics uint32
	skipInbound, skipOutbound                []uint32
	logLevel, bindTimeout                    string
	tls                                      bool
}

// newcomers are the options that not every release has.
var newcomers = [...]struct {
	option string
	from   release
	given  func(config.Conduit) bool
}{
	{"skipOutboundPorts", v011, func(c config.Conduit) bool { return len(c.SkipOutboundPorts) > 0 }},
	{"proxyLogLevel", v030, func(c config.Conduit) bool { return c.ProxyLogLevel != nil }},
	{"metricsPort", v040, func(c config.Conduit) bool { return c.MetricsPort != nil }},
	{"proxyBindTimeout", v042, func(c config.Conduit) bool { return c.ProxyBindTimeout != nil }},
	{"registry", v050, func(c config.Conduit) bool { return c.Registry != nil }},
	{"tls", v050, func(c config.Conduit) bool { return c.TLS != nil }},
}

var (
	// Counted repeats are dear to compile: only where they are asked for.
	dnsLabel   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`) })
	tagText    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[.a-zA-Z0-9_-]{1,128}$`) })
	imageText  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*(:[0-9]+)?(/[a-zA-Z0-9][a-zA-Z0-9._-]*)*$`)
	logText    = regexp.MustCompile(`^[ -~]+$`)
	pullPolicy = regexp.MustCompile(`^(Always|IfNotPresent|Never)$`)
)

// maxUID is the greatest user id that Kubernetes accepts.
const maxUID = 1<<31 - 1

// reader takes the options over one by one and gathers what is wrong.
type reader struct {
	errs []error
}

func (r *reader) refuse(option, hint, format string, args ...any) {
	r.errs = append(r.errs, &OptionError{Option: option, Text: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *reader) text(option string, given *string, fallback string, form *regexp.Regexp, want string) string {
	if given == nil {
		return fallback
	}
	if !form.MatchString(*given) {
		r.refuse(option, "", "%q is not %s", *given, want)
	}
	return *given
}

func (r *reader) port(option string, given *uint32, fallback uint32) uint32 {
	if given == nil {
		return fallback
	}
	r.checkPort(option, *given)
	return *given
}

func (r *reader) checkPort(option string, port uint32) {
	if port < 1 || port > 65535 {
		r.refuse(option, "", "%d is not a port from 1 to 65535", port)
	}
}

// image refuses a tag: the tag follows from the release, or from imageTag.
func (r *reader) image(option string, given *string, fallback string) string {
	if given == nil {
		return fallback
	}
	if colon := strings.LastIndex(*given, ":"); colon > strings.LastIndex(*given, "/") {
		if tagText().MatchString((*given)[colon+1:]) && imageText.MatchString((*given)[:colon]) {
			r.refuse(option, "set imageTag for another tag than the release's", "%q has a tag", *given)
			return *given
		}
	}
	return r.text(option, given, fallback, imageText, "an image without tag")
}

func (r *reader) duration(option string, given *string, fallback string) string {
	if given == nil {
		return fallback
	}
	if d, err := time.ParseDuration(*given); err != nil || d < 0 {
		r.refuse(option, "write it like 10s or 500ms", "%q is not a duration", *given)
	}
	return *given
}

// resolve checks the options against the release and fills in its defaults.
func resolve(rel release, c config.Conduit) (settings, error) {
	var r reader
	for _, n := range newcomers {
		if n.given(c) && rel < n.from {
			r.refuse(n.option, "take the option out, or pin "+n.from.String()+" or later",
				"%s does not have it; releases from %s on do", rel, n.from)
		}
	}
	f := rel.family()
	tag := rel.String()
	if c.ImageTag != "" {
		tag = r.text("imageTag", &c.ImageTag, "", tagText(), "an image tag")
	}
	s := settings{
		tag:          tag,
		namespace:    r.text("conduitNamespace", c.ConduitNamespace, f.mesh, dnsLabel(), "a namespace's name"),
		initImage:    r.image("initImage", c.InitImage, f.initImage()),
		proxyImage:   r.image("proxyImage", c.ProxyImage, f.proxyImage()),
		pullPolicy:   r.text("imagePullPolicy", c.ImagePullPolicy, "IfNotPresent", pullPolicy, "Always, IfNotPresent or Never"),
		uid:          2102,
		inbound:      r.port("inboundPort", c.InboundPort, 4143),
		outbound:     r.port("outboundPort", c.OutboundPort, 4140),
		control:      r.port("controlPort", c.ControlPort, 4190),
		api:          r.port("apiPort", c.APIPort, 8086),
		metrics:      r.port("metricsPort", c.MetricsPort, 4191),
		skipInbound:  append([]uint32(nil), c.SkipInboundPorts...),
		skipOutbound: append([]uint32(nil), c.SkipOutboundPorts...),
		logLevel:     r.text("proxyLogLevel", c.ProxyLogLevel, f.logLevel, logText, "a log level"),
		bindTimeout:  r.duration("proxyBindTimeout", c.ProxyBindTimeout, "10s"),
	}
	if c.ProxyUID != nil {
		if s.uid = *c.ProxyUID; s.uid < 0 || s.uid > maxUID {
			r.refuse("proxyUid", "", "%d is not a user id from 0 to %d", s.uid, maxUID)
		}
	}
	for _, p := range s.skipInbound {
		r.checkPort("skipInboundPorts", p)
	}
	for _, p := range s.skipOutbound {
		r.checkPort("skipOutboundPorts", p)
	}
	if c.Registry != nil {
		registry := r.text("registry", c.Registry, "", imageText, "a registry")
		s.initImage = strings.Replace(s.initImage, f.registry, registry, 1)
		s.proxyImage = strings.Replace(s.proxyImage, f.registry, registry, 1)
	}
	if c.TLS != nil && *c.TLS != "" {
		if s.tls = *c.TLS == "optional"; !s.tls {
			r.refuse("tls", "", "%q is neither empty nor optional", *c.TLS)
		}
	}
	r.distinct(s.listeners(rel))
	return s, errors.Join(r.errs...)
}

// listener is a port that the proxy itself opens in the pod.
type listener struct {
	option, title string
	port          uint32
}

func (s settings) listeners(rel release) []listener {
	l := []listener{
		{"inboundPort", "inbound", s.inbound},
		{"outboundPort", "outbound", s.outbound},
		{"controlPort", "control", s.control},
	}
	if rel.hasMetrics() {
		l = append(l, listener{"metricsPort", "metrics", s.metrics})
	}
	return l
}

// distinct refuses two listeners on one port: the proxy would not start.
func (r *reader) distinct(listeners []listener) {
	for i, l := range listeners {
		for _, other := range listeners[:i] {
			if l.port == other.port {
				r.refuse(l.option, "", "%d is the proxy's %s port already", l.port, other.title)
			}
		}
	}
}

func joinPorts(ports []uint32) string {
	words := make([]string, len(ports))
	for i, p := range ports {
		words[i] = strconv.FormatUint(uint64(p), 10)
	}
	return strings.Join(words, ",")
}
