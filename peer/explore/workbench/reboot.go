package workbench

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// replayPatience is how long one input may take when it is replayed.
const replayPatience = 30 * time.Second

// Session is what makes the names of a session again in a new process.
type Session struct {
	Imports []string `json:"imports,omitempty"` // "PATH@VERSION" or a directory, for Import
	Inputs  []string `json:"inputs,omitempty"`

	Functions []string `json:"functions,omitempty"` // that were kept
	Snippets  []string `json:"snippets,omitempty"`  // files whose function was kept
}

// Record returns the session's declarations, and notes about what is left out.
func (w *Workbench) Record(ctx context.Context) (s Session, notes []string, err error) {
	release, err := w.take(ctx)
	if err != nil {
		return s, nil, err
	}
	defer release()
	if w.session == nil {
		return s, nil, nil
	}
	d := w.session.Declared()
	for _, i := range d.Imports {
		if spec := w.fetched(i.Path); spec != "" {
			s.Imports = append(s.Imports, spec)
		}
		s.Inputs = append(s.Inputs, i.Input())
	}
	s.Inputs = append(s.Inputs, d.Inputs...)
	for _, name := range slices.Sorted(maps.Keys(w.kept)) {
		if w.snippets[name] == w.kept[name] {
			s.Snippets = append(s.Snippets, name)
		} else {
			s.Functions = append(s.Functions, name)
		}
	}
	return s, d.Notes, nil
}

// fetched names a package that is neither of the standard library nor of the
// program, with its version, or by its directory.
func (w *Workbench) fetched(path string) string {
	if w.env == nil || w.newModule(path) == "" {
		return ""
	}
	p, _ := w.env.Package(path)
	if p.Module.Version == "" {
		return p.Dir
	}
	return path + "@" + p.Module.Version
}

// Replay makes the names of a recorded session. An input that fails is told and
// left out; the error is ctx's, or tells how many failed.
func (w *Workbench) Replay(ctx context.Context, s Session, out io.Writer) error {
	failed := 0
	try := func(what string, do func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, replayPatience)
		defer cancel()
		if err := do(ctx); err != nil {
			failed++
			fmt.Fprintf(out, "not replayed: %s: %v\n", what, err)
		}
	}
	for _, spec := range s.Imports {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		try("import "+spec, func(ctx context.Context) error { return w.Import(ctx, spec, io.Discard) })
	}
	for _, src := range s.Inputs {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		first, _, _ := strings.Cut(src, "\n")
		try(first, func(ctx context.Context) error { return w.Eval(ctx, src, out, false) })
	}
	if len(s.Functions) > 0 {
		// Loaded together they cost one line; one that is not there is told
		// when it is kept.
		_ = w.Eval(ctx, "_ = []any{"+strings.Join(s.Functions, ", ")+"}", io.Discard, false)
	}
	for _, name := range s.Snippets {
		try(name+".go", func(ctx context.Context) error { return w.compile(ctx, name, out) })
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d inputs could not be replayed", failed, len(s.Imports)+len(s.Inputs)+len(s.Snippets))
	}
	return nil
}

// compile compiles a file that was edited, so that its function can be kept.
func (w *Workbench) compile(ctx context.Context, name string, out io.Writer) error {
	if w.cfg.Files == nil {
		return ErrNoFiles
	}
	raw, err := w.cfg.Files.ReadFile(snippets + name + ".go")
	if err != nil {
		return err
	}
	_, err = w.file(ctx, name, string(raw), out)
	return err
}
