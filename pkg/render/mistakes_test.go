package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// web is a base that the mistakes are made with.
const web = `
-- app/web.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: web}]}}}
-- app/settings.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: b}
`

// mistakes are those that people make most often in kustomizations, and what
// they read then.
var mistakes = []struct{ name, archive, want string }{
	{
		"resource is not there",
		"-- app/kustomization.yaml --\nresources:\n- web.yml\n",
		`app/kustomization.yaml:2: "app/web.yml" does not exist
hint: did you mean app/web.yaml?
`,
	},
	{
		"directory is not there",
		"-- app/kustomization.yaml --\nresources:\n- ../bases\n-- base/kustomization.yaml --\nresources: []\n",
		`app/kustomization.yaml:2: "bases" does not exist
hint: did you mean base?
`,
	},
	{
		"directory without kustomization",
		"-- app/kustomization.yaml --\nresources:\n- ../base\n-- base/a.yaml --\na: b\n",
		`app/kustomization.yaml:2: "base" holds no kustomization.yaml
hint: list the directory's files, or add a kustomization.yaml to it
`,
	},
	{
		"resource listed twice",
		"-- app/kustomization.yaml --\nresources: [web.yaml, web.yaml]\n",
		`app/kustomization.yaml:1: Deployment web comes in twice: "web.yaml" brings it once more
hint: list what defines it once, or give one of them another name by namePrefix
`,
	},
	{
		"same object in two files",
		"-- app/kustomization.yaml --\nresources:\n- web.yaml\n- two.yaml\n-- app/two.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
		`app/two.yaml:1: Deployment web is already defined in app/web.yaml:1
hint: keep one of the two
`,
	},
	{
		"same object by two bases",
		"-- app/kustomization.yaml --\nresources: [../a, ../b]\n-- a/kustomization.yaml --\nresources: [../c]\n-- b/kustomization.yaml --\nresources: [../c]\n-- c/kustomization.yaml --\nresources: [s.yaml]\n-- c/s.yaml --\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
		`app/kustomization.yaml:1: Service s comes in twice: "b" brings it once more
hint: list what defines it once, or give one of them another name by namePrefix
`,
	},
	{
		"kustomization listed as a file",
		"-- app/kustomization.yaml --\nresources: [../base/kustomization.yaml]\n-- base/kustomization.yaml --\nresources: []\n",
		`app/kustomization.yaml:1: "base/kustomization.yaml" is a kustomization, not a manifest
hint: list its directory
`,
	},
	{
		"patch file is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- path: patch.yaml\n",
		`app/kustomization.yaml:3: "app/patch.yaml" does not exist
hint: paths count from the kustomization's directory, app
`,
	},
	{
		"patch of what is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- path: patch.yaml\n-- app/patch.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: wbe}\nspec: {replicas: 2}\n",
		`app/patch.yaml:1: the patch of Deployment wbe finds no such object
hint: did you mean Deployment web?
`,
	},
	{
		"inline patch of what is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: wbe}\n",
		`app/kustomization.yaml:4: the patch of Deployment wbe finds no such object
hint: did you mean Deployment web?
`,
	},
	{
		"patch in another version",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- path: patch.yaml\n-- app/patch.yaml --\napiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: web}\n",
		`app/patch.yaml:1: the patch of Deployment web finds no such object
hint: apiVersion and namespace have to be those of app/web.yaml:1, too
`,
	},
	{
		"patch without a name",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- path: patch.yaml\n-- app/patch.yaml --\napiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 2}\n",
		`app/patch.yaml:1: the patch has no metadata.name
hint: a patch names its object by apiVersion, kind and metadata.name, also beside a target
`,
	},
	{
		"patch without a kind",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- path: patch.yaml\n-- app/patch.yaml --\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {replicas: 2}\n",
		`app/patch.yaml:1: the patch has no kind
hint: a patch names its object by apiVersion, kind and metadata.name, also beside a target
`,
	},
	{
		"operations without a target",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- patch: |-\n    - op: add\n      path: /spec/replicas\n      value: 2\n",
		`app/kustomization.yaml:3: operations need a target, this patch has none
hint: write beside it which objects are meant, for instance target: {kind: Deployment, name: web}
`,
	},
	{
		"operation on a path that is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: replace\n      path: /spec/template/spec/containers/3/image\n      value: s3cr3t-value\n",
		`app/kustomization.yaml:5: operation replace of /spec/template/spec/containers/3/image does not fit the object
hint: the path has to be there; operation add makes its last part
`,
	},
	{
		"operation removes what is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n  path: ops.yaml\n-- app/ops.yaml --\n- op: remove\n  path: /metadata/annotations/foo\n",
		`app/ops.yaml:1: operation remove of /metadata/annotations/foo does not fit the object
hint: the path has to be there; operation add makes its last part
`,
	},
	{
		"operation of no kind",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: set\n      path: /spec/replicas\n      value: 2\n",
		`app/kustomization.yaml:5: "set" is no operation
hint: operations are add, remove, replace, move, copy and test
`,
	},
	{
		"operations in flow form",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n  patch: '[{op: add, path: /spec/replicas, value: 2}]'\n",
		`app/kustomization.yaml:4: the patch begins with [ and is not JSON
hint: write each operation on a line of its own, behind a dash
`,
	},
	{
		"patch and path",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- path: patch.yaml\n  patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n-- app/patch.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
		`app/kustomization.yaml:3: the entry has both patch and path
hint: keep one of the two
`,
	},
	{
		"neither patch nor path",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- target: {kind: Deployment}\n",
		`app/kustomization.yaml:3: the entry has neither patch nor path
hint: write the patch under patch, or name its file under path
`,
	},
	{
		"target is no regular expression",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatches:\n- target: {kind: Deployment, name: '*web'}\n  patch: |-\n    - op: add\n      path: /spec/replicas\n      value: 2\n",
		`app/kustomization.yaml:3: target.name "*web" is not a regular expression: missing argument to repetition operator
hint: it is matched as one: any text is .*
`,
	},
	{
		"strategic merge of what is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\npatchesStrategicMerge:\n- patch.yaml\n-- app/patch.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: wbe}\n",
		`app/patch.yaml:1: the patch of Deployment wbe finds no such object
hint: did you mean Deployment web?
`,
	},
	{
		"file of a ConfigMap is not there",
		"-- app/kustomization.yaml --\nconfigMapGenerator:\n- name: c\n  files: [app.properties]\n",
		`app/kustomization.yaml:3: "app/app.properties" does not exist
hint: paths count from the kustomization's directory, app
`,
	},
	{
		"env file of a ConfigMap is not there",
		"-- app/kustomization.yaml --\nconfigMapGenerator:\n- name: c\n  envs: [.env]\n",
		`app/kustomization.yaml:3: "app/.env" does not exist
hint: paths count from the kustomization's directory, app
`,
	},
	{
		"literal without a value",
		"-- app/kustomization.yaml --\nconfigMapGenerator:\n- name: c\n  literals: [A]\n",
		`app/kustomization.yaml:3: a literal of configMapGenerator is not of the form key=value
hint: write KEY=value, with nothing behind = for an empty one
`,
	},
	{
		"key given twice",
		"-- app/kustomization.yaml --\nconfigMapGenerator:\n- name: c\n  literals: [A=1, A=2]\n",
		`app/kustomization.yaml:2: configMap c has the key "A" twice
hint: its literals, files and envs may give each key once
`,
	},
	{
		"generator without a name",
		"-- app/kustomization.yaml --\nconfigMapGenerator:\n- literals: [A=1]\n",
		`app/kustomization.yaml:2: an entry of configMapGenerator has no name
hint: add name:
`,
	},
	{
		"generated twice",
		"-- app/kustomization.yaml --\nconfigMapGenerator:\n- {name: c, literals: [A=1]}\n- {name: c, literals: [B=1]}\n",
		`app/kustomization.yaml:3: ConfigMap c is there already, it cannot be generated once more
hint: choose another name, or say what is meant: behavior: merge or behavior: replace
`,
	},
	{
		"generated and listed",
		"-- app/kustomization.yaml --\nresources: [settings.yaml]\nconfigMapGenerator:\n- {name: settings, literals: [A=1]}\n",
		`app/kustomization.yaml:3: ConfigMap settings is there already, it cannot be generated once more
hint: choose another name, or say what is meant: behavior: merge or behavior: replace
`,
	},
	{
		"merge with what is not there",
		"-- app/kustomization.yaml --\nconfigMapGenerator:\n- {name: c, behavior: merge, literals: [A=1]}\n",
		`app/kustomization.yaml:2: there is no ConfigMap c to change
hint: take the behavior out, or name one that a base generates
`,
	},
	{
		"images entry is text",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\nimages:\n- web:2\n",
		`app/kustomization.yaml:3: images[0] has to be a mapping
`,
	},
	{
		"images tag is a number",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\nimages:\n- name: web\n  newTag: 1.10\n",
		`app/kustomization.yaml:4: images[0].newTag has to be text
hint: put the value between quotes
`,
	},
	{
		"images key misspelt",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\nimages:\n- name: web\n  tag: v2\n",
		`app/kustomization.yaml:4: unknown field "images[0].tag"
hint: known fields: digest, name, newName, newTag, tagSuffix
`,
	},
	{
		"replicas of what is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\nreplicas:\n- {name: wbe, count: 2}\n",
		`app/kustomization.yaml:3: replicas names "wbe", which is no Deployment, StatefulSet, ReplicaSet or ReplicationController of the build
hint: the name is that of the resource, before a prefix is added
`,
	},
	{
		"source of a replacement is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: gone, fieldPath: data.a}\n  targets: [{select: {kind: Deployment}, fieldPaths: [spec.x]}]\n",
		`app/kustomization.yaml:3: the source of the replacement, ConfigMap gone, is not in the build
hint: kind and name have to be those of a resource, as they are before this kustomization changes them
`,
	},
	{
		"source field of a replacement is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml, settings.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.gone}\n  targets: [{select: {kind: Deployment}, fieldPaths: [spec.x]}]\n",
		`app/kustomization.yaml:3: the source of the replacement, ConfigMap settings, has no field data.gone
hint: name one that it has, with dots between the parts: data.key
`,
	},
	{
		"target field of a replacement is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml, settings.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.a}\n  targets: [{select: {kind: Deployment}, fieldPaths: [spec.template.spec.containers.0.env.0.value]}]\n",
		`app/kustomization.yaml:3: the target of the replacement has no field spec.template.spec.containers.0.env.0.value
hint: options: {create: true} makes it where only its last part is missing
`,
	},
	{
		"sources of a replacement are two",
		"-- app/kustomization.yaml --\nresources: [settings.yaml]\nconfigMapGenerator: [{name: c}]\nreplacements:\n- source: {kind: ConfigMap, fieldPath: data.a}\n  targets: [{select: {kind: Deployment}, fieldPaths: [spec.x]}]\n",
		`app/kustomization.yaml:4: the source of the replacement, ConfigMap, is more than one object
hint: name the one: name, namespace
`,
	},
	{
		"component as resource",
		"-- app/kustomization.yaml --\nresources: [web.yaml, ../c]\n-- c/kustomization.yaml --\napiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages: [{name: web, newTag: v2}]\n",
		`app/kustomization.yaml:1: "c" is a Component
hint: list it under components
`,
	},
	{
		"kustomization does nothing",
		"-- app/kustomization.yaml --\nresources: [web.yaml, ../c]\n-- c/kustomization.yaml --\nkind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n",
		`c/kustomization.yaml: does nothing: it lists no resource and changes none
hint: add what it is for, or take it off the lists
`,
	},
	{
		"two objects by one namespace",
		"-- app/kustomization.yaml --\nnamespace: x\nresources: [a.yaml]\n-- app/a.yaml --\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: b}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: c}\n",
		`app/kustomization.yaml:1: one namespace for all makes two objects one: they differ in nothing but their namespaces
hint: give one another name, or build the two namespaces apart
`,
	},
	{
		"kustomization as component",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\ncomponents: [../c]\n-- c/kustomization.yaml --\nresources: []\n",
		`app/kustomization.yaml:2: "c" is no Component
hint: list it under resources, or let its file begin with kind: Component and apiVersion: kustomize.config.k8s.io/v1alpha1
`,
	},
	{
		"cycle",
		"-- app/kustomization.yaml --\nresources: [../c]\n-- c/kustomization.yaml --\nresources:\n- ../app\n",
		`c/kustomization.yaml:2: cycle: app includes c includes app
`,
	},
	{
		"unknown field",
		"-- app/kustomization.yaml --\nresource: [web.yaml]\n",
		`app/kustomization.yaml:1: unknown field "resource"
hint: did you mean "resources"?
`,
	},
	{
		"field of the wrong type",
		"-- app/kustomization.yaml --\nresources: web.yaml\n",
		`app/kustomization.yaml:1: resources has to be a list
hint: write each entry on a line of its own, behind a dash
`,
	},
	{
		"file above",
		"-- app/kustomization.yaml --\nresources: [../other/web.yaml]\n-- other/web.yaml --\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
		`app/kustomization.yaml:1: "other/web.yaml" lies outside of the kustomization's directory "app"
hint: kustomize reads files from its own directory only: move the file, or make its directory a base
`,
	},
	{
		"values file as a resource",
		"-- app/kustomization.yaml --\nresources: [values.yaml]\n-- app/values.yaml --\nreplicas: 2\n",
		`app/values.yaml:1: no kind
hint: resources are whole Kubernetes objects; what changes one is listed under patches
app/values.yaml:1: no metadata.name
hint: resources are whole Kubernetes objects; what changes one is listed under patches
`,
	},
	{
		"resource without a name of its own",
		"-- app/kustomization.yaml --\nresources: [job.yaml]\n-- app/job.yaml --\napiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: once-\n",
		`app/job.yaml:4: generateName makes a new object at every apply
hint: give the object a metadata.name
`,
	},
	{
		"variable that is not there",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\nvars:\n- {name: V, objref: {kind: Service, name: gone, apiVersion: v1}}\n",
		`app/kustomization.yaml:3: the variable V is of a Service that is not in the build
hint: its objref has to name a resource
`,
	},
	{
		"label that none can be",
		"-- app/kustomization.yaml --\nresources: [web.yaml]\nlabels:\n- pairs: {a: 1}\n",
		`app/kustomization.yaml:3: labels[0].pairs.a has to be text
hint: put the value between quotes
`,
	},
	{
		"two things wrong",
		"-- app/kustomization.yaml --\nresource: [web.yaml]\nresources: [gone.yaml]\n",
		`app/kustomization.yaml:1: unknown field "resource"
hint: did you mean "resources"?
app/kustomization.yaml:2: "app/gone.yaml" does not exist
hint: paths count from the kustomization's directory, app
`,
	},
}

