package cli

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/sluice-dev/sluice/pkg/config"
)

// pinFlags adds the flags that `conduit inject` has.
func pinFlags(flags *pflag.FlagSet, pin *config.Conduit) {
	flags.StringVar(&pin.Version, "conduit-version", "", "the `RELEASE` to inject as, for instance v0.3.1")
	flags.StringVar(&pin.ImageTag, "image-tag", "", "`TAG` of the proxy's images (default: the release)")
	text := func(into **string, name, usage string) { flags.Var(textFlag{into}, name, usage) }
	port := func(into **uint32, name, usage string) { flags.Var(portFlag{into}, name, usage) }
	text(&pin.ConduitNamespace, "conduit-namespace", "`NAMESPACE` of the control plane")
	text(&pin.InitImage, "init-image", "`IMAGE` of the init container, without tag")
	text(&pin.ProxyImage, "proxy-image", "`IMAGE` of the proxy, without tag")
	text(&pin.Registry, "registry", "`REGISTRY` of both images")
	text(&pin.ImagePullPolicy, "image-pull-policy", "`POLICY`: Always, IfNotPresent or Never")
	text(&pin.ProxyLogLevel, "proxy-log-level", "`LEVEL` of the proxy's log")
	text(&pin.ProxyBindTimeout, "proxy-bind-timeout", "`DURATION` that the proxy waits for its ports")
	text(&pin.TLS, "tls", "`MODE` of TLS between proxies: optional, or empty for none")
	flags.Var(uidFlag{&pin.ProxyUID}, "proxy-uid", "user `ID` that the proxy runs as")
	port(&pin.InboundPort, "inbound-port", "`PORT` of the proxy for traffic that comes in")
	port(&pin.OutboundPort, "outbound-port", "`PORT` of the proxy for traffic that goes out")
	port(&pin.ControlPort, "control-port", "`PORT` of the proxy for the control plane")
	port(&pin.APIPort, "api-port", "`PORT` of the control plane")
	port(&pin.MetricsPort, "metrics-port", "`PORT` of the proxy for metrics")
	flags.Var(portsFlag{&pin.SkipInboundPorts}, "skip-inbound-ports", "`PORTS` whose traffic does not go through the proxy on its way in")
	flags.Var(portsFlag{&pin.SkipOutboundPorts}, "skip-outbound-ports", "`PORTS` whose traffic does not go through the proxy on its way out")
}

// overlay puts what the command line gives over a pin of the config.
func overlay(pin *config.Conduit, given config.Conduit) {
	into, from := reflect.ValueOf(pin).Elem(), reflect.ValueOf(given)
	for i := range from.NumField() {
		if !from.Field(i).IsZero() {
			into.Field(i).Set(from.Field(i))
		}
	}
}

// A pin tells an option that is not given from one that is given empty, so
// its flags set pointers.
type textFlag struct{ into **string }

func (f textFlag) String() string { return "" }
func (f textFlag) Type() string   { return "string" }
func (f textFlag) Set(s string) error {
	*f.into = &s
	return nil
}

type portFlag struct{ into **uint32 }

func (f portFlag) String() string { return "" }
func (f portFlag) Type() string   { return "port" }
func (f portFlag) Set(s string) error {
	port, err := parsePort(s)
	*f.into = &port
	return err
}

type uidFlag struct{ into **int64 }

func (f uidFlag) String() string { return "" }
func (f uidFlag) Type() string   { return "int" }
func (f uidFlag) Set(s string) error {
	id, err := strconv.ParseInt(s, 10, 64)
	*f.into = &id
	return err
}

type portsFlag struct{ into *[]uint32 }

func (f portsFlag) String() string { return "" }
func (f portsFlag) Type() string   { return "ports" }
func (f portsFlag) Set(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		port, err := parsePort(strings.TrimSpace(part))
		if err != nil {
			return err
		}
		*f.into = append(*f.into, port)
	}
	return nil
}

func parsePort(s string) (uint32, error) {
	port, err := strconv.ParseUint(s, 10, 32)
	return uint32(port), err
}
