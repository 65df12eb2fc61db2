package permanent

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"maps"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// file writes the file.
func (w *writer) file() (*File, error) {
	method := w.method()
	var rest strings.Builder
	for _, d := range w.gathered.sorted() {
		if d.level == atPackage {
			for _, n := range d.nodes() {
				rest.WriteString("\n" + w.text(d, n) + "\n")
			}
		}
	}
	w.tell()
	c := w.command
	fmt.Fprintf(&w.out, "package shell\n\n%s\n", w.imports())
	about := fmt.Sprintf("%s is a command that was made in a running peer, by \"keep %s\". This file makes it one of every peer: "+
		"it belongs into peer/shell, where nothing has to list it. \"go test ./docs -update\" brings the reference up to date.", Method(c.Name), c.Name)
	for i, n := range slices.Concat([]string{about}, w.notes) {
		if i > 0 {
			w.out.WriteString("//\n")
		}
		w.out.WriteString("// " + strings.ReplaceAll(wrapped(n), "\n", "\n// ") + "\n")
	}
	w.out.WriteString(method + rest.String())
	text, err := format.Source([]byte(w.out.String()))
	if err != nil {
		return nil, cannot("what was made of it is no Go (%v): please report it", err)
	}
	return &File{Text: text, Notes: w.notes}, nil
}

// wrapped breaks a text into lines.
func wrapped(text string) string {
	const width = 76
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		if column > 0 && column+1+len(word) > width {
			b.WriteString("\n")
			column = 0
		} else if column > 0 {
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

func (w *writer) imports() string {
	var b strings.Builder
	b.WriteString("import (\n")
	paths := slices.SortedFunc(maps.Keys(w.packages), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(first(a), "."), strings.Count(first(b), ".")), cmp.Compare(a, b))
	})
	far := false
	for _, p := range paths {
		if strings.Contains(first(p), ".") && !far {
			far = true
			b.WriteString("\n")
		}
		if name := w.packages[p]; name != last(p) {
			b.WriteString(name + " ")
		}
		fmt.Fprintf(&b, "%q\n", p)
	}
	return b.String() + ")\n"
}

func first(path string) string { dir, _, _ := strings.Cut(path, "/"); return dir }

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// method writes the method that is the command.
func (w *writer) method() string {
	c := w.command
	var b strings.Builder
	fmt.Fprintf(&b, "func (%s kept) %s() %s.Command {\n", w.receiver, Method(c.Name), w.packages[replPath])
	b.WriteString(w.block(atCommand))
	usage, most := "", "0"
	if c.Takes {
		usage, most = "[...]", w.packages[replPath]+".Any"
	}
	fmt.Fprintf(&b, "return %s.Command{\nName: %q, Group: \"kept\", Usage: %q, MaxArgs: %s,\n", w.packages[replPath], c.Name, usage, most)
	fmt.Fprintf(&b, "Summary: %q,\nHelp: %q,\n", c.Summary, "\t"+c.Example)
	fmt.Fprintf(&b, "Run: func(ctx %s.Context, %s *%s.Call) error {\n", w.packages[contextPath], w.call, w.packages[replPath])
	b.WriteString(w.objects())
	b.WriteString(w.block(atCall))
	args := "ctx"
	if c.Takes {
		args += ", " + w.call + ".Args"
	}
	fmt.Fprintf(&b, "return %s(%s)\n},\n}\n}\n", w.bindings[c.Function], args)
	return b.String()
}

// objects declares what the functions have of the peer and of the call.
func (w *writer) objects() string {
	used := map[string]bool{}
	for _, d := range w.gathered.order {
		for _, f := range d.refs {
			switch {
			case f.kind == toBound:
				used[f.binding.Name] = true
			case f.kind == toOutput && !d.loud:
				used["\x00output"] = true
			}
		}
	}
	text := ""
	if used["\x00output"] {
		text += fmt.Sprintf("%s := %s.Out\n", w.output, w.call)
	}
	if used["peer"] {
		text += fmt.Sprintf("peer := %s.peer\n", w.receiver)
	}
	if used["members"] {
		text += fmt.Sprintf("members := %s.peer.Members\n", w.receiver)
	}
	if used["room"] {
		text += fmt.Sprintf("room := %s.room\n", w.receiver)
	}
	if used["ml"] {
		group, err := w.fresh("group"), w.fresh("err")
		text += fmt.Sprintf("%s, %s := %s.group()\nif %s != nil {\nreturn %s\n}\nml, %s := %s.Memberlist()\nif %s != nil {\nreturn %s\n}\n",
			group, err, w.receiver, err, err, err, group, err, err)
	}
	return text
}

// block writes the declarations of a level, each after those that it needs.
// Functions that call each other in a circle are declared first.
func (w *writer) block(at level) string {
	var order []*decl
	circle := map[*decl]bool{}
	open := map[*decl]bool{}
	var visit func(d *decl)
	visit = func(d *decl) {
		if open[d] {
			circle[d] = d.function() != nil
		}
		if d.seen || d.level != at {
			return
		}
		d.seen, open[d] = true, true
		for _, f := range d.refs {
			if f.kind == toName && (f.decl != d || d.function() != nil && f.from != d.function().Name.Pos()) {
				visit(f.decl)
			}
		}
		open[d] = false
		order = append(order, d)
	}
	for _, d := range w.gathered.sorted() {
		visit(d)
	}
	var head, body strings.Builder
	for _, d := range order {
		f := d.function()
		if f == nil {
			body.WriteString(w.text(d, d.node) + "\n" + w.unread(d))
			continue
		}
		name, sign := w.bindings[d.all[0]], ":="
		if circle[d] {
			sign = "="
			fmt.Fprintf(&head, "var %s func%s\n", name, w.between(d, f.Type.Params.Pos(), f.Type.End()))
		}
		fmt.Fprintf(&body, "%s %s func%s\n", name, sign, w.between(d, f.Type.Params.Pos(), f.End()))
	}
	return head.String() + body.String()
}

