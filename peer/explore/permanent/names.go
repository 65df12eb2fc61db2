package permanent

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// names are those that things have in the file.
type names struct {
	bindings map[*check.Binding]string
	packages map[string]string // by path
	words    map[string]bool   // all identifiers of the declarations
	taken    map[string]bool   // names that stand for something in the file

	receiver, call, output string // of the frame
}

const (
	replPath    = "github.com/peerlab/peerlab/repl"
	contextPath = "context"
	fmtPath     = "fmt"
)

// rename gives everything its name. What can keep its own does.
func (w *writer) rename() {
	w.names = names{bindings: map[*check.Binding]string{}, packages: map[string]string{}, words: map[string]bool{}, taken: map[string]bool{}}
	for _, d := range w.gathered.order {
		for _, n := range d.nodes() {
			ast.Inspect(n, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					w.words[id.Name] = true
				}
				return true
			})
		}
	}
	w.imported(contextPath, "context")
	w.imported(replPath, "repl")
	for _, d := range w.gathered.sorted() {
		for _, f := range d.refs {
			switch f.kind {
			case toPackage:
				w.imported(f.path, f.name)
			case toDotted:
				w.imported(f.path, path.Base(f.path))
			case toOutput:
				w.printer(d, f)
			case toBound:
				w.taken[f.binding.Name] = true
			}
		}
	}
	w.receiver, w.call, w.output = w.fresh("k"), w.fresh("call"), w.fresh("out")
	for _, d := range w.gathered.sorted() {
		for _, b := range d.all {
			w.bindings[b] = w.name(b.Name, d.level)
		}
	}
}

// printer imports what printing needs.
func (w *writer) printer(d *decl, f ref) {
	switch {
	case d.loud && f.path != "":
		w.imported(f.path, path.Base(f.path))
	case !d.loud && !strings.HasPrefix(f.name, "Std"):
		w.imported(fmtPath, "fmt")
	}
}

// imported gives a package the name under which the file imports it.
func (w *writer) imported(p, name string) {
	if w.packages[p] != "" {
		return
	}
	for n := 2; w.taken[name] || is(w.command.Declared, name); n++ {
		name = fmt.Sprintf("%s%d", strings.TrimRight(name, "0123456789"), n)
	}
	w.packages[p] = name
	w.taken[name] = true
}

func is(f func(string) bool, name string) bool { return f != nil && f(name) }

// fresh returns a name that occurs nowhere.
func (w *writer) fresh(name string) string {
	free := name
	for n := 2; w.words[free] || w.taken[free]; n++ {
		free = fmt.Sprintf("%s%d", name, n)
	}
	w.taken[free] = true
	return free
}

// name gives a declaration its name: its own, or one with that of the command
// before it.
func (w *writer) name(own string, at level) string {
	if !w.taken[own] && (at != atPackage || !w.elsewhere(own)) {
		w.taken[own] = true
		return own
	}
	long := lower(Method(w.command.Name)) + upper(own)
	for w.elsewhere(long) {
		long += "_"
	}
	return w.fresh(long)
}

// elsewhere tells a name that other files of the package have, or the language.
func (w *writer) elsewhere(name string) bool {
	return is(w.command.Declared, name) || is(w.command.Imported, name) ||
		types.Universe.Lookup(name) != nil || token.IsKeyword(name) || name == "init" || name == "main"
}
