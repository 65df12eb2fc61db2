package workbench

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"path"
	"runtime/debug"
	"strings"

	"github.com/peerlab/peerlab/peer/explore"
	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"github.com/peerlab/peerlab/peer/explore/lab"
	"github.com/peerlab/peerlab/peer/explore/permanent"
)

// shellPath is the package that commands are kept in.
const shellPath = "github.com/peerlab/peerlab/peer/shell"

// Room is the chat as Go sees it; nil if there is none.
func (w *Workbench) Room() lab.Chat {
	if w.cfg.Room == nil {
		return nil
	}
	return room{w.cfg.Room}
}

// Keep takes a function of the session to be called as a command: one of the
// kind of explore.Session.Function. run may be called from several goroutines,
// and while an input runs. It goes on with this function when the name gets
// another one.
func (w *Workbench) Keep(ctx context.Context, name string) (run func(ctx context.Context, args []string, out io.Writer) error, takesArgs bool, err error) {
	release, err := w.take(ctx)
	if err != nil {
		return nil, false, err
	}
	defer release()
	if err := w.open(ctx); err != nil {
		return nil, false, err
	}
	if w.lack != nil {
		return nil, false, w.lack
	}
	ctx, end := w.evaluate(ctx, io.Discard)
	defer end()
	f, err := w.session.Function(ctx, name)
	if snippet := w.snippets[name]; errors.Is(err, explore.ErrNoFunction) && snippet != nil {
		f, err = snippet, nil
	}
	if err != nil {
		return nil, false, buildenv.Explain(err)
	}
	if w.kept == nil {
		w.kept = map[string]*explore.Function{}
	}
	w.kept[name] = f
	return func(ctx context.Context, args []string, out io.Writer) error {
		return f.Call(ctx, args, w.objectsOf(ctx), out)
	}, f.Takes, nil
}

// objectsOf are the objects of a call that are not those of the session.
func (w *Workbench) objectsOf(ctx context.Context) map[string]any {
	bound := map[string]any{"ctx": lab.Context{Context: ctx}}
	if list, err := w.list(); err == nil {
		bound["ml"] = list
	}
	return bound
}

// Permanent makes the file that makes a command of every peer of what Keep took
// under name. The error matches permanent.ErrCannot if there is none.
func (w *Workbench) Permanent(ctx context.Context, name, command, summary, example string) (text []byte, notes []string, err error) {
	release, err := w.take(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	f := w.kept[name]
	if f == nil {
		return nil, nil, fmt.Errorf("%s was not kept", name)
	}
	declared, imported := w.shellNames(ctx)
	file, err := permanent.New(permanent.Command{
		Name: command, Summary: summary, Example: example, Function: f.Binding, Takes: f.Takes,
		Declared: func(name string) bool { return declared[name] },
		Imported: func(name string) bool { return imported[name] },
		Module:   w.newModule,
	})
	if err != nil {
		return nil, nil, err
	}
	return file.Text, file.Notes, nil
}

// shellNames returns the names that package shell has at the top of its files,
// as far as its source is here.
func (w *Workbench) shellNames(ctx context.Context) (declared, imported map[string]bool) {
	declared, imported = map[string]bool{}, map[string]bool{}
	if w.env.Load(ctx, shellPath) != nil {
		return declared, imported
	}
	dir, files, err := w.env.Source(shellPath)
	if err != nil {
		return declared, imported
	}
	for _, name := range files {
		raw, err := fs.ReadFile(dir, name)
		if err != nil {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, raw, 0)
		if err != nil || f.Scope == nil {
			continue
		}
		for name := range f.Scope.Objects { // what one file declares
			declared[name] = true
		}
		for _, i := range f.Imports {
			imported[importName(i)] = true
		}
	}
	return declared, imported
}

func importName(i *ast.ImportSpec) string {
	if i.Name != nil {
		return i.Name.Name
	}
	return path.Base(strings.Trim(i.Path.Value, `"`))
}

// newModule says what brings the module of a package, if the program has none
// of it.
func (w *Workbench) newModule(importPath string) string {
	p, ok := w.env.Package(importPath)
	if !ok || p.Module == nil {
		return ""
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Path == p.Module.Path {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == p.Module.Path {
			return ""
		}
	}
	if p.Module.Version == "" {
		return "it is in " + p.Module.Dir
	}
	return "go get " + p.Module.Path + "@" + p.Module.Version
}

// keeper is what a Workbench needs to make commands.
type keeper struct {
	kept map[string]*explore.Function // by name
}
