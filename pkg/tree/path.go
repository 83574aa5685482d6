package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"

	"github.com/sluice-dev/sluice/pkg/manifest"
)

// maxComponent is the longest file or directory name, in bytes: every file
// system in use holds it, with room for what tools append.
const maxComponent = 200

// devices are names that Windows keeps for devices, with any extension.
var devices = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true,
	"com0": true, "com1": true, "com2": true, "com3": true, "com4": true, "com5": true, "com6": true, "com7": true, "com8": true, "com9": true,
	"lpt0": true, "lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true, "lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}

// ObjectPath is the file of an object inside its app's directory:
// [<namespace>/]<kind>[.<group>]-<name>.yaml. Names that differ give paths
// that differ on case-insensitive file systems too.
func ObjectPath(id manifest.ID) string {
	kind := strings.ToLower(id.Kind)
	if !manifest.OwnGroup(id.Group) {
		kind += "." + id.Group
	}
	file := component(kind+"-"+id.Name, ".yaml")
	if id.Namespace == "" {
		return file
	}
	return path.Join(component(id.Namespace, ""), file)
}

// component writes a name as one element of a path: bytes outside a-z 0-9 . -
// as %XX, a device's name with its first byte so, a long one cut and marked
// with a hash of the whole.
func component(name, extension string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	out := b.String()
	if stem, _, _ := strings.Cut(out, "."); devices[stem] {
		out = fmt.Sprintf("%%%02X", out[0]) + out[1:]
	}
	if len(out)+len(extension) > maxComponent {
		sum := sha256.Sum256([]byte(out))
		mark := "-" + hex.EncodeToString(sum[:8])
		out = out[:maxComponent-len(extension)-len(mark)] + mark
	}
	return out + extension
}
