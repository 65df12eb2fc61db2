package workbench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/repl"
)

// tree writes files, empty ones, below a new directory.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range files {
		file := filepath.Join(root, filepath.FromSlash(f))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// texts are the texts of candidates, in their order.
func texts(list []repl.Candidate) string {
	var all []string
	for _, c := range list {
		all = append(all, c.Text)
	}
	return strings.Join(all, " ")
}

func TestPaths(t *testing.T) {
	src := tree(t, "fmt/print.go", "net/net.go", "net/http/http.go", "net/http/internal/ascii.go", "internal/abi/a.go", "vendor/x/x.go", "cmd/go/main.go", "builtin/builtin.go", "html/only_test.go", "testdata/t.go")
	cache := tree(t, "example.com/!big/tree@v1.0.0/tree.go", "example.com/!big/tree@v1.0.0/leaf/leaf.go", "example.com/!big/tree@v1.0.0/deep/er/er.go", "example.com/!big/tree@v1.0.0/internal/i.go",
		"example.com/tools@v0.1.0/cover/cover.go", "example.com/mine@v1.0.0/mine.go", "cache/download/x.go")
	w := New(Config{})
	w.paths.about, w.paths.modules = map[string]string{"example.com/mine": "in this program v2.0.0"}, map[string]string{"example.com/mine": "/elsewhere"}
	end := time.Now().Add(time.Minute)
	standard(w.paths.about, src, end)
	fetched(w.paths.about, w.paths.modules, cache, end)
	for typed, want := range map[string]string{
		"":                            `example.com/Big/tree" example.com/mine" fmt" net" net/http"`,
		"net":                         `net" net/http"`,
		"net/http":                    `net/http"`,
		"example.com/B":               `example.com/Big/tree"`,
		"example.com/Big/tree/":       `example.com/Big/tree/deep/ example.com/Big/tree/leaf"`,
		"example.com/Big/tree/deep/":  `example.com/Big/tree/deep/er"`,
		"example.com/Big/tree/deep/x": "",
		"example.com/tools/c":         `example.com/tools/cover"`, // the module is no package itself
		"example.com/none/":           "",
		"../":                         "",
	} {
		if got := texts(w.importable(typed, `"`)); got != want {
			t.Errorf("%q: %s, want %s", typed, got, want)
		}
	}
	if got := w.paths.about["example.com/mine"]; got != "in this program v2.0.0" {
		t.Errorf("what is fetched hides what the program has: %q", got)
	}
	standard(w.paths.about, tree(t, "late/late.go"), time.Now()) // no time is left
	if _, ok := w.paths.about["late"]; ok {
		t.Error("the search goes on when its time is over")
	}
}

func TestInImport(t *testing.T) {
	for text, want := range map[string]string{
		`import "net/h`:        "net/h",
		`  import x "a.b/c`:    "a.b/c",
		`import . "`:           "",
		"import `x":            "x",
		`import "net/http"`:    "no",
		`import net`:           "no",
		`x := "net/h`:          "no",
		`fmt.Print("import "a`: "no",
	} {
		got := "no"
		if from, ok := inImport(text); ok {
			got = text[from:]
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestAskingDoesNotWait: while something runs nothing is proposed, at once.
func TestAskingDoesNotWait(t *testing.T) {
	w := New(Config{})
	ask := func() string {
		list, start := w.Complete("strings.", 8)
		names, from := w.CompleteName("strings.", 8)
		return fmt.Sprint(len(list), start, len(names), from, w.Hint("strings.Cut("))
	}
	<-w.turn
	if got := ask(); got != "0 8 0 8" {
		t.Errorf("while something runs: %s", got)
	}
	w.turn <- struct{}{}
	if got := ask(); got == "0 8 0 8" {
		t.Error("nothing is proposed when nothing runs")
	}
	select {
	case <-w.turn:
	default:
		t.Error("asking keeps the turn")
	}
	w.turn <- struct{}{}
	long := strings.Repeat("strings.Clone(\"\"); ", longest/16) + "strings."
	if list, start := w.Complete(long, len(long)); len(list) > 0 || start != len(long) || w.Hint(long+"Clone(") != "" {
		t.Error("a long text is looked at")
	}
}
