package language_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/peerlab/peerlab/testserver/language"
)

// TestGolden parses, formats and lints the files of testdata/golden. There
// "-- NAME --" is followed by a scenario, and "-- NAME/KIND --" by what comes
// of it: tree (errors have that form too), format, lint. A scenario writes
// the markers of its own attached files with a backslash before them.
// With UPDATE=1 in the environment what comes out is written down.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		area := strings.TrimSuffix(filepath.Base(file), ".txtar")
		sources := map[string]string{}
		for i, f := range a.Files {
			name, kind, derived := strings.Cut(f.Name, "/")
			if !derived {
				sources[name] = strings.ReplaceAll("\n"+string(f.Data), "\n\\", "\n")[1:]
				continue
			}
			t.Run(area+"/"+f.Name, func(t *testing.T) {
				got := derive(kind, sources[name])
				if os.Getenv("UPDATE") != "" {
					a.Files[i].Data = []byte(got)
				} else if want := string(f.Data); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// derive is what comes of a scenario.
func derive(kind, source string) string {
	s, err := language.Parse("x.cmd", []byte(source))
	if err != nil {
		return err.Error() + "\n"
	}
	switch kind {
	case "tree":
		return dump(s, true)
	case "format":
		out, err := language.Format([]byte(source))
		if err != nil {
			return err.Error() + "\n"
		}
		return strings.ReplaceAll("\n"+string(out), "\n-- ", "\n\\-- ")[1:]
	case "lint":
		var b strings.Builder
		for _, w := range language.Lint(s) {
			b.WriteString(w.Error() + "\n")
		}
		return b.String()
	}
	return "no kind " + kind + "\n"
}
