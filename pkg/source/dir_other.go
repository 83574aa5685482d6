//go:build !unix

package source

// openFlags is empty where files cannot be fifos; os.Root keeps links inside the root.
const openFlags = 0
