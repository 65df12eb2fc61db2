package native

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/live"
)

// Engine builds the lines of one session. It is not safe for concurrent use.
type Engine struct {
	builder Builder
	session int64
	built   int
}

// NewEngine makes an engine whose packages have paths of their own in this
// process.
func NewEngine(b Builder) *Engine { return &Engine{builder: b, session: live.NewSession()} }

// Program is a line that is ready to be opened. Whoever has it discards it.
type Program struct {
	Parts []Part // in the order in which they run
}

// Discard removes what was built and is not opened: a plugin is of megabytes.
func (p *Program) Discard() {
	for _, part := range p.Parts {
		if part.file != "" {
			_ = os.Remove(part.file) // opened, it is gone already
		}
	}
}

// Part is a unit of a line, built.
type Part struct {
	Unit *check.Unit
	Path string // import path
	file string // the plugin; empty if nothing of the unit has to run
}

// Build makes plugins of the units of a line. Nothing of it runs yet.
func (e *Engine) Build(ctx context.Context, line *check.Line) (*Program, error) {
	p := &Program{}
	for _, u := range line.Units {
		part, err := e.build(ctx, u)
		p.Parts = append(p.Parts, part)
		if err != nil {
			p.Discard() // of the last one there may be a half
			return nil, err
		}
	}
	return p, nil
}

func (e *Engine) build(ctx context.Context, u *check.Unit) (Part, error) {
	if empty(u) {
		return Part{Unit: u}, nil
	}
	e.built++
	part := Part{Unit: u, Path: e.prefix() + fmt.Sprintf("s%d", e.built)}
	src, err := Rewrite(u, part.Path)
	if err != nil {
		return part, err
	}
	var foreign []string
	for _, path := range src.Imports {
		if !strings.HasPrefix(path, e.prefix()) {
			foreign = append(foreign, path)
		}
	}
	if err := e.builder.Load(ctx, foreign...); err != nil {
		return part, err
	}
	base := filepath.Join(e.builder.Dir(), fmt.Sprintf("s%d_%d", e.session, e.built))
	if err := os.WriteFile(base+".go", []byte(src.Text), 0o600); err != nil {
		return part, fmt.Errorf("write the line: %w", err)
	}
	if err := e.builder.Compile(ctx, part.Path, base+".a", []string{base + ".go"}); err != nil {
		return part, compileError(err)
	}
	if idle(u) {
		return part, nil
	}
	part.file = base + ".so"
	if err := e.builder.Link(ctx, base+".a", part.file); err != nil {
		return part, err
	}
	return part, nil
}

func (e *Engine) prefix() string { return fmt.Sprintf("repl/%d/", e.session) }

// compileError makes the compiler's first message readable. The checker has
// seen the line before, so this is rare.
func compileError(err error) error {
	for line := range strings.Lines(err.Error()) {
		if i := strings.LastIndex(line, "‹"); i >= 0 {
			return &check.Error{Text: strings.ReplaceAll(strings.TrimSpace(line[i:]), check.Mark, ""), Err: err}
		}
	}
	return &check.Error{Text: strings.ReplaceAll(err.Error(), check.Mark, ""), Err: err}
}

// empty tells a unit that imports and does nothing else.
func empty(u *check.Unit) bool {
	return len(u.Run.Body.List) == 0 && len(u.Blank) == 0 && !slices.ContainsFunc(u.New, func(b *check.Binding) bool {
		return b.Kind != check.Import && b.Path == ""
	})
}

// idle tells a unit that declares types, constants and functions only. Its
// package comes along with the first that uses it: there is no need to link
// and load it before.
func idle(u *check.Unit) bool {
	return len(u.Run.Body.List) == 0 && len(u.Blank) == 0 && len(u.Info.InitOrder) == 0 &&
		!slices.ContainsFunc(u.New, func(b *check.Binding) bool { return b.Kind == check.Var && b.Path == "" })
}

// Open has load take a part into this process and returns what it has
// registered; nil if there is nothing to load. The plugin's file is not needed any more
// afterwards. What the package initialises runs now.
func (p Part) Open(load func(file string) error) (*live.Package, error) {
	if p.file == "" {
		return nil, nil
	}
	err := load(p.file)
	_ = os.Remove(p.file) // the mapping stays; a file that is left costs disk only
	if err != nil {
		return nil, err
	}
	pkg := live.Take(p.Path)
	if pkg == nil {
		return nil, fmt.Errorf("the plugin of %s has not made itself known", p.Path)
	}
	return pkg, nil
}
