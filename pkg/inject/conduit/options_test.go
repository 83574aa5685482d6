package conduit

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-dev/sluice/pkg/config"
)

func TestOptionsRefused(t *testing.T) {
	for _, c := range []struct {
		pin    config.Conduit
		option string
		text   string
	}{
		{config.Conduit{}, "version", "no release is given"},
		{config.Conduit{Version: "v0.3"}, "version", `"v0.3" is not a known release`},
		{config.Conduit{Version: "latest"}, "version", `"latest" is not a known release`},
		{config.Conduit{Version: "v0.1.0", SkipOutboundPorts: []uint32{1}}, "skipOutboundPorts", "v0.1.0 does not have it; releases from v0.1.1 on do"},
		{config.Conduit{Version: "v0.2.0", ProxyLogLevel: ptr("info")}, "proxyLogLevel", "v0.2.0 does not have it; releases from v0.3.0 on do"},
		{config.Conduit{Version: "v0.3.1", MetricsPort: ptr[uint32](4191)}, "metricsPort", "v0.3.1 does not have it; releases from v0.4.0 on do"},
		{config.Conduit{Version: "v0.4.1", ProxyBindTimeout: ptr("10s")}, "proxyBindTimeout", "v0.4.1 does not have it; releases from v0.4.2 on do"},
		{config.Conduit{Version: "v0.4.4", Registry: ptr("example")}, "registry", "v0.4.4 does not have it; releases from v0.5.0 on do"},
		{config.Conduit{Version: "v0.4.4", TLS: ptr("")}, "tls", "v0.4.4 does not have it; releases from v0.5.0 on do"},
		{config.Conduit{Version: "v0.5.0", TLS: ptr("strict")}, "tls", `"strict" is neither empty nor optional`},
		{config.Conduit{Version: "v0.5.0", ImageTag: "a b"}, "imageTag", `"a b" is not an image tag`},
		{config.Conduit{Version: "v0.5.0", ImageTag: "a/b"}, "imageTag", `"a/b" is not an image tag`},
		{config.Conduit{Version: "v0.5.0", ConduitNamespace: ptr("")}, "conduitNamespace", `"" is not a namespace's name`},
		{config.Conduit{Version: "v0.5.0", ConduitNamespace: ptr("a.b")}, "conduitNamespace", `"a.b" is not a namespace's name`},
		{config.Conduit{Version: "v0.5.0", ConduitNamespace: ptr("a\n")}, "conduitNamespace", `"a\n" is not a namespace's name`},
		{config.Conduit{Version: "v0.5.0", ConduitNamespace: ptr(strings.Repeat("a", 64))}, "conduitNamespace", `"` + strings.Repeat("a", 64) + `" is not a namespace's name`},
		{config.Conduit{Version: "v0.5.0", ProxyImage: ptr("")}, "proxyImage", `"" is not an image without tag`},
		{config.Conduit{Version: "v0.5.0", ProxyImage: ptr("a b")}, "proxyImage", `"a b" is not an image without tag`},
		{config.Conduit{Version: "v0.5.0", ProxyImage: ptr("example/proxy:v1.0")}, "proxyImage", `"example/proxy:v1.0" has a tag`},
		{config.Conduit{Version: "v0.5.0", InitImage: ptr("proxy:1")}, "initImage", `"proxy:1" has a tag`},
		{config.Conduit{Version: "v0.5.0", Registry: ptr("")}, "registry", `"" is not a registry`},
		{config.Conduit{Version: "v0.5.0", Registry: ptr("https://a")}, "registry", `"https://a" is not a registry`},
		{config.Conduit{Version: "v0.5.0", ImagePullPolicy: ptr("always")}, "imagePullPolicy", `"always" is not Always, IfNotPresent or Never`},
		{config.Conduit{Version: "v0.5.0", ProxyUID: ptr[int64](-1)}, "proxyUid", "-1 is not a user id from 0 to 2147483647"},
		{config.Conduit{Version: "v0.5.0", ProxyUID: ptr[int64](1 << 31)}, "proxyUid", "2147483648 is not a user id from 0 to 2147483647"},
		{config.Conduit{Version: "v0.5.0", InboundPort: ptr[uint32](0)}, "inboundPort", "0 is not a port from 1 to 65535"},
		{config.Conduit{Version: "v0.5.0", OutboundPort: ptr[uint32](65536)}, "outboundPort", "65536 is not a port from 1 to 65535"},
		{config.Conduit{Version: "v0.5.0", ControlPort: ptr[uint32](1 << 31)}, "controlPort", "2147483648 is not a port from 1 to 65535"},
		{config.Conduit{Version: "v0.5.0", APIPort: ptr[uint32](0)}, "apiPort", "0 is not a port from 1 to 65535"},
		{config.Conduit{Version: "v0.5.0", MetricsPort: ptr[uint32](0)}, "metricsPort", "0 is not a port from 1 to 65535"},
		{config.Conduit{Version: "v0.5.0", MetricsPort: ptr[uint32](4190)}, "metricsPort", "4190 is the proxy's control port already"},
		{config.Conduit{Version: "v0.1.0", OutboundPort: ptr[uint32](4143)}, "outboundPort", "4143 is the proxy's inbound port already"},
		{config.Conduit{Version: "v0.5.0", SkipInboundPorts: []uint32{80, 0}}, "skipInboundPorts", "0 is not a port from 1 to 65535"},
		{config.Conduit{Version: "v0.5.0", SkipOutboundPorts: []uint32{70000}}, "skipOutboundPorts", "70000 is not a port from 1 to 65535"},
		{config.Conduit{Version: "v0.5.0", ProxyLogLevel: ptr("")}, "proxyLogLevel", `"" is not a log level`},
		{config.Conduit{Version: "v0.5.0", ProxyLogLevel: ptr("a\nb")}, "proxyLogLevel", `"a\nb" is not a log level`},
		{config.Conduit{Version: "v0.5.0", ProxyBindTimeout: ptr("soon")}, "proxyBindTimeout", `"soon" is not a duration`},
		{config.Conduit{Version: "v0.5.0", ProxyBindTimeout: ptr("-1s")}, "proxyBindTimeout", `"-1s" is not a duration`},
	} {
		_, err := New(c.pin)
		var oe *OptionError
		if !errors.As(err, &oe) {
			t.Errorf("%s: %s: got %v", c.option, c.text, err)
			continue
		}
		if oe.Option != c.option || oe.Text != c.text || err.Error() != c.option+": "+c.text {
			t.Errorf("want %s: %s, got %v", c.option, c.text, err)
		}
	}
}

