package render

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// apps gives a repository of bases of ten objects with three overlays each.
func apps(n int) (archive string, dirs []string) {
	var b strings.Builder
	for i := range n {
		app := fmt.Sprintf("app%d", i)
		b.WriteString("-- " + app + "/base/kustomization.yaml --\nresources: [all.yaml]\nlabels: [{pairs: {app: " + app + "}, includeSelectors: true}]\n")
		b.WriteString("-- " + app + "/base/all.yaml --\n")
		for j := range 8 {
			kind := []string{"ConfigMap", "ServiceAccount", "Secret"}[j%3]
			fmt.Fprintf(&b, "apiVersion: v1\nkind: %s\nmetadata:\n  name: o%d\n---\n", kind, j)
		}
		b.WriteString("apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n  - {name: http, port: 80, targetPort: 8080}\n---\n")
		b.WriteString("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - name: web\n        image: web\n        ports: [{containerPort: 8080}]\n        resources: {limits: {cpu: 100m, memory: 64Mi}}\n        env: [{name: A, value: b}]\n")
		for _, env := range []string{"dev", "staging", "production"} {
			dir := app + "/" + env
			dirs = append(dirs, dir)
			b.WriteString("-- " + dir + "/kustomization.yaml --\nnamespace: " + env + "\nresources: [../base]\nimages: [{name: web, newTag: \"1\"}]\npatches: [{path: p.yaml}]\nconfigMapGenerator: [{name: g, literals: [a=b]}]\n")
			b.WriteString("-- " + dir + "/p.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3, template: {spec: {containers: [{name: web, env: [{name: B, value: c}]}]}}}\n")
		}
	}
	return b.String(), dirs
}

func BenchmarkOverlays(b *testing.B) {
	archive, dirs := apps(50)
	p := newPool(b, Limits{})
	for b.Loop() {
		fs := memory(archive)
		var wg sync.WaitGroup
		next := make(chan string)
		for range 2 {
			wg.Go(func() {
				for dir := range next {
					if _, err := p.Render(b.Context(), fs, entries(dir)); err != nil {
						b.Error(err)
					}
				}
			})
		}
		for _, dir := range dirs {
			next <- dir
		}
		close(next)
		wg.Wait()
	}
	b.ReportMetric(float64(len(dirs)), "builds")
}
