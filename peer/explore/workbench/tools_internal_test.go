package workbench

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/peer/explore/buildenv"
)

// TestOpenAgain has a directory for sessions that is none at first, as while a
// disk is full: the second try is a whole one.
func TestOpenAgain(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cache")
	if err := os.WriteFile(cache, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tools, cfg := newTools(), buildenv.Config{Info: &debug.BuildInfo{}, Cache: cache}
	for range 2 {
		if env, err := tools.open(t.Context(), cfg); err == nil {
			t.Fatalf("tools in %q, which is no directory", env.Dir())
		}
	}
	if err := os.Remove(cache); err != nil {
		t.Fatal(err)
	}
	env, err := tools.open(t.Context(), cfg)
	if err != nil || filepath.Dir(env.Dir()) != cache {
		t.Fatalf("the tools are in %q, %v", env.Dir(), err)
	}
	if err := env.Close(); err != nil {
		t.Error(err)
	}
}

// TestNotes go to whoever has asked, as long as he waits.
func TestNotes(t *testing.T) {
	w := New(Config{})
	var heard strings.Builder
	w.builder().note("before")
	_, end := w.evaluate(t.Context(), &heard)
	w.builder().note("an older one")
	end()
	w.builder().note("after")
	if got := heard.String(); got != "an older one\n" {
		t.Errorf("heard %q", got)
	}
}
