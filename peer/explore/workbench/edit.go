package workbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/explore"
	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"github.com/peerlab/peerlab/peer/explore/native"
)

const (
	snippets    = "edit/"     // the folder of files that are edited
	lastSnippet = "edit/last" // names the last of them
	lookEvery   = 200 * time.Millisecond
	maxSnippet  = 1 << 20 // bytes
)

// ErrNoFiles is matched by the error of a peer that keeps no files.
var ErrNoFiles = errors.New("this peer keeps its data in memory, where no editor finds it: start one with `peer NAME --dev`")

// editor is what a Workbench needs to run files while they are edited.
type editor struct {
	watch    sync.Mutex // guards watching
	watching *watching  // nil if no file is watched

	snippets map[string]*explore.Function // the last that compiled, by name; as keeper.kept
}

// watching is a file that is run whenever it is saved.
type watching struct {
	name  string
	stop  context.CancelFunc // ends the watching, and what runs
	leave context.CancelFunc // ends the watching; what runs goes on to its end
	done  chan struct{}      // closed when nothing runs any more
}

// snippetName is what a file to edit may be called.
var snippetName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// Snippet finds the file NAME.go that is to be edited, and begins it if there is
// none. An empty name means the last one, or "scratch". path is where an editor
// finds it.
func (w *Workbench) Snippet(name string) (found, path string, err error) {
	data := w.cfg.Files
	if data == nil {
		return "", "", ErrNoFiles
	}
	if name == "" {
		last, err := data.ReadFile(lastSnippet)
		if name = strings.TrimSpace(string(last)); err != nil || !snippetName.MatchString(name) {
			name = "scratch"
		}
	}
	name = strings.TrimSuffix(name, ".go")
	if !snippetName.MatchString(name) {
		return "", "", fmt.Errorf("%q is no name for a file of Go: take lower-case letters, digits and _", name)
	}
	file := snippets + name + ".go"
	if _, err := data.ReadFile(file); errors.Is(err, fs.ErrNotExist) {
		err = data.WriteFile(file, []byte(beginning(name, w.cfg.Node.Name())), 0o600)
		if err != nil {
			return "", "", fmt.Errorf("edit: %w", err)
		}
	}
	if err := data.WriteFile(lastSnippet, []byte(name+"\n"), 0o600); err != nil {
		return "", "", fmt.Errorf("edit: %w", err)
	}
	return name, data.Path(file), nil
}

// beginning is what a new file has in it.
func beginning(name, peer string) string {
	return "// " + name + ".go runs inside the peer " + peer + ` whenever it is saved; what ran before is
// stopped. It has the peer as
//
//	peer       Name, Group, Ready, Members, Member(name), Command(ctx, line)
//	members()  who is there: Name, Addr, State, RTT and more
//	room       the chat: Send(ctx, text), Ping(ctx, name), Members
//	ml         the live memberlist
//
// and all that was declared at the prompt. "keep ` + name + `" makes a command of run; it
// may be func run(ctx context.Context, args []string) error for that.
package main

import (
	"context"
	"fmt"
)

func run(ctx context.Context) error {
	for _, m := range members() {
		fmt.Println(m.Name, m.State)
	}
	return nil
}
`
}

// RunFile evaluates a file of Go, and calls its function run. Others may
// evaluate inputs while that runs.
func (w *Workbench) RunFile(ctx context.Context, name, src string, out io.Writer) error {
	f, err := w.file(ctx, name, src, out)
	if err != nil || f == nil {
		return err
	}
	return f.Call(ctx, nil, w.objectsOf(ctx), out)
}

