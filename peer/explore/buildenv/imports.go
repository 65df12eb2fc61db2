package buildenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"
)

// Imported is a package that Import made usable.
type Imported struct {
	ImportPath string
	Module     string // empty in the standard library
	Version    string // of the module
	Dir        string // of the module, for an import by directory
	Note       string // what the person should know, one line; mostly empty
}

// Import makes a package usable that the binary need not have: its module is
// fetched if it is not there, held to the versions that the binary, and what
// was imported before, run with; then it is loaded. spec is an import path, or
// one with "@" and a version.
//
// Before anything is built, what cannot be reconciled is told in one line:
// ErrConflict. Without a version in spec it is the newest release that the
// module cache has, or else the newest there is, which "@latest" always asks
// for; if that does not fit an older one that does is taken instead, and Note
// says so. After an error nothing has changed.
//
// A spec that begins with "./", "../" or "/" is a directory, of a module that
// somebody works on. Its requirements must agree as they are. What was loaded
// of it stays as it was until the program ends, and Note says so after a
// change.
func (e *Env) Import(ctx context.Context, spec string) (Imported, error) {
	spec = strings.TrimSpace(spec)
	if inDirectory(spec) {
		return e.importDirectory(ctx, spec)
	}
	path, version, _ := strings.Cut(spec, "@")
	if path == "" || strings.HasPrefix(path, ".") || strings.HasPrefix(path, "-") || strings.ContainsAny(path, " \t\"") {
		return Imported{}, fmt.Errorf("import %q: want an import path, as in github.com/google/uuid@v1.6.0, or a directory, as in ./mylib", spec)
	}
	note, err := "", error(nil)
	if version != "" || !e.resolves(ctx, path) {
		note, err = e.fetch(ctx, path, version)
	} else {
		err = e.Load(ctx, path)
	}
	if err != nil {
		return Imported{}, err
	}
	p, ok := e.Package(path)
	if !ok {
		return Imported{}, fmt.Errorf("import %s: %w", path, ErrNotLoaded)
	}
	if p.Module == nil {
		return Imported{ImportPath: path}, nil
	}
	return Imported{ImportPath: path, Module: p.Module.Path, Version: p.Module.Version, Note: note}, nil
}

// resolves tells whether the workspace has a package at the version that it
// must have: of the standard library, of this program, or imported before. What
// the modules of the program merely mention is fetched like any other: an old
// version of it would only be in the way later.
func (e *Env) resolves(ctx context.Context, path string) bool {
	if _, ok := e.Package(path); ok {
		return true
	}
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") || e.holds(path) && e.Load(ctx, path) == nil
}

// holds tells whether a package may be one of a held module, or of the main
// one.
func (e *Env) holds(path string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for dir := path; dir != "."; dir = pathpkg.Dir(dir) {
		_, held := e.held[dir]
		if _, used := e.used[dir]; held || used || dir == e.host.main.Path {
			return true
		}
	}
	return false
}

// fetch adds the module of a package to the session's, and loads the package.
// If any of it fails the session's module is as it was.
func (e *Env) fetch(ctx context.Context, path, version string) (note string, err error) {
	release, err := e.take(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	if err := e.prepare(ctx); err != nil {
		return "", err
	}
	back, err := e.remember()
	if err != nil {
		return "", err
	}
	if note, err = e.get(ctx, path, version, back); err == nil {
		err = e.compare(ctx, path)
	}
	if err == nil {
		err = e.loadNow(ctx, e.missing([]string{path}))
	}
	if err != nil {
		return "", errors.Join(err, back())
	}
	return note, nil
}

// get adds a module with all held ones at their versions; back undoes it. What
// the module cache has is enough, unless the newest of all is asked for: that
// takes no network, and a tenth of the time.
func (e *Env) get(ctx context.Context, path, version string, back func() error) (note string, err error) {
	q := query{e: e, path: path, version: version, back: back}
	if version != "latest" {
		if note, err = q.cached().get(ctx); err == nil || ctx.Err() != nil {
			return note, err
		}
		if err := back(); err != nil {
			return "", err
		}
	}
	note, online := q.get(ctx)
	if online != nil && errors.Is(err, ErrConflict) && !errors.Is(online, ErrConflict) {
		return "", err // without a network that says more
	}
	return note, online
}

// query is a search for a version of a package's module.
type query struct {
	e             *Env
	path, version string
	back          func() error
	environ       []string // beside that of all tools
}

// cached is the query for what the module cache has.
func (q query) cached() query {
	files := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(q.e.found().GOMODCACHE, "cache", "download"))}
	q.environ = []string{"GOPROXY=" + files.String(), "GONOPROXY=none", "GOVCS=*:off"}
	return q
}

