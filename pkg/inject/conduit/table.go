package conduit

// What each release adds to a pod, one row for each thing that came, went or
// changed. Words in braces are filled in for the workload at hand (see words).

// workloads are the kinds with a pod, and the first release that injects each.
var workloads = [...]struct {
	kind string
	from release
}{
	{"Deployment", v010},
	{"ReplicaSet", v010},
	{"DaemonSet", v010},
	{"ReplicationController", v010},
	{"Job", v010},
	{"StatefulSet", v042},
	{"Pod", v050},
}

// mark is a label or annotation of the pod.
type mark struct {
	in         span
	kind       string // only of this kind; "" for all
	key, value string
}

var annotations = [...]mark{
	{always(), "", "{mesh}.io/created-by", "{mesh}/cli {version}"},
	{always(), "", "{mesh}.io/proxy-version", "{tag}"},
}

var labels = [...]mark{
	{before(v030), "", "{mesh}.io/controller", "{ns}"},
	{before(v030), "", "{mesh}.io/plane", "data"},
	{since(v030), "", "{mesh}.io/control-plane-ns", "{ns}"},
	{since(v040), "Deployment", "{mesh}.io/proxy-deployment", "{name}"},
	{since(v040), "Job", "{mesh}.io/proxy-job", "{name}"},
	{between(v040, v1872), "ReplicationController", "{mesh}.io/proxy-replication-controller", "{name}"},
	{between(v040, v1872), "ReplicaSet", "{mesh}.io/proxy-replica-set", "{name}"},
	{between(v040, v1872), "DaemonSet", "{mesh}.io/proxy-daemon-set", "{name}"},
	{between(v042, v1872), "StatefulSet", "{mesh}.io/proxy-stateful-set", "{name}"},
	{since(v1872), "ReplicationController", "{mesh}.io/proxy-replicationcontroller", "{name}"},
	{since(v1872), "ReplicaSet", "{mesh}.io/proxy-replicaset", "{name}"},
	{since(v1872), "DaemonSet", "{mesh}.io/proxy-daemonset", "{name}"},
	{since(v1872), "StatefulSet", "{mesh}.io/proxy-statefulset", "{name}"},
}

// port is a container port of the proxy. The releases' metrics listener is
// announced from the release on that has the option.
type port struct {
	in           span
	number, name string
}

var ports = [...]port{
	{always(), "{inbound}", "{mesh}-proxy"},
	{since(v040), "{metrics}", "{mesh}-metrics"},
}

// variable is an environment variable of the proxy, without its prefix.
type variable struct {
	in    span
	tls   bool // only with tls
	name  string
	value string
	field string // of the pod, instead of a value
}

var variables = [...]variable{
	{in: before(v011), name: "LOG", value: "trace,h2=debug,mio=info,tokio_core=info"},
	{in: between(v011, v030), name: "LOG", value: "warn,conduit_proxy=info"},
	{in: since(v030), name: "LOG", value: "{log}"},
	{in: since(v042), name: "BIND_TIMEOUT", value: "{timeout}"},
	{in: always(), name: "CONTROL_URL", value: "tcp://{host}:{api}"},
	{in: always(), name: "CONTROL_LISTENER", value: "tcp://0.0.0.0:{control}"},
	{in: since(v040), name: "METRICS_LISTENER", value: "tcp://0.0.0.0:{metrics}"},
	{in: always(), name: "PRIVATE_LISTENER", value: "tcp://127.0.0.1:{outbound}"},
	{in: always(), name: "PUBLIC_LISTENER", value: "tcp://0.0.0.0:{inbound}"},
	{in: before(v040), name: "NODE_NAME", field: "spec.nodeName"},
	{in: before(v040), name: "POD_NAME", field: "metadata.name"},
	{in: always(), name: "POD_NAMESPACE", field: "metadata.namespace"},
	{in: between(v011, v031), name: "DESTINATIONS_AUTOCOMPLETE_FQDN", value: "Kubernetes"},

	{in: since(v050), tls: true, name: "TLS_TRUST_ANCHORS", value: "/var/{mesh}-io/trust-anchors/trust-anchors.pem"},
	{in: since(v050), tls: true, name: "TLS_CERT", value: "/var/{mesh}-io/identity/certificate.crt"},
	{in: since(v050), tls: true, name: "TLS_PRIVATE_KEY", value: "/var/{mesh}-io/identity/private-key.p8"},
	// The dollar sign is meant literally: the proxy fills in the namespace.
	{in: since(v050), tls: true, name: "TLS_POD_IDENTITY", value: "{name}.{kind}.${X}POD_NAMESPACE.{mesh}-managed.{ns}.svc.cluster.local"},
	{in: since(v050), tls: true, name: "CONTROLLER_NAMESPACE", value: "{ns}"},
	{in: since(v050), tls: true, name: "TLS_CONTROLLER_IDENTITY", value: "controller.deployment.{ns}.{mesh}-managed.{ns}.svc.cluster.local"},
}

