// Package config reads sluice.yaml into a Config: strict, complete when made,
// every finding at once with file and line.
package config

// Config is one sluice.yaml.
type Config struct {
	KubectlApply  []string      `yaml:"kubectlApply"`
	ConduitInject []string      `yaml:"conduitInject"`
	Conduit       *Conduit      `yaml:"conduit"`
	Environments  []Environment `yaml:"environments"`
	Apps          []App         `yaml:"apps"`
	Include       []string      `yaml:"include"`    // patterns of files that hold an app each
	AllowEmpty    bool          `yaml:"allowEmpty"` // an environment may render to nothing
	Secrets       string        `yaml:"secrets"`    // refuse (default) or allow: Secrets with readable values
	Validate      *Validate     `yaml:"validate"`   // what the objects are checked against; nil: what every known release would refuse

	file   string           // slash path relative to the repository root
	places map[string]Place // where each value stands, see Place
}

// Place is a line of a file.
type Place struct {
	File string // slash path relative to the repository root
	Line int
}

// Conduit is a pin of the native injector: a release and the options that
// `conduit inject` of that release has. Nil and empty mean the release's default.
type Conduit struct {
	Version           string   `yaml:"version"`           // the release, for instance v0.3.1
	ImageTag          string   `yaml:"imageTag"`          // what the real tool's --conduit-version flag set: image tags and the proxy-version annotation
	ConduitNamespace  *string  `yaml:"conduitNamespace"`  // the control plane's namespace
	InitImage         *string  `yaml:"initImage"`         // without tag
	ProxyImage        *string  `yaml:"proxyImage"`        // without tag
	Registry          *string  `yaml:"registry"`          // replaces the default images' registry
	ImagePullPolicy   *string  `yaml:"imagePullPolicy"`   // Always, IfNotPresent or Never
	ProxyUID          *int64   `yaml:"proxyUid"`          // user id the proxy runs as
	InboundPort       *uint32  `yaml:"inboundPort"`       // TCP port
	OutboundPort      *uint32  `yaml:"outboundPort"`      // TCP port
	ControlPort       *uint32  `yaml:"controlPort"`       // TCP port
	APIPort           *uint32  `yaml:"apiPort"`           // TCP port
	MetricsPort       *uint32  `yaml:"metricsPort"`       // TCP port
	SkipInboundPorts  []uint32 `yaml:"skipInboundPorts"`  // TCP ports that bypass the proxy
	SkipOutboundPorts []uint32 `yaml:"skipOutboundPorts"` // TCP ports that bypass the proxy
	ProxyLogLevel     *string  `yaml:"proxyLogLevel"`
	ProxyBindTimeout  *string  `yaml:"proxyBindTimeout"` // a Go duration
	TLS               *string  `yaml:"tls"`              // "" or optional
}

// Environment is a name, a branch and a directory on that branch.
type Environment struct {
	Name         string `yaml:"name"`
	Branch       string `yaml:"branch"`       // default env/<name>
	Path         string `yaml:"path"`         // default <name>
	PromotedFrom string `yaml:"promotedFrom"` // name of another environment; empty for a chain's root
	Frozen       string `yaml:"frozen"`       // a reason; refuses every promotion
}

// App is a unit with its own apply list and its own output directory.
type App struct {
	Name          string   `yaml:"name"`
	DependsOn     []string `yaml:"dependsOn"`
	KubectlApply  []string `yaml:"kubectlApply"`
	ConduitInject []string `yaml:"conduitInject"`
	Conduit       *Conduit `yaml:"conduit"`
	Environments  []string `yaml:"environments"` // default: all

	Allow    *Allow            `yaml:"allow"`
	Revision map[string]string `yaml:"revision"` // by environment: the source commit to render from instead

	dir string // that its paths are relative to
}

// Allow bounds what an app may hold. An empty list bounds nothing.
type Allow struct {
	Namespaces []string `yaml:"namespaces"`
	Kinds      []string `yaml:"kinds"`
}
