// Package workbench is what a peer has of Go: one session, opened when it is
// first needed, whose names peer, room, members, ml and ctx stand for the
// running peer.
//
// A Workbench joins the session of package explore with the tools of buildenv
// and with the node. It knows nothing of prompts: the shell asks it, through
// an interface of its own. Whoever may ask it runs code in this process.
package workbench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/explore"
	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/inside"
	"github.com/peerlab/peerlab/peer/explore/lab"
	"github.com/peerlab/peerlab/peer/node"
)

// Errors that callers branch on.
var (
	// ErrFalse is matched by the error for an assertion that does not hold.
	ErrFalse = errors.New("not true")
	// ErrNested is matched by the error for Go that is run by Go, through a
	// command.
	ErrNested = errors.New("a line of Go runs already, and cannot wait for another")
)

// Config says which peer a Workbench belongs to. Node is required.
type Config struct {
	Node *node.Node
	Room *chat.Room // nil binds no room

	// Command runs a line of commands for peer.Command. Nil refuses all.
	Command func(ctx context.Context, line string, out io.Writer) error

	// Late gets what goroutines print after their line has ended. It may be
	// called from several goroutines; nil drops it.
	Late io.Writer

	// Open loads what was compiled: loader.Open. Nil compiles nothing: then
	// there is what needs no compiler.
	Open func(file string) error
	// Lack says why nothing is compiled though there is Open; nil if it can be.
	Lack error

	// Files keeps the files that are edited. Nil keeps none.
	Files files.FS

	// Build says with what is compiled; its zero value is the running binary.
	Build buildenv.Config
}

// Workbench is a session of Go in a peer. Its methods may be called from
// several goroutines; inputs are evaluated one at a time.
type Workbench struct {
	cfg  Config
	turn chan struct{} // one token, for the fields below

	env     *buildenv.Env    // nil until it is needed
	session *explore.Session // nil until it is needed
	lack    error            // why nothing can be compiled; nil if it can

	paths paths     // what could be imported
	tools *tools    // behind env and lack; with a turn of its own
	out   io.Writer // of the input that is evaluated; io.Discard between two

	keeper
	editor
	memory memory
}

// New makes a workbench. It opens nothing.
func New(cfg Config) *Workbench {
	if cfg.Late == nil {
		cfg.Late = io.Discard
	}
	w := &Workbench{cfg: cfg, turn: make(chan struct{}, 1), tools: newTools(), out: io.Discard}
	w.turn <- struct{}{}
	w.cfg.Open = w.memory.counted(cfg.Open)
	return w
}

// evaluating marks the context of an input.
type evaluating struct{}

