package conduit

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// familyWords fills in what only a family's name is needed for.
func familyWords(f family) *strings.Replacer {
	return strings.NewReplacer("{mesh}", f.mesh)
}

// words fills in what stands in braces in the tables.
func (in *Injector) words(l *workload) *strings.Replacer {
	s, f := in.settings, in.release.family()
	skip := append(append([]uint32(nil), s.skipInbound...), s.control)
	if in.release.hasMetrics() {
		skip = append(skip, s.metrics)
	}
	port := func(p uint32) string { return strconv.FormatUint(uint64(p), 10) }
	return strings.NewReplacer(
		"{mesh}", f.mesh, "{X}", f.env, "{version}", in.release.String(), "{tag}", s.tag, "{ns}", s.namespace,
		"{name}", l.name, "{kind}", strings.ToLower(l.kind), "{host}", in.controlHost(l),
		"{inbound}", port(s.inbound), "{outbound}", port(s.outbound),
		"{control}", port(s.control), "{api}", port(s.api), "{metrics}", port(s.metrics),
		"{skipInbound}", joinPorts(skip), "{skipOutbound}", joinPorts(s.skipOutbound),
		"{uid}", strconv.FormatInt(s.uid, 10), "{log}", s.logLevel, "{timeout}", s.bindTimeout,
	)
}

func (in *Injector) controlHost(l *workload) string {
	if l.kind == "Deployment" && l.name == "controller" && l.namespace == in.settings.namespace {
		for _, h := range controlHosts {
			if h.in.has(in.release) {
				return h.host
			}
		}
	}
	return "proxy-api." + in.settings.namespace + ".svc.cluster.local"
}

// marks gives the rows that are for a workload, filled in.
func (in *Injector) marks(l *workload, rows []mark) []mark {
	words := in.words(l)
	var out []mark
	for _, m := range rows {
		if m.in.has(in.release) && (m.kind == "" || m.kind == l.kind) {
			m.key, m.value = words.Replace(m.key), words.Replace(m.value)
			out = append(out, m)
		}
	}
	return out
}

// add puts everything into a pod that carries no proxy. A label or annotation
// of the user's that a release overwrites moves to the end, as it would be if
// it had not been there: so that injecting again finds nothing to move.
func (in *Injector) add(l *workload) {
	for _, part := range []struct {
		name string
		rows []mark
	}{{"annotations", annotations[:]}, {"labels", labels[:]}} {
		meta := collection(l.host, "metadata", yaml.MappingNode)
		m := collection(meta, part.name, yaml.MappingNode)
		owner, _ := entry(meta, part.name)
		for _, k := range in.marks(l, part.rows) {
			drop(owner, m, k.key)
			m.Content = append(m.Content, str(k.key), str(k.value))
		}
	}
	words := in.words(l)
	appendTo(l.spec, "containers", in.sidecar(words))
	appendTo(l.spec, "initContainers", in.initContainer(words))
	if in.settings.tls {
		for _, v := range volumes {
			appendTo(l.spec, "volumes", v.node(words))
		}
	}
}

func appendTo(spec *yaml.Node, name string, item *yaml.Node) {
	n := collection(spec, name, yaml.SequenceNode)
	n.Content = append(n.Content, item)
}

func (in *Injector) sidecar(words *strings.Replacer) *yaml.Node {
	s, f := in.settings, in.release.family()
	return object(
		field{"name", str(f.proxy())},
		field{"image", str(s.proxyImage + ":" + s.tag)},
		field{"imagePullPolicy", str(s.pullPolicy)},
		field{"ports", in.ports(words)},
		field{"env", in.env(words)},
		field{"readinessProbe", in.probe()},
		field{"livenessProbe", in.probe()},
		field{"securityContext", object(field{"runAsUser", number(s.uid)})},
		field{"terminationMessagePolicy", in.terminationPolicy()},
		field{"volumeMounts", in.mounts(words)},
	)
}

func (in *Injector) initContainer(words *strings.Replacer) *yaml.Node {
	s, f := in.settings, in.release.family()
	args := list()
	for _, a := range arguments {
		if value := words.Replace(a.value); a.in.has(in.release) && value != "" {
			args.Content = append(args.Content, str(a.flag), str(value))
		}
	}
	return object(
		field{"name", str(f.init())},
		field{"image", str(s.initImage + ":" + s.tag)},
		field{"imagePullPolicy", str(s.pullPolicy)},
		field{"args", args},
		field{"securityContext", object(
			field{"capabilities", object(field{"add", list(str("NET_ADMIN"))})},
			field{"privileged", boolean(false)},
		)},
		field{"terminationMessagePolicy", in.terminationPolicy()},
	)
}

func (in *Injector) ports(words *strings.Replacer) *yaml.Node {
	out := list()
	for _, p := range ports {
		if p.in.has(in.release) {
			n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: words.Replace(p.number)}
			out.Content = append(out.Content, object(field{"containerPort", n}, field{"name", str(words.Replace(p.name))}))
		}
	}
	return out
}

func (in *Injector) env(words *strings.Replacer) *yaml.Node {
	out := list()
	for _, v := range variables {
		if !v.in.has(in.release) || v.tls && !in.settings.tls {
			continue
		}
		entry := object(field{"name", str(in.release.family().env + v.name)})
		if v.field != "" {
			ref := object(field{"fieldPath", str(v.field)})
			entry.Content = append(entry.Content, str("valueFrom"), object(field{"fieldRef", ref}))
		} else {
			entry.Content = append(entry.Content, str("value"), str(words.Replace(v.value)))
		}
		out.Content = append(out.Content, entry)
	}
	return out
}

func (in *Injector) probe() *yaml.Node {
	if !in.release.hasProbes() {
		return nil
	}
	return object(
		field{"httpGet", object(
			field{"path", str("/metrics")},
			field{"port", number(int64(in.settings.metrics))},
		)},
		field{"initialDelaySeconds", number(10)},
	)
}

func (in *Injector) terminationPolicy() *yaml.Node {
	if !in.release.hasTerminationPolicy() {
		return nil
	}
	return str("FallbackToLogsOnError")
}

func (in *Injector) mounts(words *strings.Replacer) *yaml.Node {
	if !in.settings.tls {
		return nil
	}
	out := list()
	for _, v := range volumes {
		out.Content = append(out.Content, object(
			field{"name", str(words.Replace(v.name))},
			field{"mountPath", str(words.Replace(v.path))},
			field{"readOnly", boolean(true)},
		))
	}
	return out
}

func (v volume) node(words *strings.Replacer) *yaml.Node {
	out := object(field{"name", str(words.Replace(v.name))})
	if v.configMap != "" {
		out.Content = append(out.Content, str("configMap"), object(
			field{"name", str(words.Replace(v.configMap))}, field{"optional", boolean(true)}))
	} else {
		out.Content = append(out.Content, str("secret"), object(
			field{"secretName", str(words.Replace(v.secret))}, field{"optional", boolean(true)}))
	}
	return out
}
