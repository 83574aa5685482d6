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
	Forge         *Forge        `yaml:"forge"`      // where promotions are opened as pull requests

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

	Approvals      int64    `yaml:"approvals"`      // how many people have to approve exactly the commit that comes in
	RequiredChecks []string `yaml:"requiredChecks"` // commit statuses and check runs that have to have succeeded on it
}

// Forge is where promotions are opened as pull requests. Its tokens and keys
// are never part of a config.
type Forge struct {
	Type   string    `yaml:"type"`   // github, gitlab, gitea or none; default: what the remote's host is known to be
	URL    string    `yaml:"url"`    // where its pages are, for instance https://github.example.com; default: the remote's host
	App    *ForgeApp `yaml:"app"`    // who to be at GitHub, instead of the owner of a token
	Draft  bool      `yaml:"draft"`  // open requests as drafts
	Labels []string  `yaml:"labels"` // put on requests that are opened
}

// ForgeApp is a GitHub App.
type ForgeApp struct {
	ID           int64 `yaml:"id"`
	Installation int64 `yaml:"installation"` // the last number of the installation's URL
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
