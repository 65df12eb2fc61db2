package native

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// builder makes files of nothing, and fails at a link.
type builder struct {
	dir   string
	links int // that succeed
}

var errFull = errors.New("no room")

func (*builder) Load(context.Context, ...string) error { return nil }
func (*builder) Export(string) (string, error)         { return "", check.ErrNotLoaded }
func (b *builder) Dir() string                         { return b.dir }

func (*builder) Compile(_ context.Context, _, out string, _ []string) error {
	return os.WriteFile(out, nil, 0o600)
}

func (b *builder) Link(_ context.Context, _, out string) error {
	if err := os.WriteFile(out, nil, 0o600); err != nil {
		return err
	}
	if b.links--; b.links < 0 {
		return errFull
	}
	return nil
}

// TestDiscard leaves no plugin behind of a line that does not come to its end.
func TestDiscard(t *testing.T) {
	e := exports(t)
	s, err := check.New(check.Config{Packages: e, Open: e.Open})
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.Parse(1, "x := 1; func f() int { return x }; f()")
	if err != nil {
		t.Fatal(err)
	}
	line, err := s.Check(in)
	if err != nil || len(line.Units) != 2 {
		t.Fatalf("%d units, %v", len(line.Units), err)
	}
	for name, c := range map[string]struct {
		links int
		want  error
	}{"built": {2, nil}, "half built": {1, errFull}} {
		b := &builder{t.TempDir(), c.links}
		program, err := NewEngine(b).Build(t.Context(), line)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err == nil {
			program.Discard()
		}
		if left, err := filepath.Glob(filepath.Join(b.dir, "*.so")); err != nil || len(left) > 0 {
			t.Errorf("%s: %q are left, %v", name, left, err)
		}
	}
}
