package buildenv

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// probed is the C program with which Go's linker asks a C compiler whether it
// knows a flag.
const probed = "trivial.c"

// shortcut is a C compiler that answers such questions with no, and is the real
// one otherwise. For a plugin the linker asks three times, about flags that
// matter to nobody here: an identity of the build, warnings of clang, and how
// to compress what is not there. Each answer would cost as much as the link
// itself.
const shortcut = `#!/bin/sh
for last; do :; done
case $last in */` + probed + `) exit 1 ;; esac
exec %s "$@"
`

// linkWith is the C compiler for Go's linker.
func (e *Env) linkWith() string {
	name := e.found().compilerOfC()
	compiler, err := lookPath(e.environ, name)
	if filepath.IsAbs(name) {
		compiler, err = name, nil
	}
	if err != nil || e.host.goos != "linux" || e.host.goarch != "amd64" && e.host.goarch != "arm64" {
		return name
	}
	file := filepath.Join(e.dir, "cc")
	if strings.ContainsAny(file, " \t\n'\"") {
		return name // the linker takes it for a command with arguments
	}
	if _, err := os.Stat(file); err == nil {
		return file
	}
	quoted := "'" + strings.ReplaceAll(compiler, "'", `'\''`) + "'"
	if os.WriteFile(file, fmt.Appendf(nil, shortcut, quoted), 0o700) != nil {
		return name
	}
	return file
}