func (w *Workbench) take(ctx context.Context) (release func(), err error) {
	if ctx.Value(evaluating{}) != nil || explore.Within() {
		return nil, ErrNested
	}
	select {
	case <-w.turn:
		return func() { w.turn <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// evaluate returns the context of an input, and what must be called when it has
// ended. Until then out hears what takes long, and what an import has to say. The
// caller has the turn.
func (w *Workbench) evaluate(ctx context.Context, out io.Writer) (context.Context, func()) {
	w.out = out
	ctx, cancel := context.WithCancel(context.WithValue(ctx, evaluating{}, true))
	ctx, end := patiently(ctx, inFront, out)
	return ctx, func() {
		end()
		cancel()
		w.out = io.Discard
	}
}

// Prepare opens the session, so that the first input need not wait for it. It
// may take a minute where nothing has been compiled yet, at low priority, and
// tells what it does on out. The error matches buildenv.ErrUnavailable if nothing
// can be compiled here; simple expressions may work all the same.
func (w *Workbench) Prepare(ctx context.Context, out io.Writer) error {
	ctx, end := patiently(ctx, behind, out)
	defer end()
	if why := w.barred(); why != nil {
		return why
	}
	paths := w.packages()
	for _, path := range explore.Imports() {
		paths = append(paths, path)
	}
	env, lack, err := w.tools.load(ctx, w.cfg.Build, paths)
	if err != nil || lack != nil {
		return errors.Join(err, lack)
	}
	if err := w.warm(ctx); err != nil {
		return err
	}
	w.paths.find(env) // while inputs are evaluated
	return nil
}

// Eval evaluates an input; see explore.Session.Eval. With assert an input
// whose only shown value is false is an error that matches ErrFalse.
func (w *Workbench) Eval(ctx context.Context, src string, out io.Writer, assert bool) error {
	release, err := w.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := w.start(); err != nil {
		return err
	}
	ctx, end := w.evaluate(ctx, out)
	defer end()
	if err := w.bind(ctx, src); err != nil {
		return err
	}
	err = w.session.Eval(ctx, src, out)
	w.warn(out)
	if err != nil {
		return buildenv.Explain(err)
	}
	if assert && isFalse(w.session.Shown()) {
		return fmt.Errorf("%w: %s", ErrFalse, strings.TrimSpace(src))
	}
	return nil
}

func isFalse(shown []any) bool {
	if len(shown) != 1 {
		return false
	}
	v := reflect.ValueOf(shown[0])
	return v.Kind() == reflect.Bool && !v.Bool()
}

// Unfinished tells that more lines must follow before src can be evaluated.
func (w *Workbench) Unfinished(src string) bool { return !check.Complete(src) }

// Import makes a package known to the session under its name: of the standard
// library, of this program, or one that is fetched, "PATH" or "PATH@VERSION".
func (w *Workbench) Import(ctx context.Context, spec string, out io.Writer) error {
	if spec == "C" {
		return errors.New("cgo is not available in a session: put the C code in a package of your own and import that")
	}
	release, err := w.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	ctx, end := w.evaluate(ctx, out)
	defer end()
	if w.tools.busy() {
		fmt.Fprintln(out, gettingReady)
	}
	if err := w.begin(ctx); err != nil {
		return err
	}
	if w.env == nil || w.lack != nil {
		return w.importKnown(ctx, spec, out)
	}
	got, err := w.env.Import(ctx, spec)
	if err != nil {
		return err
	}
	if got.Note != "" {
		fmt.Fprintln(out, got.Note)
	}
	if err := w.session.Eval(ctx, fmt.Sprintf("import %q", got.ImportPath), out); err != nil {
		return err
	}
	name := got.ImportPath
	if p, ok := w.env.Package(got.ImportPath); ok {
		name = p.Name
	}
	from := "the standard library"
	if got.Module != "" {
		from = strings.TrimSpace(got.Module + " " + got.Version)
	}
	if got.Dir != "" {
		from = got.Module + " in " + got.Dir
	}
	_, err = fmt.Fprintf(out, "%s is %s, of %s\n", name, got.ImportPath, from)
	return err
}

// Vars prints what the names of the session stand for: those that lines have
// declared, and those that are bound.
func (w *Workbench) Vars(ctx context.Context, out io.Writer) error {
	release, err := w.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := w.start(); err != nil {
		return err
	}
	if err := w.bind(ctx, ""); err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, n := range w.session.Names() {
		fmt.Fprintf(table, "%s\t%s\t%s\n", n.Name, n.Kind, n.Type)
	}
	return table.Flush()
}

// Doctor prints what keeps Go from being compiled here, or slows it down. Where
// nothing is in the way it compiles what every line needs, which may take a
// minute the first time. It fails if nothing can be compiled.
func (w *Workbench) Doctor(ctx context.Context, out io.Writer) error {
	if why := w.barred(); why != nil {
		return fmt.Errorf("nothing can be compiled here: %w", why)
	}
	release, err := w.tools.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	env, err := w.tools.open(ctx, w.cfg.Build)
	if err != nil {
		return err
	}
	blocked := 0
	for _, f := range env.Doctor(ctx) {
		word := "note"
		if f.Blocks {
			word = "missing"
			blocked++
		}
		fmt.Fprintf(out, "%s: %s\n", word, f)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if blocked == 0 {
		if err := w.tryTools(ctx, out); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			fmt.Fprintf(out, "missing: what every line needs cannot be compiled: %v\n", err)
			blocked++
		}
	}
	if blocked > 0 {
		return errors.New("nothing can be compiled for this peer: see to what is missing, and start it again")
	}
	_, err = fmt.Fprintln(out, "Go can be compiled for this peer")
	return err
}

// tryTools compiles what every line needs. Who calls it has the turn of the tools.
func (w *Workbench) tryTools(ctx context.Context, out io.Writer) error {
	ctx, end := patiently(ctx, behind, out)
	defer end()
	_, lack, err := w.tools.loaded(ctx, w.cfg.Build, w.packages())
	return cmp.Or(err, lack)
}

// Close ends the session and removes its directory. Nothing else may be called
// afterwards.
func (w *Workbench) Close() error {
	w.Unwatch(ended())
	release, err := w.take(context.Background())
	if err != nil {
		return err
	}
	defer release()
	var errs []error
	if w.session != nil {
		errs = append(errs, w.session.Close())
	}
	done, err := w.tools.take(context.Background())
	if err != nil {
		return err
	}
	defer done()
	if w.tools.env != nil {
		errs = append(errs, w.tools.env.Close())
	}
	return errors.Join(errs...)
}

// packages are those that the session must know from the start: of its objects,
// and those that hardly any line does without.
func (w *Workbench) packages() []string {
	paths := map[string]bool{"fmt": true, "errors": true, "strings": true, "time": true, "slices": true,
		"github.com/peerlab/peerlab/peer/explore/live": true, "plugin": true, listPath(): true}
	for _, v := range w.objects() {
		collect(paths, reflect.TypeOf(v))
	}
	return slices.Sorted(maps.Keys(paths))
}

// collect adds the packages that the text of a type mentions.
func collect(paths map[string]bool, t reflect.Type) {
	switch {
	case t.Name() != "":
		if t.PkgPath() != "" {
			paths[t.PkgPath()] = true
		}
	case t.Kind() == reflect.Func:
		for i := range t.NumIn() {
			collect(paths, t.In(i))
		}
		for i := range t.NumOut() {
			collect(paths, t.Out(i))
		}
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice:
		collect(paths, t.Elem())
	}
}

// objects are what the names stand for from the start.
func (w *Workbench) objects() map[string]any {
	p := lab.NewPeer(inside.Backend{Node: w.cfg.Node, Run: w.cfg.Command})
	all := map[string]any{"peer": p, "members": p.Members, "ctx": lab.Context{Context: context.Background()}}
	if w.cfg.Room != nil {
		all["room"] = lab.NewRoom(room{w.cfg.Room})
	}
	return all
}
