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

// linkWith is the C compiler for Go's linker, which takes it as it takes CC: a
// command that may have arguments.
func (e *Env) linkWith() string {
	command := e.found().CC
	if e.host.goos != "linux" || e.host.goarch != "amd64" && e.host.goarch != "arm64" || strings.ContainsAny(command, `'"`) {
		return command
	}
	words := strings.Fields(command)
	if len(words) == 0 {
		return command
	}
	compiler, err := lookPath(e.environ, words[0])
	if err != nil {
		return command
	}
	words[0] = compiler // the script may have another PATH
	file := filepath.Join(e.dir, "cc")
	if strings.ContainsAny(file, " \t\n'\"") {
		return command // the linker would take it for one with arguments
	}
	if _, err := os.Stat(file); err == nil {
		return file
	}
	for i, word := range words {
		words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	if os.WriteFile(file, fmt.Appendf(nil, shortcut, strings.Join(words, " ")), 0o700) != nil {
		_ = os.Remove(file) // half of it would do as a compiler, and nothing
		return command
	}
	return file
}
