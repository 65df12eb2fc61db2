package buildenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// inDirectory tells an import by directory from one by path.
func inDirectory(spec string) bool {
	return spec == "." || spec == ".." || strings.HasPrefix(filepath.ToSlash(spec), "./") || strings.HasPrefix(filepath.ToSlash(spec), "../") || filepath.IsAbs(spec)
}

// importDirectory imports the package in a directory, of a module that somebody
// works on: its module becomes one more of the workspace.
func (e *Env) importDirectory(ctx context.Context, spec string) (Imported, error) {
	dir, err := filepath.Abs(spec)
	if err != nil {
		return Imported{}, fmt.Errorf("import %s: %w", spec, err)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return Imported{}, fmt.Errorf("import %s: %s is no directory", spec, dir)
	}
	root, module := moduleAbove(dir)
	if root == "" {
		return Imported{}, fmt.Errorf("import %s: there is no go.mod in it, or above it: make one with go mod init", spec)
	}
	inside, err := filepath.Rel(root, dir)
	if err != nil {
		return Imported{}, fmt.Errorf("import %s: %w", spec, err)
	}
	got := Imported{ImportPath: path.Join(module, filepath.ToSlash(inside)), Module: module, Dir: root}
	if p, ok := e.Package(got.ImportPath); ok {
		if e.asItWas(p) {
			got.Note = got.ImportPath + " is as it was when it was imported first: restart the peer to have it as it is now"
		}
		return got, nil
	}
	return got, e.use(ctx, got)
}

// use loads a package of a module in a directory. If that fails the workspace
// is as it was.
func (e *Env) use(ctx context.Context, wanted Imported) error {
	release, err := e.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := e.prepare(ctx); err != nil {
		return err
	}
	back, err := e.remember()
	if err != nil {
		return err
	}
	if wanted.Dir != e.source && !e.uses(wanted.Module) {
		err = e.appendWork(fmt.Sprintf("use %q\n", wanted.Dir))
	}
	if err == nil {
		err = e.compare(ctx, wanted.ImportPath)
	}
	if err == nil {
		err = e.loadNow(ctx, []string{wanted.ImportPath})
	}
	if err != nil {
		return errors.Join(err, back())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, again := e.used[wanted.Module]; !again {
		e.used[wanted.Module] = time.Now()
	}
	return nil
}

// uses tells whether a module in a directory is part of the workspace.
func (e *Env) uses(module string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.used[module]
	return ok
}

// asItWas tells whether the source of a package has changed since its module
// was imported by its directory.
func (e *Env) asItWas(p Package) bool {
	if p.Module == nil {
		return false
	}
	e.mu.Lock()
	since, ok := e.used[p.Module.Path]
	e.mu.Unlock()
	return ok && changedSince(since, []string{p.Dir}) != ""
}

func (e *Env) appendWork(line string) error {
	content, err := os.ReadFile(e.workFile())
	if err != nil {
		return fmt.Errorf("session's workspace: %w", err)
	}
	return os.WriteFile(e.workFile(), append(content, line...), 0o600)
}

// moduleAbove is the next module at a directory or above it.
func moduleAbove(dir string) (root, module string) {
	for {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, moduleIn(string(content))
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ""
		}
		dir = parent
	}
}
