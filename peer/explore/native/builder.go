package native

import "context"

// Builder builds packages for this very binary: same Go version, same flags,
// same versions of every package.
type Builder interface {
	// Load makes packages known with all that they import, so that Export,
	// Compile and Link find them. It may take seconds the first time; what is
	// known already costs nothing. The error is one line that says what to do.
	Load(ctx context.Context, importPaths ...string) error

	// Export names the file with the export data of a package, as
	// check.Packages says.
	Export(importPath string) (file string, err error)

	// Compile makes the archive out from Go files that form the package
	// pkgPath. Its imports are loaded packages, or packages compiled before.
	// The error holds the compiler's messages, one a line.
	Compile(ctx context.Context, pkgPath, out string, files []string) error

	// Link makes the plugin out from an archive that Compile made.
	Link(ctx context.Context, archive, out string) error

	// Dir is the directory where the session keeps its files. It exists, and
	// whoever made the Builder removes it.
	Dir() string
}