// get does it. Without a wanted version an older release may be taken.
func (q query) get(ctx context.Context) (note string, err error) {
	wanted := q.path
	if q.version != "" {
		wanted += "@" + q.version
	}
	err = q.goGet(ctx, append([]string{wanted}, q.e.pins()...))
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	}
	refusal := explainGet(q.path, words(err), q.e.holders())
	if q.version != "" || !errors.Is(refusal, ErrConflict) {
		return "", refusal
	}
	found, err := q.older(ctx)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", refusal
	}
	return fmt.Sprintf("%s is not the newest, which does not fit: %s", found, reason(refusal)), nil
}

// older adds the newest release that agrees with the held modules, and returns
// it as "MODULE VERSION". Go finds it: asked for the newest, and then for the
// held ones again, it goes back. What the newest had raised stays raised then,
// where no held module says otherwise, and a release need not work with what
// came after it; so it is asked for once more, from the start.
func (q query) older(ctx context.Context) (found string, err error) {
	if err := q.goGet(ctx, []string{q.path}); err != nil {
		return "", err
	}
	if err := q.goGet(ctx, q.e.pins()); err != nil {
		return "", err
	}
	found = q.provider(ctx)
	_, version, ok := strings.Cut(found, " ")
	if !ok {
		return "", fmt.Errorf("import %s: %w", q.path, ErrConflict)
	}
	if err := q.back(); err != nil {
		return "", err
	}
	return found, q.goGet(ctx, append([]string{q.path + "@" + version}, q.e.pins()...))
}

// goGet runs go get in the session's module alone: the others of the workspace
// stay as they are.
func (q query) goGet(ctx context.Context, args []string) error {
	cmd := q.e.command(ctx, q.e.scratchDir(), q.e.found().goCommand, append([]string{"get", "--"}, args...)...)
	cmd.Env = append(cmd.Env, q.environ...)
	_, err := q.e.run(ctx, cmd)
	return err
}

// provider is the module, with its version, that has the package now, or empty.
func (q query) provider(ctx context.Context) string {
	cmd := q.e.command(ctx, q.e.scratchDir(), q.e.found().goCommand, "list", "-find", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "--", q.path)
	cmd.Env = append(cmd.Env, q.environ...)
	out, err := q.e.run(ctx, cmd)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// compare looks at the modules of all packages that an import would load, and
// refuses those that differ from the held ones.
func (e *Env) compare(ctx context.Context, path string) error {
	cmd := e.command(ctx, e.scratchDir(), e.found().goCommand, append(append([]string{"list", "-e", "-deps", "-buildvcs=false", "-buildmode=plugin",
		"-json=ImportPath,Name,Module,Error"}, e.host.flags...), "--", path)...)
	out, err := e.run(ctx, cmd)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return explain(path, firstLine(words(err)))
	}
	found, err := decodeAny(out)
	if err != nil {
		return err
	}
	return errors.Join(noPrograms(found, []string{path}), e.agree(found))
}

// pins are the held modules as arguments of go get.
func (e *Env) pins() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var pins []string
	for module, version := range e.held {
		pins = append(pins, module+"@"+version)
	}
	slices.Sort(pins)
	return pins
}

// holders are the reasons for the held modules.
func (e *Env) holders() func(module string) (who, version string) {
	return func(module string) (string, string) {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.holder(module), e.held[module]
	}
}

// remember keeps the session's module and workspace, for an import that fails.
func (e *Env) remember() (back func() error, err error) {
	kept := map[string][]byte{}
	for _, file := range []string{filepath.Join(e.scratchDir(), "go.mod"), filepath.Join(e.scratchDir(), "go.sum"), e.workFile()} {
		content, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("session's module: %w", err)
		}
		kept[file] = content
	}
	return func() error {
		var errs []error
		for file, content := range kept {
			errs = append(errs, os.WriteFile(file, content, 0o600))
		}
		return errors.Join(errs...)
	}, nil
}
