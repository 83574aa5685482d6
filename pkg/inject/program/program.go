// Package program runs pinned programs: injectors, which take objects and give
// them back with a proxy, and generators, which print objects. A pin comes in,
// a Set goes out, and the bytes that ran are the bytes that the pin names.
package program

// MaxSize is how many bytes a download, or a program in an archive, may have.
const MaxSize = 512 << 20

// Tool is the pin of a program.
type Tool struct {
	Name      string // also the program's argv[0]
	Version   string // exact, for instance stable-2.14.10
	Platforms map[string]Artifact
}

// Artifact is where a program for one platform, such as linux/amd64, comes from.
type Artifact struct {
	URL    string // http(s), or a slash path relative to the repository
	SHA256 string // of the downloaded file, in hex
	Member string // path of the program in a .tar.gz or .zip, or its base name if that is unique; empty: the file is the program
}

// Program is a program whose bytes were checked against its pin. It holds
// them in memory, where nobody else can change them, and may be used from many
// goroutines.
type Program struct {
	Tool     string
	Version  string
	Platform string
	SHA256   string // as pinned, in lower case

	data []byte
}
