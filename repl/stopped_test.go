package repl

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// valve is an output that takes nothing while it is shut.
type valve struct {
	open chan struct{}
	text strings.Builder
}

func (v *valve) Write(p []byte) (int, error) {
	<-v.open
	return v.text.Write(p)
}

// TestPlainReaderOnAStoppedOutput: who prints waits once, for a moment; lines
// are read all the same; and when the output goes on everything comes in
// order, with a count of what was too much.
func TestPlainReaderOnAStoppedOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, w := io.Pipe()
		v := &valve{open: make(chan struct{})}
		r := NewPlainReader(in, v, true)
		r.SetPrompt("> ")
		const kept, more = maxStopped>>10 + 1, 100 // the first one is on its way
		start := time.Now()
		for i := range kept + more {
			line := fmt.Sprintf("line %6d ", i)
			r.Print(line + strings.Repeat("x", 1023-len(line)))
			if i == 0 {
				synctest.Wait()
			}
		}
		if took := time.Since(start); took != patience {
			t.Errorf("Print waited %v", took)
		}
		go io.WriteString(w, "typed\n")
		if line, err := r.ReadLine(t.Context()); line != "typed" || err != nil {
			t.Errorf("read %q, %v", line, err)
		}
		close(v.open)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		w.Close()
		lines := strings.Split(v.text.String(), "\n")
		for i := range kept {
			if !strings.HasPrefix(lines[i], fmt.Sprintf("line %6d ", i)) {
				t.Fatalf("line %d is %.20q", i, lines[i])
			}
		}
		if rest := lines[kept:]; len(rest) != 2 || rest[0] != "(100 more were not kept)" || rest[1] != "" {
			t.Errorf("at the end: %.200q", rest)
		}
	})
}

// TestCloseOfAStoppedOutput: the end is not kept waiting for ever.
func TestCloseOfAStoppedOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &valve{open: make(chan struct{})}
		r := NewPlainReader(strings.NewReader(""), v, true)
		r.Print("a line")
		start := time.Now()
		if err := r.Close(); err != nil || time.Since(start) > 2*patience {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		close(v.open)
	})
}

// TestPlainReaderSuspends: what is printed while the terminal is lent comes
// afterwards.
func TestPlainReaderSuspends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &valve{open: make(chan struct{})}
		close(v.open)
		r := NewPlainReader(strings.NewReader(""), v, true)
		defer r.Close()
		r.Print("before")
		err := r.Suspend(func() error {
			r.Print("while")
			synctest.Wait()
			if got := v.text.String(); got != "before\n" {
				t.Errorf("while it is lent the terminal has %q", got)
			}
			return context.Canceled
		})
		synctest.Wait()
		if got := v.text.String(); err != context.Canceled || got != "before\nwhile\n" {
			t.Errorf("%v, %q", err, got)
		}
	})
}
