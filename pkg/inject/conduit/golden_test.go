package conduit

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-dev/sluice/pkg/config"
)

const web = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: example/web:1
`

// TestWhole holds what a release adds as a whole; TestSteps holds what differs
// from one release to the next.
func TestWhole(t *testing.T) {
	for _, c := range []struct {
		pin  config.Conduit
		want string
	}{
		{config.Conduit{Version: "v0.1.0"}, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: example/web:1
        - name: conduit-proxy
          image: gcr.io/runconduit/proxy:v0.1.0
          imagePullPolicy: IfNotPresent
          ports:
            - containerPort: 4143
              name: conduit-proxy
          env:
            - name: CONDUIT_PROXY_LOG
              value: trace,h2=debug,mio=info,tokio_core=info
            - name: CONDUIT_PROXY_CONTROL_URL
              value: tcp://proxy-api.conduit.svc.cluster.local:8086
            - name: CONDUIT_PROXY_CONTROL_LISTENER
              value: tcp://0.0.0.0:4190
            - name: CONDUIT_PROXY_PRIVATE_LISTENER
              value: tcp://127.0.0.1:4140
            - name: CONDUIT_PROXY_PUBLIC_LISTENER
              value: tcp://0.0.0.0:4143
            - name: CONDUIT_PROXY_NODE_NAME
              valueFrom:
                fieldRef:
                  fieldPath: spec.nodeName
            - name: CONDUIT_PROXY_POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: CONDUIT_PROXY_POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
          securityContext:
            runAsUser: 2102
      initContainers:
        - name: conduit-init
          image: gcr.io/runconduit/proxy-init:v0.1.0
          imagePullPolicy: IfNotPresent
          args:
            - -p
            - "4143"
            - -o
            - "4140"
            - -i
            - "4190"
            - -u
            - "2102"
          securityContext:
            capabilities:
              add:
                - NET_ADMIN
            privileged: false
    metadata:
      annotations:
        conduit.io/created-by: conduit/cli v0.1.0
        conduit.io/proxy-version: v0.1.0
      labels:
        conduit.io/controller: conduit
        conduit.io/plane: data
`},
		{config.Conduit{Version: "v0.3.1"}, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: example/web:1
        - name: conduit-proxy
          image: gcr.io/runconduit/proxy:v0.3.1
          imagePullPolicy: IfNotPresent
          ports:
            - containerPort: 4143
              name: conduit-proxy
          env:
            - name: CONDUIT_PROXY_LOG
              value: warn,conduit_proxy=info
            - name: CONDUIT_PROXY_CONTROL_URL
              value: tcp://proxy-api.conduit.svc.cluster.local:8086
            - name: CONDUIT_PROXY_CONTROL_LISTENER
              value: tcp://0.0.0.0:4190
            - name: CONDUIT_PROXY_PRIVATE_LISTENER
              value: tcp://127.0.0.1:4140
            - name: CONDUIT_PROXY_PUBLIC_LISTENER
              value: tcp://0.0.0.0:4143
            - name: CONDUIT_PROXY_NODE_NAME
              valueFrom:
                fieldRef:
                  fieldPath: spec.nodeName
            - name: CONDUIT_PROXY_POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: CONDUIT_PROXY_POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
          securityContext:
            runAsUser: 2102
      initContainers:
        - name: conduit-init
          image: gcr.io/runconduit/proxy-init:v0.3.1
          imagePullPolicy: IfNotPresent
          args:
            - --incoming-proxy-port
            - "4143"
            - --outgoing-proxy-port
            - "4140"
            - --proxy-uid
            - "2102"
            - --inbound-ports-to-ignore
            - "4190"
          securityContext:
            capabilities:
              add:
                - NET_ADMIN
            privileged: false
    metadata:
      annotations:
        conduit.io/created-by: conduit/cli v0.3.1
        conduit.io/proxy-version: v0.3.1
      labels:
        conduit.io/control-plane-ns: conduit
`},
		{config.Conduit{Version: "v0.5.0", TLS: ptr("optional")}, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: example/web:1
        - name: conduit-proxy
          image: gcr.io/runconduit/proxy:v0.5.0
          imagePullPolicy: IfNotPresent
          ports:
            - containerPort: 4143
              name: conduit-proxy
            - containerPort: 4191
              name: conduit-metrics
          env:
            - name: CONDUIT_PROXY_LOG
              value: warn,conduit_proxy=info
            - name: CONDUIT_PROXY_BIND_TIMEOUT
              value: 10s
            - name: CONDUIT_PROXY_CONTROL_URL
              value: tcp://proxy-api.conduit.svc.cluster.local:8086
            - name: CONDUIT_PROXY_CONTROL_LISTENER
              value: tcp://0.0.0.0:4190
            - name: CONDUIT_PROXY_METRICS_LISTENER
              value: tcp://0.0.0.0:4191
            - name: CONDUIT_PROXY_PRIVATE_LISTENER
              value: tcp://127.0.0.1:4140
            - name: CONDUIT_PROXY_PUBLIC_LISTENER
              value: tcp://0.0.0.0:4143
            - name: CONDUIT_PROXY_POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            - name: CONDUIT_PROXY_TLS_TRUST_ANCHORS
              value: /var/conduit-io/trust-anchors/trust-anchors.pem
            - name: CONDUIT_PROXY_TLS_CERT
              value: /var/conduit-io/identity/certificate.crt
            - name: CONDUIT_PROXY_TLS_PRIVATE_KEY
              value: /var/conduit-io/identity/private-key.p8
            - name: CONDUIT_PROXY_TLS_POD_IDENTITY
              value: web.deployment.$CONDUIT_PROXY_POD_NAMESPACE.conduit-managed.conduit.svc.cluster.local
            - name: CONDUIT_PROXY_CONTROLLER_NAMESPACE
              value: conduit
            - name: CONDUIT_PROXY_TLS_CONTROLLER_IDENTITY
              value: controller.deployment.conduit.conduit-managed.conduit.svc.cluster.local
          securityContext:
            runAsUser: 2102
          terminationMessagePolicy: FallbackToLogsOnError
          volumeMounts:
            - name: conduit-trust-anchors
              mountPath: /var/conduit-io/trust-anchors
              readOnly: true
            - name: conduit-secrets
              mountPath: /var/conduit-io/identity
              readOnly: true
      initContainers:
        - name: conduit-init
          image: gcr.io/runconduit/proxy-init:v0.5.0
          imagePullPolicy: IfNotPresent
          args:
            - --incoming-proxy-port
            - "4143"
            - --outgoing-proxy-port
            - "4140"
            - --proxy-uid
            - "2102"
            - --inbound-ports-to-ignore
            - 4190,4191
          securityContext:
            capabilities:
              add:
                - NET_ADMIN
            privileged: false
          terminationMessagePolicy: FallbackToLogsOnError
      volumes:
        - name: conduit-trust-anchors
          configMap:
            name: conduit-ca-bundle
            optional: true
        - name: conduit-secrets
          secret:
            secretName: web-deployment-tls-conduit-io
            optional: true
    metadata:
      annotations:
        conduit.io/created-by: conduit/cli v0.5.0
        conduit.io/proxy-version: v0.5.0
      labels:
        conduit.io/control-plane-ns: conduit
        conduit.io/proxy-deployment: web
`},
		{config.Conduit{Version: "v18.9.1"}, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: example/web:1
        - name: linkerd-proxy
          image: gcr.io/linkerd-io/proxy:v18.9.1
          imagePullPolicy: IfNotPresent
          ports:
            - containerPort: 4143
              name: linkerd-proxy
            - containerPort: 4191
              name: linkerd-metrics
          env:
            - name: LINKERD2_PROXY_LOG
              value: warn,linkerd2_proxy=info
            - name: LINKERD2_PROXY_BIND_TIMEOUT
              value: 10s
            - name: LINKERD2_PROXY_CONTROL_URL
              value: tcp://proxy-api.linkerd.svc.cluster.local:8086
            - name: LINKERD2_PROXY_CONTROL_LISTENER
              value: tcp://0.0.0.0:4190
            - name: LINKERD2_PROXY_METRICS_LISTENER
              value: tcp://0.0.0.0:4191
            - name: LINKERD2_PROXY_PRIVATE_LISTENER
              value: tcp://127.0.0.1:4140
            - name: LINKERD2_PROXY_PUBLIC_LISTENER
              value: tcp://0.0.0.0:4143
            - name: LINKERD2_PROXY_POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
          readinessProbe:
            httpGet:
              path: /metrics
              port: 4191
            initialDelaySeconds: 10
          livenessProbe:
            httpGet:
              path: /metrics
              port: 4191
            initialDelaySeconds: 10
          securityContext:
            runAsUser: 2102
          terminationMessagePolicy: FallbackToLogsOnError
      initContainers:
        - name: linkerd-init
          image: gcr.io/linkerd-io/proxy-init:v18.9.1
          imagePullPolicy: IfNotPresent
          args:
            - --incoming-proxy-port
            - "4143"
            - --outgoing-proxy-port
            - "4140"
            - --proxy-uid
            - "2102"
            - --inbound-ports-to-ignore
            - 4190,4191
          securityContext:
            capabilities:
              add:
                - NET_ADMIN
            privileged: false
          terminationMessagePolicy: FallbackToLogsOnError
    metadata:
      annotations:
        linkerd.io/created-by: linkerd/cli v18.9.1
        linkerd.io/proxy-version: v18.9.1
      labels:
        linkerd.io/control-plane-ns: linkerd
        linkerd.io/proxy-deployment: web
`},
	} {
		t.Run(c.pin.Version, func(t *testing.T) {
			got, _ := inject(t, injector(t, c.pin), web)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
