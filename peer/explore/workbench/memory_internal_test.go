package workbench

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// What was loaded is counted, and told once that it is much.
func TestMemory(t *testing.T) {
	fails := false
	w := New(Config{Open: func(string) error {
		if fails {
			return errors.New("no")
		}
		return nil
	}})
	var out strings.Builder
	tell := func() string {
		defer out.Reset()
		w.warn(&out)
		return out.String()
	}
	for range manyLines - 1 {
		if err := w.cfg.Open("x.so"); err != nil {
			t.Fatal(err)
		}
	}
	fails = true
	if err := w.cfg.Open("x.so"); err == nil {
		t.Error("a failure is no error")
	}
	if got := tell(); got != "" {
		t.Errorf("too early: %s", got)
	}
	fails = false
	_ = w.cfg.Open("x.so")
	if got := tell(); !strings.Contains(got, "200 compiled lines") || !strings.Contains(got, "reboot") {
		t.Errorf("it says %q", got)
	}
	if got := tell(); got != "" {
		t.Errorf("twice: %s", got)
	}
	if err := w.Memory(context.Background(), &out); err != nil || !strings.Contains(out.String(), "loaded: 200\n") {
		t.Errorf("%q, %v", &out, err)
	}
	if New(Config{}).cfg.Open != nil {
		t.Error("a peer that loads nothing would")
	}
}

func TestMemoryByBytes(t *testing.T) {
	w := New(Config{Open: func(string) error { return nil }})
	_ = w.cfg.Open("x.so")
	var out strings.Builder
	w.memory.before -= muchMore
	w.warn(&out)
	if !strings.Contains(out.String(), "1 compiled lines and 4") {
		t.Errorf("it says %q", &out)
	}
}