func TestMistakes(t *testing.T) {
	p := newPool(t, Limits{})
	for _, m := range mistakes {
		_, err := render(t, p, web+m.archive, "app")
		if err == nil {
			t.Errorf("%s: no finding", m.name)
			continue
		}
		var got strings.Builder
		for _, f := range findings(t, err) {
			got.WriteString(f.Error() + "\n")
			if f.Hint != "" {
				got.WriteString("hint: " + f.Hint + "\n")
			}
		}
		if d := cmp.Diff(m.want, got.String()); d != "" {
			t.Errorf("%s (-want +got)\n%s", m.name, d)
		}
	}
}

// What is said of a Secret names keys, never values.
func TestMistakesHideSecrets(t *testing.T) {
	p := newPool(t, Limits{})
	for _, body := range []string{
		"secretGenerator:\n- name: s\n  literals: [hunter2]\n",
		"secretGenerator:\n- name: s\n  literals: ['=hunter2']\n",
		"secretGenerator:\n- name: s\n  literals: [A=hunter2, A=hunter2]\n",
		"secretGenerator:\n- {name: s, literals: [A=hunter2]}\n- {name: s, literals: [A=hunter2]}\n",
		"secretGenerator:\n- {name: s, behavior: replace, literals: [A=hunter2]}\n",
		"resources: [s.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |-\n    - {op: test, path: /data/a, value: hunter2}\n",
		"resources: [s.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |-\n    - {op: add, path: /data/b/c, value: hunter2}\n",
		"resources: [s.yaml, t.yaml]\n",
		"resources: [s.yaml]\npatches:\n- patch: '{apiVersion: v1, kind: Secret, stringData: {a: hunter2}}'\n",
		"resources: [s.yaml]\npatches:\n- patch: '{apiVersion: v1, kind: Secret, metadata: {name: x}, stringData: {a: hunter2}}'\n",
		"resources: [s.yaml]\npatchesStrategicMerge:\n- '{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: [hunter2]}'\n",
		"resources: [s.yaml]\nreplacements:\n- source: {kind: Secret, name: s, fieldPath: stringData.a.b}\n  targets: [{select: {kind: Secret}, fieldPaths: [data.b]}]\n",
	} {
		secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: hunter2}\ndata: {a: aHVudGVyMg==}\n"
		_, err := render(t, p, "-- app/s.yaml --\n"+secret+"-- app/t.yaml --\n"+secret+"-- app/kustomization.yaml --\n"+body, "app")
		if err == nil {
			t.Errorf("no finding: %s", body)
			continue
		}
		for _, f := range findings(t, err) {
			if all := f.Text + f.Hint; strings.Contains(all, "hunter2") || strings.Contains(all, "aHVudGVyMg") {
				t.Errorf("shows a value: %s", all)
			}
		}
	}
}
