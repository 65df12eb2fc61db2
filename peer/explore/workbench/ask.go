package workbench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/types"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/peer/explore"
	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"github.com/peerlab/peerlab/peer/explore/complete"
	"github.com/peerlab/peerlab/peer/explore/manual"
	"github.com/peerlab/peerlab/repl"
)

// Complete proposes how one could go on at byte offset pos of an input, and
// tells at which offset the word begins that the candidates replace: names and
// members, and in an import paths of packages. It does not wait: while an input
// is evaluated there are none.
func (w *Workbench) Complete(text string, pos int) (list []repl.Candidate, start int) {
	pos = min(max(pos, 0), len(text))
	if from, ok := inImport(text[:pos]); ok {
		return w.importable(text[from:pos], `"`), from
	}
	found, start := w.propose(text, pos)
	for _, c := range found {
		after := c.After
		if strings.HasPrefix(text[pos:], after) {
			after = ""
		}
		list = append(list, repl.Candidate{Text: c.Text + after, Help: c.Help, Part: true})
	}
	return list, start
}

// CompleteName is Complete for what Doc is asked about: a name, with members,
// or the path of a package.
func (w *Workbench) CompleteName(text string, pos int) (list []repl.Candidate, start int) {
	pos = min(max(pos, 0), len(text))
	if strings.Contains(text[:pos], "/") {
		return w.importable(text[:pos], ""), 0
	}
	found, start := w.propose(text, pos)
	for _, c := range found {
		if c.Help != "keyword" {
			list = append(list, repl.Candidate{Text: c.Text, Help: c.Help, Part: true})
		}
	}
	return list, start
}

// CompletePath is Complete for what Import is asked for.
func (w *Workbench) CompletePath(text string, pos int) (list []repl.Candidate, start int) {
	typed := text[:min(max(pos, 0), len(text))]
	start = len(typed) - len(strings.TrimLeft(typed, "\"`"))
	return w.importable(typed[start:], ""), start
}

// longest is the longest text that is looked at while one types, in bytes: a
// paste may be of any length, and keys must not wait.
const longest = 16 << 10

// Hint tells what could follow a text: what is left of the call in which it
// ends. It does not wait.
func (w *Workbench) Hint(text string) string {
	if len(text) > longest || !w.tryTake() {
		return ""
	}
	defer func() { w.turn <- struct{}{} }()
	return w.session.Rest(text)
}

func (w *Workbench) propose(text string, pos int) ([]complete.Candidate, int) {
	if len(text) > longest || !w.tryTake() {
		return nil, pos
	}
	defer func() { w.turn <- struct{}{} }()
	if mentions(text, "ml") {
		_ = w.bind(context.Background(), "") // without a memberlist there is nothing to propose
	}
	return w.session.Propose(text, pos)
}

// tryTake takes the turn if it is free and there is a session, or can be one.
func (w *Workbench) tryTake() bool {
	select {
	case <-w.turn:
	default:
		return false
	}
	if w.start() != nil {
		w.turn <- struct{}{}
		return false
	}
	return true
}

