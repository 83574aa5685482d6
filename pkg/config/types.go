// Package config reads sluice.yaml into a Config: strict, complete when made,
// every finding at once with file and line.
package config

// Config is one sluice.yaml.
type Config struct {
	KubectlApply  []Apply       `yaml:"kubectlApply"`
	ConduitInject []string      `yaml:"conduitInject"`
	Inject        []Inject      `yaml:"inject"`
	Conduit       *Conduit      `yaml:"conduit"`
	Tools         []Tool        `yaml:"tools"`
	MaxSkew       *MaxSkew      `yaml:"maxSkew"` // none, or the pairs of versions that may live together in an environment
	Environments  []Environment `yaml:"environments"`
	Apps          []App         `yaml:"apps"`
	Include       []string      `yaml:"include"`    // patterns of files that hold an app each
	AllowEmpty    bool          `yaml:"allowEmpty"` // an environment may render to nothing
	Secrets       string        `yaml:"secrets"`    // refuse (default) or allow: Secrets with readable values
	Forge         *Forge        `yaml:"forge"`      // where promotions are opened as pull requests
	Validate      *Validate     `yaml:"validate"`   // what the objects are checked against; nil: what every known release would refuse
	Export        *Export       `yaml:"export"`     // how engines follow the branches
	Notify        []Notify      `yaml:"notify"`     // who is told of what happens
	Releases      *Releases     `yaml:"releases"`   // where the releases of clusters lie
	Clusters      []Cluster     `yaml:"clusters"`   // what is upgraded from release to release

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

// Apply is an entry of kubectlApply: a path, or a program whose output is
// manifests. Exactly one of the two is set.
type Apply struct {
	Path string
	Exec *Exec
}

// Exec is a run of a pinned program that prints manifests.
type Exec struct {
	Tool  string            `yaml:"tool"`  // name of an entry of tools
	Args  []string          `yaml:"args"`  // {env} stands for the environment's name
	Files []string          `yaml:"files"` // put into its working directory, under these paths
	Pin   map[string]string `yaml:"pin"`   // fields of its output that get this value: Kind/namespace/name:field
}

// Inject is an injector that is a pinned program, and what it injects.
type Inject struct {
	Tool  string   `yaml:"tool"`  // name of an entry of tools
	Args  []string `yaml:"args"`  // {env} stands for the environment's name
	Files []string `yaml:"files"` // put into its working directory, under these paths
	Paths []string `yaml:"paths"` // what it injects, as in conduitInject
}

// Tool is a pinned program.
type Tool struct {
	Name      string              `yaml:"name"`
	Version   string              `yaml:"version"`   // exact
	Platforms map[string]Platform `yaml:"platforms"` // by system/processor, for instance linux/amd64
}

// Platform is a tool's download for one platform.
type Platform struct {
	URL    string `yaml:"url"`    // http(s), or a path in the repository
	SHA256 string `yaml:"sha256"` // of what is downloaded, in hex
	Member string `yaml:"member"` // the program's file in a .tar.gz or .zip
}

// MaxSkew says which versions of one injector may live together in an
// environment. Without pairs none may.
type MaxSkew struct {
	Pairs [][]string // two versions each
}

// App is a unit with its own apply list and its own output directory.
type App struct {
	Name          string   `yaml:"name"`
	DependsOn     []string `yaml:"dependsOn"`
	KubectlApply  []Apply  `yaml:"kubectlApply"`
	ConduitInject []string `yaml:"conduitInject"`
	Inject        []Inject `yaml:"inject"`
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

// Export says how the engines of the clusters follow the environment branches.
type Export struct {
	Into       string   `yaml:"into"`       // env: what is written for the engines named below is an app of each environment; empty: it is only printed
	Repository string   `yaml:"repository"` // URL by which the clusters reach the repository; default: that of the remote origin
	Name       string   `yaml:"name"`       // what names of objects begin with; default: the last part of the URL
	Suspend    []string `yaml:"suspend"`    // ENV or ENV/APP: the engine leaves it as it is for now
	Flux       *Flux    `yaml:"flux"`
	ArgoCD     *ArgoCD  `yaml:"argocd"`
	Kluctl     *Kluctl  `yaml:"kluctl"`
}

// Flux is options of the objects for Flux. Empty means the default.
type Flux struct {
	Namespace      string `yaml:"namespace"`      // of the objects; default flux-system
	Interval       string `yaml:"interval"`       // between two reconciliations; default 10m
	SourceInterval string `yaml:"sourceInterval"` // between two looks at the branch; default 1m
	Timeout        string `yaml:"timeout"`        // of a reconciliation, health checks included; default 5m
	Secret         string `yaml:"secret"`         // with credentials for the repository; default none
	ServiceAccount string `yaml:"serviceAccount"` // for apps that are bound to one namespace; {app} and {namespace} stand for theirs
}

// ArgoCD is options of the objects for Argo CD. Empty means the default.
type ArgoCD struct {
	Namespace string            `yaml:"namespace"` // of the objects; default argocd
	Project   string            `yaml:"project"`   // default default
	Servers   map[string]string `yaml:"servers"`   // by environment: the cluster's API server; default the one that Argo CD runs in
}

// Kluctl is options of the objects for kluctl's controller. Empty means the
// default.
type Kluctl struct {
	Namespace string `yaml:"namespace"` // of the objects; default kluctl-system
	Interval  string `yaml:"interval"`  // between two reconciliations; default 10m
}

// Notify says who is told of what happens to the environments.
type Notify struct {
	Webhook *Webhook `yaml:"webhook"`
	Events  []string `yaml:"events"` // what is told; default: all
}

// Webhook is an address that events are posted to. The address and the secret
// are never part of a config.
type Webhook struct {
	URLFrom    string `yaml:"urlFrom"`    // the environment variable with the address
	SecretFrom string `yaml:"secretFrom"` // the environment variable with the secret that signs what is sent
	Form       string `yaml:"form"`       // json (default) or slack
}

// Releases says where the releases of clusters lie.
type Releases struct {
	Path string `yaml:"path"` // directory that holds one for each provider; default releases
}

// Cluster is a directory of manifests that come from releases.
type Cluster struct {
	Name       string            `yaml:"name"`       // for instance gauss/peu01
	Path       string            `yaml:"path"`       // its directory; default: the name
	Provider   string            `yaml:"provider"`   // whose releases it gets; default: the only one there is
	Release    string            `yaml:"release"`    // the one that its files are at; empty if they come from none
	Components map[string]string `yaml:"components"` // by file name: the releases of those that were upgraded alone
}
