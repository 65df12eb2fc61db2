package native

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore/check"
)

var update = flag.Bool("update", false, "write the golden files anew")

type exports map[string]string

func (e exports) Export(path string) (string, error) {
	if file := e[path]; file != "" {
		return file, nil
	}
	return "", fmt.Errorf("%s: %w", path, check.ErrNotLoaded)
}

var stdExports = sync.OnceValues(func() (exports, error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}",
		"fmt", "os", "time", "strings", "encoding/binary", "sync", "github.com/peerlab/peerlab/peer/explore/live").Output()
	if err != nil {
		return nil, err
	}
	e := exports{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		e[path] = file
	}
	return e, nil
})

// TestRewrite compares what becomes of inputs with golden files, and has the
// compiler look at it. In a golden file "--- " begins an input.
func TestRewrite(t *testing.T) {
	e, err := stdExports()
	if err != nil {
		t.Skip("no go tool:", err)
	}
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { golden(t, e, file) })
	}
}

func golden(t *testing.T, e exports, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := check.New(check.Config{Packages: e, Open: func(f string) (io.ReadCloser, error) { return os.Open(f) },
		Imports: map[string]string{"fmt": "fmt", "os": "os", "time": "time", "strings": "strings", "binary": "encoding/binary", "sync": "sync"},
		Bound:   map[string]reflect.Type{"now": reflect.TypeFor[time.Time]()}})
	if err != nil {
		t.Fatal(err)
	}
	g := &golding{t: t, exports: e, session: s, dir: t.TempDir()}
	var got strings.Builder
	for i, part := range strings.Split("\n"+string(data), "\n--- ")[1:] {
		src, want, _ := strings.Cut(part, "\n")
		text := g.rewrite(i+1, src)
		fmt.Fprintf(&got, "--- %s\n%s", src, text)
		if strings.TrimSpace(text) != strings.TrimSpace(want) && !*update {
			t.Errorf("%s\n--- got\n%s\n--- want\n%s", src, text, want)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

type golding struct {
	t       *testing.T
	exports exports
	session *check.Session
	dir     string
	units   int
	config  strings.Builder // of packages made before
}

// rewrite rewrites an input, marks written as "^", and compiles the result.
func (g *golding) rewrite(n int, src string) string {
	in, err := g.session.Parse(n, src)
	if err != nil {
		g.t.Fatal(src, err)
	}
	line, err := g.session.Check(in)
	if err != nil {
		g.t.Fatal(src, err)
	}
	var all strings.Builder
	for _, u := range line.Units {
		g.units++
		path := fmt.Sprintf("repl/1/s%d", g.units)
		s, err := Rewrite(u, path)
		if err != nil {
			g.t.Fatal(src, err)
		}
		g.session.Commit(u)
		g.compile(path, s)
		body := s.Text[strings.Index(s.Text, "\n")+1:]
		all.WriteString(strings.ReplaceAll(body, check.Mark, "^"))
	}
	return all.String()
}

func (g *golding) compile(path string, s Source) {
	base := filepath.Join(g.dir, filepath.Base(path))
	var config strings.Builder
	for p, f := range g.exports {
		if f != "" {
			fmt.Fprintf(&config, "packagefile %s=%s\n", p, f)
		}
	}
	fmt.Fprintf(&g.config, "packagefile %s=%s\n", path, base+".a")
	if err := os.WriteFile(base+".cfg", []byte(config.String()+g.config.String()), 0o600); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(base+".go", []byte(s.Text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	out, err := exec.Command("go", "tool", "compile", "-p", path, "-complete", "-pack", "-importcfg", base+".cfg", "-o", base+".a", base+".go").CombinedOutput()
	if err != nil {
		g.t.Errorf("%v: %s\n%s", err, out, s.Text)
	}
}

func TestEdits(t *testing.T) {
	e := &edits{src: "go f(<-c, 1)"}
	e.add(5, 7, over, "Recv(")
	e.insertAfter(8, ")")
	e.insertBefore(5, "(")
	e.insertAfter(8, ")")
	if got := e.take(5, 8); got != "(Recv(c))" {
		t.Errorf("took %q", got)
	}
	e.replace(3, 4, "g")
	if got := e.take(0, len(e.src)); got != "go g(<-c, 1)" {
		t.Errorf("rest is %q", got)
	}
}
