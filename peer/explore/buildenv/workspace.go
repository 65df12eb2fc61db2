package buildenv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// scratchModule is the module of a session: it requires what the binary has,
// and what was imported since.
const scratchModule = "peerlab.session/scratch"

func (e *Env) workFile() string   { return filepath.Join(e.dir, "go.work") }
func (e *Env) scratchDir() string { return filepath.Join(e.dir, "scratch") }

// prepare writes the workspace of the session, once. The caller has the turn.
func (e *Env) prepare(ctx context.Context) error {
	e.mu.Lock()
	ready := e.ready
	e.mu.Unlock()
	if ready {
		return nil
	}
	if err := e.blocked(ctx); err != nil {
		return err
	}
	if err := e.writeWorkspace(); err != nil {
		return fmt.Errorf("workspace for compiled Go: %w", err)
	}
	e.mu.Lock()
	e.ready = true
	e.mu.Unlock()
	return nil
}

// writeWorkspace resolves imports as the binary's build did. A binary that was
// built from a directory keeps that directory as a main module, so that the
// replacements there hold; one that was installed by version is required.
func (e *Env) writeWorkspace() error {
	if err := os.MkdirAll(e.scratchDir(), 0o700); err != nil {
		return err
	}
	version := strings.TrimPrefix(e.host.version, "go")
	var work, mod strings.Builder
	fmt.Fprintf(&work, "go %s\n\nuse ./scratch\n", version)
	fmt.Fprintf(&mod, "module %s\n\ngo %s\n", scratchModule, version)
	if e.host.installed() {
		fmt.Fprintf(&mod, "\nrequire %s %s\n", e.host.main.Path, e.host.main.Version)
	} else {
		fmt.Fprintf(&work, "use %q\n", e.source)
	}
	for _, m := range e.host.deps {
		fmt.Fprintf(&mod, "\nrequire %s %s\n", m.Path, m.Version)
	}
	return errors.Join(
		os.WriteFile(e.workFile(), []byte(work.String()), 0o600),
		os.WriteFile(filepath.Join(e.scratchDir(), "go.mod"), []byte(mod.String()), 0o600),
		os.WriteFile(filepath.Join(e.scratchDir(), "session.go"), []byte("package scratch\n"), 0o600),
		e.writeSums(),
	)
}

// writeSums lets the workspace know the checksums that the binary was built
// with, so that none has to be asked for.
func (e *Env) writeSums() error {
	if e.host.installed() {
		var sums strings.Builder
		for _, m := range append(e.host.deps, &e.host.main) {
			if m.Sum != "" {
				fmt.Fprintf(&sums, "%s %s %s\n", m.Path, m.Version, m.Sum)
			}
		}
		return os.WriteFile(filepath.Join(e.scratchDir(), "go.sum"), []byte(sums.String()), 0o600)
	}
	return errors.Join(
		copyIfThere(filepath.Join(e.source, "go.sum"), filepath.Join(e.scratchDir(), "go.sum")),
		copyIfThere(filepath.Join(e.source, "go.work.sum"), filepath.Join(e.dir, "go.work.sum")),
	)
}

func copyIfThere(from, to string) error {
	content, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}
