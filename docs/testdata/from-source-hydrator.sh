# A repository as the Source Hydrator leaves it: a dry branch, and a branch an
# environment with the hydrated file of each application.
git init -q
mkdir -p web/base web/overlays/dev web/overlays/prod
cat > web/base/deployment.yaml <<'Y'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example/web:v1"}]}
Y
echo 'resources: [deployment.yaml]' > web/base/kustomization.yaml
echo 'resources: [../../base]' > web/overlays/dev/kustomization.yaml
printf 'resources: [../../base]\nreplicas: [{name: web, count: 3}]\n' > web/overlays/prod/kustomization.yaml
git add . && git commit -qm "Serve the shop"
dry=$(git rev-parse HEAD)
for e in dev prod; do
  git checkout -q --orphan environments/$e && git rm -qrf .
  mkdir web
  if [ $e = prod ]; then replicas='  replicas: 3
'; fi
  cat > web/manifest.yaml <<Y
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
${replicas}  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - image: registry.example/web:v1
        name: web
Y
  printf '{\n  "commands": ["kustomize build web/overlays/%s"],\n  "drySha": "%s"\n}\n' $e $dry > web/hydrator.metadata
  printf '{\n  "drySha": "%s"\n}\n' $dry > hydrator.metadata
  echo "# Manifest Hydration" > web/README.md
  git add . && git commit -qm "Hydrate $e"
done
git checkout -q main