func TestUnknownReleaseListsAll(t *testing.T) {
	_, err := New(config.Conduit{Version: "v9"})
	var oe *OptionError
	if !errors.As(err, &oe) || oe.Hint != "known releases: "+strings.Join(Releases(), ", ") {
		t.Errorf("got %v", err)
	}
	if len(Releases()) != 22 || Releases()[0] != "v0.1.0" || Releases()[21] != "stable-2.0.0" {
		t.Errorf("releases %v", Releases())
	}
}

func TestEveryOptionAtOnce(t *testing.T) {
	_, err := New(config.Conduit{Version: "v0.1.0", TLS: ptr("optional"), ProxyUID: ptr[int64](-1), ImageTag: " "})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v", err)
	}
	var options []string
	for _, e := range joined.Unwrap() {
		var oe *OptionError
		if errors.As(e, &oe) {
			options = append(options, oe.Option)
		}
	}
	if !slices.Equal(options, []string{"tls", "imageTag", "proxyUid"}) {
		t.Errorf("got %v", options)
	}
}

func TestPinIsCopied(t *testing.T) {
	pin := config.Conduit{Version: "v0.5.0", SkipInboundPorts: []uint32{25}, SkipOutboundPorts: []uint32{26}}
	in := injector(t, pin)
	before, _ := inject(t, in, web)
	pin.SkipInboundPorts[0], pin.SkipOutboundPorts[0] = 1, 1
	if after, _ := inject(t, in, web); after != before {
		t.Error("the injector follows what its maker does to the pin")
	}
}

