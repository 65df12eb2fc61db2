package buildenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Compile compiles files into one package with that import path, and writes
// its archive to the file out. The files may import what was loaded, and what
// was compiled before. The package must not be main: two of them in one
// program take each other's table of symbols. An error that matches ErrBuild
// holds the compiler's words.
func (e *Env) Compile(ctx context.Context, pkgPath, out string, files []string) error {
	release, err := e.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := e.prepare(ctx); err != nil {
		return err
	}
	config, err := e.importConfig(ctx, "compile.cfg")
	if err != nil {
		return err
	}
	args := []string{"-o", out, "-p", pkgPath, "-complete", "-dynlink", "-pack", "-nolocalimports",
		"-importcfg", config, "-trimpath", e.dir + "=>", "-goversion", e.host.version}
	if lang := e.host.lang(); lang != "" {
		args = append(args, "-lang="+lang)
	}
	if e.host.race {
		args = append(args, "-race")
	}
	cmd := e.command(ctx, e.dir, e.found().tool("compile"), append(args, files...)...)
	cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
	if _, err := e.run(ctx, cmd); err != nil {
		return failed(ctx, err)
	}
	sum, err := sumOf(out)
	if err != nil {
		return fmt.Errorf("compiled line: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, again := e.built[pkgPath]; !again {
		e.order = append(e.order, pkgPath)
	}
	e.built[pkgPath], e.paths[out], e.sums[pkgPath] = out, pkgPath, sum
	return nil
}

// Link makes a plugin of an archive that Compile wrote. What any session of
// this user has linked of the same parts is not linked again.
func (e *Env) Link(ctx context.Context, archive, out string) error {
	release, err := e.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	e.mu.Lock()
	pkgPath, ok := e.paths[archive]
	e.mu.Unlock()
	if !ok {
		return fmt.Errorf("link %s: %w", archive, ErrNotLoaded)
	}
	args := []string{"-buildmode=plugin", "-pluginpath", pkgPath, "-s", "-w", "-compressdwarf=false"}
	if e.found().gold {
		args = append(args, "-extldflags=-fuse-ld=gold")
	}
	if e.host.race {
		args = append(args, "-race")
	}
	return e.shared(ctx, e.linkKey(pkgPath, append(args, e.found().CC)), out, func() error { return e.link(ctx, args, archive, out) })
}

// link runs the linker. The caller has the turn.
func (e *Env) link(ctx context.Context, args []string, archive, out string) error {
	config, err := e.importConfig(ctx, "link.cfg")
	if err != nil {
		return err
	}
	cmd := e.command(ctx, e.dir, e.found().tool("link"), append(append([]string{"-o", out, "-importcfg", config, "-extld=" + e.linkWith()}, args...), archive)...)
	cmd.Env = append(cmd.Env, "GOMAXPROCS=1", "GOROOT="+e.found().GOROOT)
	if _, err := e.run(ctx, cmd); err != nil {
		return failed(ctx, err)
	}
	return nil
}

// failed marks a refusal of a tool; an end of ctx stays what it is.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if said := words(err); noSpace.MatchString(said) {
		return fullDisk(said)
	}
	return fmt.Errorf("%w: %s", ErrBuild, words(err))
}

// importConfig writes where the compiler and the linker find each package. The
// caller has the turn.
func (e *Env) importConfig(ctx context.Context, name string) (string, error) {
	if err := e.again(ctx); err != nil {
		return "", err
	}
	file := filepath.Join(e.dir, name)
	e.mu.Lock()
	var b strings.Builder
	for path, p := range e.packages {
		if p.Export != "" {
			fmt.Fprintf(&b, "packagefile %s=%s\n", path, p.Export)
		}
	}
	for _, path := range e.order {
		fmt.Fprintf(&b, "packagefile %s=%s\n", path, e.built[path])
	}
	e.mu.Unlock()
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return "", fmt.Errorf("import configuration: %w", err)
	}
	return file, nil
}
