# A repository as Kargo Render leaves it: a branch an environment, each
# rendered from main.
git init -q
mkdir -p base env/staging env/prod
cat > base/deployment.yaml <<'Y'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: registry.example/web}]}
Y
echo 'resources: [deployment.yaml]' > base/kustomization.yaml
printf 'resources: [../../base]\n' > env/staging/kustomization.yaml
printf 'resources: [../../base]\nreplicas: [{name: web, count: 3}]\n' > env/prod/kustomization.yaml
cat > kargo-render.yaml <<'Y'
configVersion: v1alpha1
branchConfigs:
- name: env/staging
  appConfigs:
    web:
      configManagement:
        path: env/staging
      outputPath: web
- name: env/prod
  appConfigs:
    web:
      configManagement:
        path: env/prod
      outputPath: web
  prs:
    enabled: true
Y
git add . && git commit -qm "Serve the shop"
source=$(git rev-parse HEAD)
for e in staging prod; do
  git checkout -q --orphan env/$e && git rm -qrf .
  mkdir -p web .kargo-render
  replicas=
  if [ $e = prod ]; then replicas='  replicas: 3
'; fi
  cat > web/all.yaml <<Y
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
      - image: registry.example/web:v7
        name: web
Y
  printf 'imageSubstitutions:\n- registry.example/web:v7\nsourceCommit: %s\n' $source > .kargo-render/metadata.yaml
  git add . && git commit -qm "Render $e"
done
git checkout -q main
