package shell_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
)

// bench is Go that runs files.
type bench struct {
	keeper
	watched string
	out     io.Writer
	log     []string
}

func (b *bench) Snippet(name string) (found, path string, err error) {
	if name == "Bad" {
		return "", "", errors.New("no name")
	}
	if name == "" {
		name = "last"
	}
	return name, "/somewhere/" + name + ".go", nil
}

func (b *bench) Watch(name string, out io.Writer) error {
	b.watched, b.out = name, out
	return nil
}

func (b *bench) Watched() string { return b.watched }

func (b *bench) Unwatch(ctx context.Context) {
	b.log = append(b.log, fmt.Sprintf("unwatch %s %v", b.watched, ctx.Err()))
	fmt.Fprintln(b.out, "a last word")
	b.watched = ""
}

func TestEditForAnEditorOfOnesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{}
		var late strings.Builder
		p := newRoom(t).peer("alice", func(c *shell.Config) { c.Dev, c.Go, c.Late = true, b, &late })
		p.steps([]step{
			{"edit lottery", "/somewhere/lottery.go runs whenever it is saved; edit without a name ends that\n", ""},
			{"edit", "lottery.go is not watched any more\n", ""},
			{"edit", "/somewhere/last.go runs whenever it is saved.*", ""},
			{"edit -c", "/somewhere/last.go runs whenever it is saved.*", ""},
			{"edit Bad", "", "no name"},
		})
		if want := "[unwatch lottery context canceled]"; fmt.Sprint(b.log) != want {
			t.Errorf("%v, want %s", b.log, want)
		}
		fmt.Fprint(b.out, "tick\x1b[31m\n")
		if got := late.String(); !strings.Contains(got, "a last word\ntick") || strings.Contains(got, "\x1b") {
			t.Errorf("it shows %q", got)
		}
	})
}

// At a prompt the editor has the terminal, and the watching ends with it.
func TestEditAtAPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, fails := range []error{nil, errors.New("no such editor")} {
			b := &bench{}
			edited := ""
			p := newRoom(t).peer("alice", func(c *shell.Config) {
				c.Dev, c.Go = true, b
				c.Editor = func(_ context.Context, file string) error {
					edited = file
					fmt.Fprintln(b.out, "while it is edited")
					return fails
				}
			})
			y := &typist{lines: []string{"/edit x"}}
			if err := p.Interact(t.Context(), y); !errors.Is(err, repl.ErrQuit) {
				t.Fatal(err)
			}
			out := y.shown.String()
			want := []string{"while it is edited", "a last word"}
			log := "[unwatch x <nil>]"
			if fails != nil {
				want, log = append(want, "error: no such editor"), "[unwatch x context canceled]"
			}
			for _, w := range want {
				if !strings.Contains(out, w) {
					t.Errorf("%q is not in %q", w, out)
				}
			}
			if edited != "/somewhere/x.go" || fmt.Sprint(b.log) != log {
				t.Errorf("%s, %v, want %s", edited, b.log, log)
			}
		}
	})
}