// TestOptionsTaken holds where each option's value comes out.
func TestOptionsTaken(t *testing.T) {
	for _, c := range []struct {
		pin  config.Conduit
		want []string // lines
	}{
		{config.Conduit{ImageTag: "v9.9.9-test_1"}, []string{
			"image: gcr.io/linkerd-io/proxy:v9.9.9-test_1", "image: gcr.io/linkerd-io/proxy-init:v9.9.9-test_1",
			"linkerd.io/proxy-version: v9.9.9-test_1", "linkerd.io/created-by: linkerd/cli v18.9.1",
		}},
		{config.Conduit{ConduitNamespace: ptr("mesh")}, []string{
			"linkerd.io/control-plane-ns: mesh", "value: tcp://proxy-api.mesh.svc.cluster.local:8086",
		}},
		{config.Conduit{ConduitNamespace: ptr("123")}, []string{`linkerd.io/control-plane-ns: "123"`}},
		{config.Conduit{ConduitNamespace: ptr("y")}, []string{`linkerd.io/control-plane-ns: "y"`}},
		{config.Conduit{InitImage: ptr("localhost:5000/i"), ProxyImage: ptr("example/p")}, []string{
			"image: localhost:5000/i:v18.9.1", "image: example/p:v18.9.1",
		}},
		{config.Conduit{Registry: ptr("example:5000/mesh")}, []string{
			"image: example:5000/mesh/proxy:v18.9.1", "image: example:5000/mesh/proxy-init:v18.9.1",
		}},
		{config.Conduit{Registry: ptr("example"), ProxyImage: ptr("other/p"), InitImage: ptr("gcr.io/linkerd-io/i")}, []string{
			"image: other/p:v18.9.1", "image: example/i:v18.9.1",
		}},
		{config.Conduit{ImagePullPolicy: ptr("Always")}, []string{"imagePullPolicy: Always"}},
		{config.Conduit{ProxyUID: ptr[int64](0)}, []string{"runAsUser: 0", `- "0"`}},
		{config.Conduit{InboundPort: ptr[uint32](1)}, []string{"- containerPort: 1", "value: tcp://0.0.0.0:1", `- "1"`}},
		{config.Conduit{OutboundPort: ptr[uint32](65535)}, []string{"value: tcp://127.0.0.1:65535", `- "65535"`}},
		{config.Conduit{ControlPort: ptr[uint32](2)}, []string{"value: tcp://0.0.0.0:2", "- 2,4191"}},
		{config.Conduit{APIPort: ptr[uint32](3)}, []string{"value: tcp://proxy-api.linkerd.svc.cluster.local:3"}},
		{config.Conduit{MetricsPort: ptr[uint32](4)}, []string{"- containerPort: 4", "value: tcp://0.0.0.0:4", "- 4190,4", "port: 4"}},
		{config.Conduit{SkipInboundPorts: []uint32{25, 7}}, []string{"- 25,7,4190,4191"}},
		{config.Conduit{SkipOutboundPorts: []uint32{443, 8443}}, []string{"- --outbound-ports-to-ignore", "- 443,8443"}},
		{config.Conduit{ProxyLogLevel: ptr("debug,{tag}")}, []string{"value: debug,{tag}"}},
		{config.Conduit{ProxyBindTimeout: ptr("3s")}, []string{"value: 3s"}},
		{config.Conduit{TLS: ptr("optional")}, []string{"secretName: web-deployment-tls-linkerd-io"}},
		{config.Conduit{TLS: ptr("")}, []string{"image: gcr.io/linkerd-io/proxy:v18.9.1"}},
	} {
		c.pin.Version = "v18.9.1"
		out, _ := inject(t, injector(t, c.pin), web)
		var lines []string
		for line := range strings.SplitSeq(out, "\n") {
			lines = append(lines, strings.TrimSpace(line))
		}
		for _, want := range c.want {
			if !slices.Contains(lines, want) {
				t.Errorf("%q is missing in\n%s", want, out)
			}
		}
	}
}
