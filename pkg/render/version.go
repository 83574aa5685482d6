package render

// KustomizeVersion is the version of the kustomize library that renders; a
// test holds it against go.mod.
const KustomizeVersion = "v0.21.2"
