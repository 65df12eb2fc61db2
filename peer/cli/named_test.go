package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/repl"
)

func makeFiles(t *testing.T, names ...string) {
	t.Helper()
	for _, n := range names {
		if err := os.MkdirAll(filepath.Dir(n), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(n, "/") {
			continue
		}
		if err := os.WriteFile(n, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(list []repl.Candidate) string {
	var all []string
	for _, c := range list {
		all = append(all, c.Text)
	}
	return strings.Join(all, "|")
}

// TestNamesOfFiles: what is proposed is what will be found.
func TestNamesOfFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	makeFiles(t, "one.cmd", "one two", "sub/inner.cmd", "sub/.hid", ".hidden", "empty/", "tab\there", "\xff")
	if err := os.Symlink("sub", "link"); err != nil {
		t.Skipf("needs symbolic links: on Windows, switch on developer mode: %v", err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]string{
		"one":         "one two|one.cmd",
		"o":           "one two|one.cmd",
		"":            "empty/|link/|one two|one.cmd|sub/",
		".":           ".hidden",
		".h":          ".hidden",
		"..":          "../",
		"sub/":        "sub/inner.cmd",
		"sub/.":       "sub/.hid",
		"./sub/i":     "./sub/inner.cmd",
		"link/":       "link/inner.cmd",
		"empty/":      "",
		"nosuch/":     "",
		"one.cmd/":    "",
		here + "/one": here + "/one two|" + here + "/one.cmd",
		"sub/../one.": "sub/../one.cmd",
	} {
		s, err := repl.New(repl.Config{Files: func(p string) []repl.Candidate {
			if p != prefix {
				t.Errorf("asked for %q, typed %q", p, prefix)
			}
			return namesOfFiles(p)
		}})
		if err != nil {
			t.Fatal(err)
		}
		line := "execute '" + prefix
		list, _ := s.Complete(line, len(line))
		got := strings.NewReplacer("'", "").Replace(texts(list))
		if got != want {
			t.Errorf("%q: %q, want %q", prefix, got, want)
		}
		for _, c := range namesOfFiles(prefix) {
			f, err := openNamed(c.Text)
			if (err != nil) != c.Part {
				t.Errorf("%q: open: %v", c.Text, err)
			}
			if f != nil {
				f.Close()
			}
		}
	}
}

func TestHugeDirectoryIsLeftAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	for i := range maxProposed + 2 {
		if err := os.WriteFile(fmt.Sprintf("f%05d", i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(namesOfFiles("f")); n != 0 {
		t.Errorf("%d of them proposed", n)
	}
	if got := texts(namesOfFiles("f00017")); got != "f00017" {
		t.Errorf("a name that is nearly typed: %q", got)
	}
}

func TestOpenNamed(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	makeFiles(t, "a", "d/")
	if f, err := openNamed("a"); err != nil {
		t.Error(err)
	} else if _, err := io.ReadAll(f); err != nil || f.Close() != nil {
		t.Error(err)
	}
	_, err := openNamed("no such")
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != "there is no file 'no such' in "+dir {
		t.Errorf("%v", err)
	}
	if _, err := openNamed("d"); err == nil || !strings.Contains(err.Error(), "is a directory: give") {
		t.Errorf("%v", err)
	}
}
