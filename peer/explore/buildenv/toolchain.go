package buildenv

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// toolchain is the Go found on this machine.
type toolchain struct {
	GOVERSION, GOROOT, GOTOOLDIR, GOPROXY, GOCACHE, GOMODCACHE, CC, GOTOOLCHAIN string

	goCommand string // its file
	switchTo  string // the toolchain that the go command is to fetch and run instead, or empty
	gold      bool   // the C compiler finds the gold linker
}

// findTools asks the go command what it is, once. Where it is of another
// version than the binary and may fetch others, it is told to.
func (e *Env) findTools(ctx context.Context) (toolchain, error) {
	t := e.found()
	if t.goCommand != "" {
		return t, nil
	}
	file, err := lookPath(e.environ, "go")
	if err != nil {
		return t, err
	}
	t, err = e.askGo(ctx, file, "")
	if err == nil && t.GOVERSION != e.host.version && t.GOTOOLCHAIN != "local" {
		if other, err := e.askGo(ctx, file, e.host.version); err == nil {
			t = other
		}
	}
	if err != nil {
		return t, err
	}
	_, err = lookPath(e.environ, "ld.gold")
	t.gold = err == nil && e.host.goos == "linux"
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tools = t
	return t, nil
}

// found is the Go that findTools has found; without one it is empty.
func (e *Env) found() toolchain {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tools
}

// askGo runs go env. It runs before the workspace is there, and outside of any.
func (e *Env) askGo(ctx context.Context, file, switchTo string) (toolchain, error) {
	cmd := e.command(ctx, e.dir, file, "env", "-json", "GOVERSION", "GOROOT", "GOTOOLDIR", "GOPROXY", "GOCACHE", "GOMODCACHE", "CC", "GOTOOLCHAIN")
	cmd.Env = append(cmd.Env, "GOWORK=off")
	if switchTo != "" {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+switchTo)
	}
	var t toolchain
	out, err := e.run(ctx, cmd)
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(out, &t); err != nil {
		return t, fmt.Errorf("go env: %w", err)
	}
	t.goCommand, t.switchTo = file, switchTo
	return t, nil
}

// tool is the file of the compiler or the linker.
func (t toolchain) tool(name string) string { return filepath.Join(t.GOTOOLDIR, name) }

// compilerOfC is the first word of CC, which may have arguments.
func (t toolchain) compilerOfC() string {
	name, _, _ := strings.Cut(strings.TrimSpace(t.CC), " ")
	return name
}

// lookPath finds a program on the PATH of an environment, which need not be
// this process's, or by its whole path. The error matches exec.ErrNotFound, or
// is that of the file.
func lookPath(environ []string, name string) (string, error) {
	if filepath.IsAbs(name) {
		return exec.LookPath(name)
	}
	var path string
	for _, v := range environ {
		if p, ok := strings.CutPrefix(v, "PATH="); ok {
			path = p
		}
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if file, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
}