// unread uses the variables that are assigned to and never read.
func (w *writer) unread(of *decl) string {
	read := map[*check.Binding]bool{w.command.Function: true}
	for _, d := range w.gathered.order {
		for _, f := range d.refs {
			if f.kind == toName && !f.assigned && d.unit.Info.Defs[identAt(d, f.from)] == nil {
				read[f.binding] = true
			}
		}
	}
	text := ""
	for _, b := range of.all {
		if !read[b] {
			text += "_ = " + w.bindings[b] + "\n"
		}
	}
	return text
}

func identAt(d *decl, at token.Pos) (found *ast.Ident) {
	for _, n := range d.nodes() {
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Pos() == at {
				found = id
			}
			return found == nil
		})
	}
	return found
}

// text is a node of a declaration as it stands in the file.
func (w *writer) text(d *decl, n ast.Node) string { return w.between(d, n.Pos(), n.End()) }

func (w *writer) between(d *decl, from, to token.Pos) string {
	file := d.unit.Fset.File(from)
	refs := slices.Clone(d.refs)
	slices.SortStableFunc(refs, func(a, b ref) int { return cmp.Compare(a.from, b.from) })
	var b strings.Builder
	at := from
	for _, f := range refs {
		if f.from < at || f.to > to {
			continue
		}
		b.WriteString(d.unit.Text[file.Offset(at):file.Offset(f.from)])
		text, end := w.instead(d, f)
		b.WriteString(text)
		at = end
	}
	b.WriteString(d.unit.Text[file.Offset(at):file.Offset(to)])
	return b.String()
}

// instead is what stands for a word, and where the text goes on after it.
func (w *writer) instead(d *decl, f ref) (text string, end token.Pos) {
	switch f.kind {
	case toName, toField:
		return w.bindings[f.binding], f.to
	case toPackage:
		return w.packages[f.path], f.to
	case toDotted:
		return w.packages[f.path] + "." + f.name, f.to
	case toOutput:
		return w.printing(d, f)
	case toUnused:
		return "_", f.to
	case toDefine:
		return "=", f.to
	case toNothing:
		return "", f.to
	}
	return f.name, f.to
}

// printing makes what prints to the output of a line print to that of the
// command.
func (w *writer) printing(d *decl, f ref) (text string, end token.Pos) {
	pkg := w.packages[fmtPath]
	switch {
	case d.loud && f.path != "":
		return w.packages[f.path] + "." + f.name, f.to
	case d.loud:
		return f.name, f.to
	case strings.HasPrefix(f.name, "Std"):
		return w.output, f.to
	}
	print := pkg + ".F" + lower(f.name)
	if f.call != nil {
		text = print + "(" + w.output
		if len(f.call.Args) > 0 {
			text += ", "
		}
		return text, f.call.Lparen + 1
	}
	if f.name == "Printf" {
		return fmt.Sprintf("func(format string, a ...any) (int, error) { return %s(%s, format, a...) }", print, w.output), f.to
	}
	return fmt.Sprintf("func(a ...any) (int, error) { return %s(%s, a...) }", print, w.output), f.to
}

// tell notes what is not as in the session.
func (w *writer) tell() {
	var lasting, fresh, loud []string
	for _, d := range w.gathered.sorted() {
		switch {
		case d.loud:
			loud = append(loud, d.title())
		case d.isVar() && !literal(d) && d.level == atCommand:
			lasting = append(lasting, d.title())
		case d.isVar() && !literal(d):
			fresh = append(fresh, d.title())
		}
	}
	if len(lasting) > 0 {
		w.note("As variables begin: %s, not as they were when it was kept.", strings.Join(lasting, ", "))
	}
	if len(fresh) > 0 {
		w.note("Made anew at every call, since the peer is asked for it: %s.", strings.Join(fresh, ", "))
	}
	if len(loud) > 0 {
		w.note("What %s prints goes to the standard output of the program: give it an io.Writer.", strings.Join(loud, ", "))
	}
	for _, p := range slices.Sorted(maps.Keys(w.packages)) {
		if refused(p) {
			w.note("Package %s is not for package shell, and \"go test .\" says why: move what needs it.", p)
		}
		if w.command.Module != nil && w.command.Module(p) != "" {
			w.note("The program needs another module: %s", w.command.Module(p))
		}
	}
}

// literal tells variables that hold a function from the start.
func literal(d *decl) bool {
	s, ok := d.node.(*ast.AssignStmt)
	if !ok {
		return false
	}
	return !slices.ContainsFunc(s.Rhs, func(e ast.Expr) bool { _, ok := e.(*ast.FuncLit); return !ok })
}

// refused tells packages that package shell must not import.
func refused(path string) bool {
	return path == "os" || strings.HasPrefix(path, "os/") || path == "flag" || path == "syscall" ||
		strings.HasSuffix(path, "/memberlist") || strings.HasSuffix(path, "/chzyer/readline")
}
