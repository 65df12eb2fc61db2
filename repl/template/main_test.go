package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runs the program in this process, with lines on its standard input.
func runs(t *testing.T, input string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	dir := t.TempDir()
	var files []*os.File
	for _, name := range []string{"in", "out", "err"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	if _, err := files[0].WriteString(input); err != nil {
		t.Fatal(err)
	}
	if _, err := files[0].Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), args, files[0], files[1], files[2])
	return read(t, files[1].Name()), read(t, files[2].Name()), err
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestCommands(t *testing.T) {
	for _, test := range []struct{ name, input, stdout, stderr string }{
		{"greet", "greet alice\n", "Hello, alice!\n", ""},
		{"wrong arguments", "greet\n", "", "error: usage: greet NAME (arguments are missing)\n"},
		{"after an error", "nonsense\ngreet bob\n", "Hello, bob!\n", "error: unknown command \"nonsense\": /help lists them\n"},
		{"quit", "quit\ngreet bob\n", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, err := runs(t, test.input)
			if stdout != test.stdout || stderr != test.stderr || (err != nil) != (test.stderr != "") {
				t.Errorf("%q: printed %q and %q, %v", test.input, stdout, stderr, err)
			}
		})
	}
}

func TestScriptAndLog(t *testing.T) {
	dir := t.TempDir()
	script, log := filepath.Join(dir, "two.cmd"), filepath.Join(dir, "log")
	if err := os.WriteFile(script, []byte("greet alice\ngreet\ngreet bob\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := runs(t, "", "-log", log, script)
	if stdout != "Hello, alice!\n" || err == nil || !strings.Contains(err.Error(), "two.cmd:2: usage: greet NAME") {
		t.Errorf("printed %q, %v", stdout, err)
	}
	if got := read(t, log); !strings.Contains(got, `"line":"greet alice"`) || !strings.Contains(got, `"error":"usage: greet NAME`) {
		t.Errorf("logged %s", got)
	}
}

func TestHistory(t *testing.T) {
	h := history{file: filepath.Join(t.TempDir(), "history")}
	h.save("greet alice")
	h.save("greet bob")
	if got := h.load(); len(got) != 2 || got[1] != "greet bob" {
		t.Errorf("loaded %q", got)
	}
}