// controlHosts are where the control plane's own Deployment finds the control
// plane; every other workload goes through the service.
var controlHosts = [...]struct {
	in   span
	host string
}{
	{between(v031, v050), "localhost"},
	{since(v050), "localhost."},
}

// argument is a flag of the init container. One without a value is not given.
type argument struct {
	in          span
	flag, value string
}

var arguments = [...]argument{
	{before(v011), "-p", "{inbound}"},
	{before(v011), "-o", "{outbound}"},
	{before(v011), "-i", "{skipInbound}"},
	{before(v011), "-u", "{uid}"},
	{since(v011), "--incoming-proxy-port", "{inbound}"},
	{since(v011), "--outgoing-proxy-port", "{outbound}"},
	{since(v011), "--proxy-uid", "{uid}"},
	{since(v011), "--inbound-ports-to-ignore", "{skipInbound}"},
	{since(v011), "--outbound-ports-to-ignore", "{skipOutbound}"},
}

// volume is mounted by the proxy and added to the pod, only with tls.
type volume struct {
	name, path        string
	configMap, secret string // one of the two
}

var volumes = [...]volume{
	{name: "{mesh}-trust-anchors", path: "/var/{mesh}-io/trust-anchors", configMap: "{mesh}-ca-bundle"},
	{name: "{mesh}-secrets", path: "/var/{mesh}-io/identity", secret: "{name}-{kind}-tls-{mesh}-io"},
}

// hasMetrics tells whether the proxy listens for scrapes.
func (r release) hasMetrics() bool           { return r >= v040 }
func (r release) hasTerminationPolicy() bool { return r >= v044 }
func (r release) hasProbes() bool            { return r >= v1883 }

// sidecars are the proxies beside which no other one can work, by the names
// and images that v18.9.1 knows, and Conduit's own.
var sidecars = [...]struct {
	title          string
	proxies, inits []string // container names
	images         []string // repositories
}{
	{
		"Conduit",
		[]string{"conduit-proxy"},
		[]string{"conduit-init"},
		[]string{"gcr.io/runconduit/proxy", "gcr.io/runconduit/proxy-init"},
	},
	{
		"Linkerd",
		[]string{"linkerd-proxy"},
		[]string{"linkerd-init"},
		[]string{"gcr.io/linkerd-io/proxy", "gcr.io/linkerd-io/proxy-init"},
	},
	{
		"Istio",
		[]string{"istio-proxy"},
		[]string{"istio-init"},
		[]string{"gcr.io/istio-release/proxyv2", "gcr.io/istio-release/proxy_init"},
	},
	{"Contour", []string{"contour"}, nil, []string{"gcr.io/heptio-images/contour"}},
	{"Envoy", []string{"envoy"}, []string{"envoy-initconfig"}, []string{"docker.io/envoyproxy/envoy-alpine"}},
}
