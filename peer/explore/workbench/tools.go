package workbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/peerlab/peerlab/peer/explore"
	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// errNoLoader says why nothing is compiled in a process that many peers share,
// or that is a test.
var errNoLoader = errors.New("this process cannot load what one makes: a peer in a process of its own, started with --dev, can")

const gettingReady = "Go is getting ready: this waits for it"

// tools are what compiling takes: opened once, and maybe while inputs are
// evaluated that need none.
type tools struct {
	turn chan struct{} // one token, for the fields below
	env  *buildenv.Env
	done bool  // loading has ended
	lack error // why nothing can be compiled
}

func newTools() *tools {
	t := &tools{turn: make(chan struct{}, 1)}
	t.turn <- struct{}{}
	return t
}

// busy tells whether somebody opens the tools now.
func (t *tools) busy() bool { return len(t.turn) == 0 }

// take waits until nobody else opens the tools.
func (t *tools) take(ctx context.Context) (release func(), err error) {
	select {
	case <-t.turn:
		return func() { t.turn <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// open makes the environment. Nothing may be loaded yet. Who calls it has the
// turn.
func (t *tools) open(ctx context.Context, cfg buildenv.Config) (*buildenv.Env, error) {
	if t.env == nil {
		env, err := buildenv.Open(ctx, cfg)
		if err != nil {
			return nil, err
		}
		t.env = env
	}
	return t.env, nil
}

// load is open, and loads packages. What cannot be mended while the peer runs is a
// lack; other errors may pass.
func (t *tools) load(ctx context.Context, cfg buildenv.Config, paths []string) (env *buildenv.Env, lack, err error) {
	release, err := t.take(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	return t.loaded(ctx, cfg, paths)
}

// loaded is load for who has the turn.
func (t *tools) loaded(ctx context.Context, cfg buildenv.Config, paths []string) (env *buildenv.Env, lack, err error) {
	if env, err = t.open(ctx, cfg); err != nil || t.done {
		return env, t.lack, err
	}
	err = env.Load(ctx, paths...)
	if err != nil && !errors.Is(err, buildenv.ErrUnavailable) {
		return nil, nil, err
	}
	t.done, t.lack = true, err
	return env, t.lack, nil
}

// barred says why nothing is ever compiled here, whatever tools there are.
func (w *Workbench) barred() error {
	if w.cfg.Open == nil {
		return errNoLoader
	}
	return w.cfg.Lack
}

// start makes the session unless there is one. It waits for nothing: the
// session does without a compiler until an input needs it.
func (w *Workbench) start() (err error) {
	if w.session != nil {
		return nil
	}
	cfg := explore.Config{Await: w.await, Late: w.cfg.Late, Bound: w.objects()}
	if w.barred() == nil {
		cfg.Open = w.cfg.Open
	}
	w.session, err = explore.New(cfg)
	return err
}

// open makes the session unless there is one, with all that there is for it. It
// sets env, or fails; lack tells whether anything can be compiled.
func (w *Workbench) open(ctx context.Context) error {
	if err := w.start(); err != nil {
		return err
	}
	if why := w.barred(); why != nil {
		return fmt.Errorf("%w: %w", explore.ErrNoCompiler, why)
	}
	if err := w.equip(ctx); err != nil || w.lack != nil {
		return err
	}
	return w.session.Use(w.builder())
}

// begin is open where lines are compiled, and start elsewhere.
func (w *Workbench) begin(ctx context.Context) error {
	if w.barred() != nil {
		return w.start()
	}
	return w.open(ctx)
}

// equip waits for the tools.
func (w *Workbench) equip(ctx context.Context) (err error) {
	if w.env == nil || w.lack == nil {
		var env *buildenv.Env
		if env, w.lack, err = w.tools.load(ctx, w.cfg.Build, w.packages()); err == nil {
			w.env = env
		}
	}
	return err
}

// await is for an input that has to be compiled.
func (w *Workbench) await(ctx context.Context) (native.Builder, error) {
	if why := w.barred(); why != nil {
		return nil, why
	}
	if w.tools.busy() {
		fmt.Fprintln(w.out, gettingReady)
	}
	if err := w.equip(ctx); err != nil {
		return nil, err
	}
	if w.lack != nil {
		return nil, w.lack
	}
	return w.builder(), nil
}

// importKnown is Import where nothing can be fetched or compiled: of what is
// known without.
func (w *Workbench) importKnown(ctx context.Context, spec string, out io.Writer) error {
	path, _, _ := strings.Cut(spec, "@")
	if err := w.session.Eval(ctx, fmt.Sprintf("import %q", path), out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s is known, as far as it needs no compiler\n", path)
	return err
}