// ready takes the turn for a question about text, with a session whose objects
// are those of now.
func (w *Workbench) ready(ctx context.Context, text string) (release func(), err error) {
	release, err = w.take(ctx)
	if err != nil {
		return nil, err
	}
	if err = w.begin(ctx); err == nil {
		err = w.bind(ctx, text)
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// Type prints what an expression is, without running it.
func (w *Workbench) Type(ctx context.Context, expr string, out io.Writer) error {
	release, err := w.ready(ctx, expr)
	if err != nil {
		return err
	}
	defer release()
	d, err := w.session.Describe(expr)
	if err != nil {
		return buildenv.Explain(err)
	}
	return describe(out, d)
}

func describe(out io.Writer, d complete.Description) error {
	text := d.Type + "\n"
	for _, m := range d.Methods {
		text += "    " + m + "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}

// Doc prints the documentation of a name; see manual.Of. It may also be one of
// a package that is part of this program. Where there are no sources it prints
// what Type does, and fails.
func (w *Workbench) Doc(ctx context.Context, query string, out io.Writer) error {
	release, err := w.ready(ctx, query)
	if err != nil {
		return err
	}
	defer release()
	text, err := w.documentation(ctx, query)
	if err == nil {
		_, err = io.WriteString(out, text)
		return err
	}
	d, other := w.session.Describe(query)
	switch nothing := errors.Is(err, manual.ErrNothing); {
	case nothing && other != nil:
		return fmt.Errorf("%s: %w: want a package, PACKAGE.NAME, or a name of this session", query, manual.ErrNothing)
	case nothing:
		_, err = fmt.Fprintf(out, "%s\n    Nobody has written about it: it is of this session.\n", d.Type)
		return err
	case other == nil:
		err = cmp.Or(describe(out, d), err)
	}
	return buildenv.Explain(err)
}

// documentation is what the sources say.
func (w *Workbench) documentation(ctx context.Context, query string) (string, error) {
	if w.env == nil {
		return "", fmt.Errorf("no documentation: %w", w.barred())
	}
	text, err := w.session.Doc(source{ctx, w.env}, w.full(query))
	if errors.Is(err, buildenv.ErrUnavailable) {
		err = fmt.Errorf("no documentation without sources: %w", err)
	}
	return text, err
}

// full is a query with the import path of the package of which it gives the
// name: of one that the session does not know by that name, but the program has.
func (w *Workbench) full(query string) string {
	head, rest, dotted := strings.Cut(query, ".")
	switch {
	case strings.Contains(query, "/"), w.session.Knows(head):
		return query
	case types.Universe.Lookup(head) != nil:
		return manual.Builtin + "." + query
	}
	var paths []string
	for _, path := range w.env.Loaded() {
		if p, _ := w.env.Package(path); p.Name == head && !hidden(path) {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return query
	}
	path := slices.MinFunc(paths, func(a, b string) int { return cmp.Compare(strings.Count(a, "/"), strings.Count(b, "/")) })
	if dotted {
		path += "." + rest
	}
	return path
}

// hidden tells a package that nobody but its neighbours may import.
func hidden(path string) bool {
	return strings.HasPrefix(path, "vendor/") || slices.Contains(strings.Split(path, "/"), "internal")
}

// source has the source of what the program is built with, and of what go
// finds for it.
type source struct {
	ctx context.Context
	env *buildenv.Env
}

// Source implements manual.Source.
func (s source) Source(importPath string) (fs.FS, []string, error) {
	if f, ok := s.env.Package("fmt"); ok && importPath == manual.Builtin {
		return os.DirFS(filepath.Join(filepath.Dir(f.Dir), manual.Builtin)), []string{"builtin.go"}, nil
	}
	dir, files, err := s.env.Source(importPath)
	if !errors.Is(err, buildenv.ErrNotLoaded) {
		return dir, files, err
	}
	err = s.env.Load(s.ctx, importPath)
	switch {
	case s.ctx.Err() != nil:
		return nil, nil, err
	case err != nil && !errors.Is(err, buildenv.ErrUnavailable) && !strings.Contains(importPath, "/"):
		return nil, nil, manual.ErrNothing // a name, rather than a package
	case err != nil:
		return nil, nil, err
	}
	return s.env.Source(importPath)
}

// warm opens the session and makes the first completion as fast as those that
// follow: what it may propose is loaded, and looked at once.
func (w *Workbench) warm(ctx context.Context) error {
	release, err := w.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := w.open(ctx); err != nil {
		return err
	}
	imports := explore.Imports()
	var paths []string
	for _, path := range imports {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	if err := w.env.Load(ctx, paths...); err != nil {
		return err
	}
	if err := w.bind(ctx, ""); err != nil {
		return err
	}
	for name := range imports {
		w.session.Propose(name+".", len(name)+1)
	}
	return nil
}
