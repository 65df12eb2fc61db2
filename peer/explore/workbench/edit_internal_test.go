package workbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// saved is a file that is saved in a test, and what came of it.
type saved struct {
	mu   sync.Mutex
	text string
	err  error
	log  bytes.Buffer
}

func (s *saved) save(text string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.err = text, err
}

func (s *saved) read() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []byte(s.text), s.err
}

// run does what the text says: "end" ends, "wait" until it is stopped, others
// are errors.
func (s *saved) run(ctx context.Context, _, src string, out io.Writer) error {
	fmt.Fprintf(out, "begin %s\n", src)
	defer fmt.Fprintf(out, "end %s\n", src)
	switch {
	case strings.HasPrefix(src, "wait"):
		<-ctx.Done()
		time.Sleep(time.Second) // it takes its time to end
		return native.ErrStopped
	case strings.HasPrefix(src, "long"):
		time.Sleep(5 * time.Second)
		return nil
	case strings.HasPrefix(src, "end"):
		return nil
	}
	return errors.New(src)
}

func (s *saved) taken() string {
	text := s.log.String()
	s.log.Reset()
	return strings.ReplaceAll(text, "\n", "; ")
}

func TestRerun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &saved{text: "as it was"}
		r := &rerun{name: "x", out: &locked{out: &s.log}, read: s.read, run: s.run, seen: []byte("as it was")}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		look, leave := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() { defer close(done); r.follow(ctx, look) }()
		for _, c := range []struct {
			name, text string
			err        error
			want       string
		}{
			{"not saved", "as it was", nil, ""},
			{"saved", "end 1", nil, "begin end 1; end end 1; (x.go has run: 0s); "},
			{"saved as it is", "end 1", nil, ""},
			{"an error", "broken", nil, "begin broken; end broken; error: x.go: broken; "},
			{"an error with its place", "x.go:2:3: undefined", nil, "begin x.go:2:3: undefined; end x.go:2:3: undefined; error: x.go:2:3: undefined; "},
			{"it goes on", "wait 2", nil, "begin wait 2; "},
			{"being replaced", "", fs.ErrNotExist, ""},
			{"the earlier one ends first", "wait 3", nil, "end wait 2; (x.go was stopped); begin wait 3; "},
		} {
			s.save(c.text, c.err)
			time.Sleep(10 * lookEvery)
			synctest.Wait()
			if got := s.taken(); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
		s.save("half of i", nil)
		time.Sleep(lookEvery)
		s.save("long 4", nil)
		leave()
		<-done
		if got, want := s.taken(), "end wait 3; (x.go was stopped); begin long 4; end long 4; (x.go has run: 5s); "; got != want {
			t.Errorf("after the last save: %q, want %q", got, want)
		}
	})
}

// When the whole ends, what runs is stopped, and nothing begins.
func TestRerunIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &saved{text: "wait 1"}
		r := &rerun{name: "x", out: &locked{out: &s.log}, read: s.read, run: s.run}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.follow(ctx, ctx) }()
		time.Sleep(10 * lookEvery)
		s.save("end 2", nil)
		stop()
		<-done
		if got, want := s.taken(), "begin wait 1; end wait 1; (x.go was stopped); "; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// Of many who watch at once one is left, and it ends.
func TestWatchAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := files.Mem()
		w := New(Config{Files: data})
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				if err := w.Watch(fmt.Sprintf("x%d", n), io.Discard); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if w.Watched() == "" {
			t.Error("nothing is watched")
		}
		w.Unwatch(ended())
		if got := w.Watched(); got != "" {
			t.Errorf("%s is watched yet", got)
		}
	})
}

func TestSnippet(t *testing.T) {
	data := files.Mem()
	w := New(Config{Files: data})
	for _, name := range []string{"A", "a-b", "../x", "a b", "x.go.go", strings.Repeat("a", 33)} {
		if _, _, err := w.Snippet(name); err == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
	if _, _, err := New(Config{}).Snippet("x"); !errors.Is(err, ErrNoFiles) {
		t.Errorf("without files: %v", err)
	}
}
