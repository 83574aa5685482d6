package config

// Validate says what the objects are checked against before anything is
// written.
type Validate struct {
	Kubernetes string   `yaml:"kubernetes"` // the clusters' release, as in "1.33"; none checks nothing; empty: what every known release would refuse
	CRDs       []string `yaml:"crds"`       // files, directories and patterns with definitions that are not part of the output
}

// validate checks what stands under validate. Whether a release is known is
// for those who have the schemas.
func (k *checker) validate() {
	if k.Validate == nil {
		return
	}
	for i, p := range k.Validate.CRDs {
		k.path(index("validate.crds", i), p)
	}
	if k.Validate.Kubernetes == "none" && len(k.Validate.CRDs) > 0 {
		k.add("validate.crds", "validate.crds goes with a check, and validate.kubernetes is none", "delete one of the two")
	}
}

// Definitions gives the paths of validate.crds as an environment has them.
func (c *Config) Definitions(e Environment) []Path {
	if c.Validate == nil {
		return nil
	}
	return c.top().paths("validate.crds", c.Validate.CRDs, e)
}
