package buildenv_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// fakeProxy writes the modules of testdata/mod as a module proxy on disk, and
// returns its URL.
func fakeProxy(t testing.TB, dir string) string {
	t.Helper()
	archives, err := filepath.Glob("testdata/mod/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no modules to serve: %v", err)
	}
	for _, name := range archives {
		content, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(filepath.Base(name), ".txtar")
		i := strings.LastIndex(base, "_")
		serveModule(t, dir, strings.ReplaceAll(base[:i], "_", "/"), base[i+1:], content.Files)
	}
	return "file://" + filepath.ToSlash(dir)
}

func serveModule(t testing.TB, dir, path, version string, files []txtar.File) {
	t.Helper()
	at := filepath.Join(dir, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(at, 0o700); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for _, f := range files {
		if ext, meta := strings.CutPrefix(f.Name, "."); meta {
			write(t, filepath.Join(at, version+"."+ext), f.Data)
			continue
		}
		w, err := z.Create(path + "@" + version + "/" + f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(at, version+".zip"), packed.Bytes())
	list, err := os.ReadFile(filepath.Join(at, "list"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	write(t, filepath.Join(at, "list"), append(list, version+"\n"...))
}

func write(t testing.TB, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
