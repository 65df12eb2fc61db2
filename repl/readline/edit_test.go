//go:build unix

package readline_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fileEditor edits a file that somebody else keeps.
type fileEditor interface {
	Edit(ctx context.Context, file string) error
}

// TestEditFile: between two lines the terminal is lent to the editor for a file,
// messages wait, and the next line is read as before.
func TestEditFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.go")
	mark := filepath.Join(t.TempDir(), "mark")
	for _, tt := range []struct {
		name, editor, want, fails string
	}{
		{"change", script(t, `echo changed >"$1"; : >`+mark+`; read go`), "changed\n", ""},
		{"it fails", script(t, `: >`+mark+`; read go; exit 3`), "before", "exit status 3"},
		{"it is not there", "no-such-editor", "before", "there is no editor"},
		{"none is set", "", "before", "no editor is set"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
				t.Fatal(err)
			}
			_ = os.Remove(mark)
			c := newConsole(t, 100, 20, withEditor(tt.editor))
			c.enters("one\r", "one")
			edit, ok := c.LineReader.(fileEditor)
			if !ok {
				t.Fatal("it edits no files")
			}
			done := make(chan error, 1)
			go func() { done <- edit.Edit(t.Context(), file) }()
			if strings.HasPrefix(tt.editor, "/") {
				c.until("editor", func() bool { _, err := os.Stat(mark); return err == nil })
				c.Print("while it is edited\n")
				c.types("\r")
			}
			err := <-done
			if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("error %v, want %q", err, tt.fails)
			}
			if raw, err := os.ReadFile(file); err != nil || string(raw) != tt.want {
				t.Errorf("the file is %q, %v", raw, err)
			}
			c.enters("two\r", "two")
			if strings.HasPrefix(tt.editor, "/") {
				c.wait("message", func() bool { return strings.Contains(c.text(), "while it is edited") })
			}
		})
	}
}

// When its context ends, so does the editor; while a line is read there is none.
func TestEditFileEnds(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	c := newConsole(t, 100, 20, withEditor(script(t, `: >`+mark+`; sleep 60`)))
	edit := c.LineReader.(fileEditor)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- edit.Edit(ctx, "x") }()
	c.until("editor", func() bool { _, err := os.Stat(mark); return err == nil })
	cancel()
	select {
	case err := <-done:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
	line := c.read(t.Context())
	c.types("half")
	c.wait("half", func() bool { return strings.Contains(c.text(), "> half") })
	if err := edit.Edit(t.Context(), "x"); err == nil {
		t.Error("it edits while a line is read")
	}
	c.types("\r")
	c.ends(line, "half", nil)
}