func (w *Workbench) file(ctx context.Context, name, src string, out io.Writer) (*explore.Function, error) {
	if len(src) > maxSnippet {
		return nil, fmt.Errorf("it has more than %d bytes: what is as long belongs into a package, which you can import", maxSnippet)
	}
	release, err := w.take(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := w.open(ctx); err != nil {
		return nil, err
	}
	if w.lack != nil {
		return nil, w.lack
	}
	ctx, end := w.evaluate(ctx, out)
	defer end()
	if err := w.bind(ctx, src); err != nil {
		return nil, err
	}
	f, err := w.session.File(ctx, name+".go", src, out)
	w.warn(out)
	if err != nil {
		return nil, buildenv.Explain(err)
	}
	if f != nil {
		if w.snippets == nil {
			w.snippets = map[string]*explore.Function{}
		}
		w.snippets[name] = f
	}
	return f, nil
}

// Watch runs a file of Snippet whenever it is saved, until Unwatch. What it
// prints, and how each run ends, goes to out. A file that was watched before is
// not any more.
func (w *Workbench) Watch(name string, out io.Writer) error {
	if w.cfg.Files == nil {
		return ErrNoFiles
	}
	ctx, stop := context.WithCancel(context.Background())
	look, leave := context.WithCancel(ctx)
	one := &watching{name: name, stop: stop, leave: leave, done: make(chan struct{})}
	r := &rerun{name: name, out: &locked{out: out}, run: w.RunFile,
		read: func() ([]byte, error) { return w.cfg.Files.ReadFile(snippets + name + ".go") }}
	r.seen, _ = r.read() // as it is now, it does not run
	w.watch.Lock()
	before := w.watching
	w.watching = one
	w.watch.Unlock()
	before.end(ended())
	go func() {
		defer close(one.done)
		defer stop()
		r.follow(ctx, look)
	}()
	return nil
}

// Watched is the name of the file that is watched; empty for none.
func (w *Workbench) Watched() string {
	w.watch.Lock()
	defer w.watch.Unlock()
	if w.watching == nil {
		return ""
	}
	return w.watching.name
}

// Unwatch ends the watching and waits until nothing runs any more. A file that
// was just saved is run before; what runs is stopped when ctx ends, at once if
// it has ended.
func (w *Workbench) Unwatch(ctx context.Context) {
	w.watch.Lock()
	one := w.watching
	w.watching = nil
	w.watch.Unlock()
	one.end(ctx)
}

// end ends the watching as Unwatch does.
func (one *watching) end(ctx context.Context) {
	if one == nil {
		return
	}
	if ctx.Err() == nil {
		one.leave()
		select {
		case <-one.done:
		case <-ctx.Done():
		}
	}
	one.stop()
	<-one.done
}

// ended is a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// rerun runs a file again and again.
type rerun struct {
	name string
	out  io.Writer
	read func() ([]byte, error)
	run  func(ctx context.Context, name, src string, out io.Writer) error

	seen  []byte // what was run last, or stood there at the beginning
	stop  func() // stops what runs, and waits for it; nil if nothing does
	ended chan struct{}
}

// follow looks at the file until look ends, then once more, and returns when
// what runs has ended.
func (r *rerun) follow(ctx, look context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var before []byte
	for look.Err() == nil {
		select {
		case <-tick.C:
		case <-look.Done():
		}
		now, err := r.read()
		if err != nil {
			continue // an editor may write it as a new file
		}
		// A file that is being written is looked at again.
		if ctx.Err() == nil && !bytes.Equal(now, r.seen) && (look.Err() != nil || bytes.Equal(now, before)) {
			r.start(ctx, now)
		}
		before = now
	}
	if r.ended != nil {
		<-r.ended
	}
}

// start runs the file as it is now, after it has stopped what runs.
func (r *rerun) start(ctx context.Context, src []byte) {
	if r.stop != nil {
		r.stop()
		<-r.ended
	}
	r.seen = src
	run, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	r.stop, r.ended = stop, ended
	go func() { // follow waits for it
		defer close(ended)
		defer stop()
		begun := time.Now()
		err := r.run(run, r.name, string(src), r.out)
		fmt.Fprintln(r.out, verdict(r.name, time.Since(begun), err)) // whoever reads may have gone
	}()
}

// verdict says how a run has ended.
func verdict(name string, took time.Duration, err error) string {
	text := ""
	switch {
	case err == nil:
		return fmt.Sprintf("(%s.go has run: %s)", name, took.Round(time.Millisecond))
	case errors.Is(err, native.ErrStopped), errors.Is(err, context.Canceled):
		return fmt.Sprintf("(%s.go was stopped)", name)
	default:
		text = err.Error()
	}
	if strings.HasPrefix(text, name+".go:") {
		return "error: " + text
	}
	return fmt.Sprintf("error: %s.go: %s", name, text)
}

// locked is a writer for several goroutines.
type locked struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(b)
}
