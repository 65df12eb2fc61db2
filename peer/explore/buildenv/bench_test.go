package buildenv_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkLine is what compiling and linking one line takes when everything
// that it imports is there.
func BenchmarkLine(b *testing.B) {
	e := newLab(b, true).open(b)
	if err := e.Load(b.Context(), "fmt", "example.com/dep", "example.com/host/live"); err != nil {
		b.Fatal(err)
	}
	line(b, e, "repl/s1", first)
	n := 1
	for b.Loop() {
		n++
		line(b, e, fmt.Sprintf("repl/s%d", n), second)
	}
}

// BenchmarkGoBuild is go build for a plugin with the same line, to compare.
func BenchmarkGoBuild(b *testing.B) {
	l := newLab(b, true)
	dir := filepath.Join(l.source, "line")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		write(b, filepath.Join(dir, "line.go"), fmt.Appendf(nil, "package main\n\nimport (\n\t\"fmt\"\n\t\"example.com/host/live\"\n)\n\nvar X = %d\n\nfunc init() { live.Register(func() { fmt.Println(\"x\", X) }) }\n\nfunc main() {}\n", n))
		l.tool(b, dir, "build", "-buildmode=plugin", "-ldflags=-s -w", "-o", filepath.Join(dir, "line.so"), ".")
	}
}
