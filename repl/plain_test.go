package repl_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerlab/peerlab/repl"
)

func TestPlainReaderReads(t *testing.T) {
	r := repl.NewPlainReader(strings.NewReader("a\r\n\nb\tc"), io.Discard, false)
	defer r.Close()
	for _, want := range []string{"a", "", "b\tc"} {
		if line, err := r.ReadLine(context.Background()); line != want || err != nil {
			t.Errorf("%q, %v; want %q", line, err, want)
		}
	}
	for range 2 {
		if line, err := r.ReadLine(context.Background()); line != "" || err != io.EOF {
			t.Errorf("at the end: %q, %v", line, err)
		}
	}
}

func TestPlainReaderOutput(t *testing.T) {
	for _, prompts := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			in, w := io.Pipe()
			var out bytes.Buffer
			r := repl.NewPlainReader(in, &out, prompts)
			r.SetPrompt("\x1b[1;32m> \x1b[0m")
			r.Print("\x1b[31mbefore\x1b[m")
			done := make(chan string)
			go func() {
				line, _ := r.ReadLine(t.Context())
				done <- line
			}()
			synctest.Wait()
			r.Print("while\n")
			synctest.Wait()
			io.WriteString(w, "x\n")
			if line := <-done; line != "x" {
				t.Errorf("line %q", line)
			}
			r.Print("after\x1b[2J")
			r.Close()
			w.Close()
			r.Print("closed")
			want := "before\nwhile\nafter\\x1b[2J\n"
			if prompts {
				want = "before\n> \nwhile\n> after\\x1b[2J\n"
			}
			if out.String() != want {
				t.Errorf("output %q, want %q", out.String(), want)
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Error("there is an escape in it")
			}
		})
	}
}

func TestPlainReaderStopsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, w := io.Pipe()
		r := repl.NewPlainReader(in, io.Discard, true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.ReadLine(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("context: %v", err)
		}
		time.AfterFunc(time.Second, r.Interrupt)
		if _, err := r.ReadLine(t.Context()); err != repl.ErrInterrupt {
			t.Errorf("interrupt: %v", err)
		}
		go io.WriteString(w, "kept\n")
		if line, err := r.ReadLine(t.Context()); line != "kept" || err != nil {
			t.Errorf("the line after them: %q, %v", line, err)
		}
		time.AfterFunc(time.Second, func() { r.Close() })
		for range 2 {
			if _, err := r.ReadLine(t.Context()); err != io.EOF {
				t.Errorf("closed: %v", err)
			}
		}
		if err := r.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		w.Close()
	})
}

func TestPlainReaderPrintsWholeLines(t *testing.T) {
	var out bytes.Buffer
	r := repl.NewPlainReader(strings.NewReader(strings.Repeat("x\n", 100)), &out, false)
	var wg sync.WaitGroup
	for _, line := range []string{"aaaaaaaaaa", "bbbbbbbbbb"} {
		wg.Go(func() {
			for range 100 {
				r.Print(line)
			}
		})
	}
	for range 100 {
		if _, err := r.ReadLine(context.Background()); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	r.Close()
	if strings.Count("\n"+out.String(), "\naaaaaaaaaa") != 100 || strings.Count("\n"+out.String(), "\nbbbbbbbbbb") != 100 {
		t.Errorf("torn: %q", out.String())
	}
}

// TestKeyboardOverPlainReader: at a dumb terminal ctrl-C comes as a signal.
func TestKeyboardOverPlainReader(t *testing.T) {
	s := newShell(t, chatModes)
	synctest.Test(t, func(t *testing.T) {
		in, w := io.Pipe()
		var out bytes.Buffer
		done := make(chan error)
		r := repl.NewPlainReader(in, &out, true)
		defer r.Close()
		go func() { done <- s.Interact(t.Context(), r) }()
		synctest.Wait()
		if !s.Interrupt() {
			t.Error("the prompt was not interrupted")
		}
		synctest.Wait()
		io.WriteString(w, "hi\n")
		w.Close()
		if err := <-done; err != repl.ErrQuit {
			t.Errorf("%v", err)
		}
		if want := "chat> \nto leave, type /quit or press ctrl-D\nchat> chat<hi>\nchat> "; out.String() != want {
			t.Errorf("screen %q, want %q", out.String(), want)
		}
	})
}

// gone is the end of a pipe whose reader has gone away.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, &os.PathError{Op: "write", Err: syscall.EPIPE} }

func TestPlainReaderUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, w := io.Pipe()
		defer w.Close()
		r := repl.NewPlainReader(in, gone{}, true)
		r.SetPrompt("> ")
		defer r.Close()
		for range 2 {
			if line, err := r.ReadLine(t.Context()); line != "" || !errors.Is(err, repl.ErrUnread) {
				t.Errorf("%q, %v; want ErrUnread", line, err)
			}
		}
	})
}
