package native

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/check/checktest"
)

var update = flag.Bool("update", false, "write the golden files anew")

var exports = checktest.Exports(check.ErrNotLoaded,
	"fmt", "os", "time", "strings", "encoding/binary", "sync", "plugin", "github.com/peerlab/peerlab/peer/explore/live")

// TestRewrite compares what becomes of inputs with golden files, and has the
// compiler look at it. In a golden file "--- " begins an input.
func TestRewrite(t *testing.T) {
	e := exports(t)
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { golden(t, e, file) })
	}
}

func golden(t *testing.T, e checktest.Files, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := check.New(check.Config{Packages: e, Open: e.Open,
		Imports: map[string]string{"fmt": "fmt", "os": "os", "time": "time", "strings": "strings", "binary": "encoding/binary", "sync": "sync"},
		Bound:   map[string]reflect.Type{"now": reflect.TypeFor[time.Time]()}})
	if err != nil {
		t.Fatal(err)
	}
	g := &golding{t: t, exports: e.Config(), session: s, dir: t.TempDir()}
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
	exports string // of the packages that are there before
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
	fmt.Fprintf(&g.config, "packagefile %s=%s\n", path, base+".a")
	if err := os.WriteFile(base+".cfg", []byte(g.exports+g.config.String()), 0o600); err != nil {
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

// TestManyEdits needs not much more memory for each of many than for each of a
// few: what copies all at every edit takes minutes for a long file.
func TestManyEdits(t *testing.T) {
	needed := func(n int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e := &edits{src: strings.Repeat("f x ", n)}
		for i := range n {
			e.replace(4*i+2, 4*i+3, "y")
			e.insertAfter(4*i+3, ")")
		}
		got := e.take(0, len(e.src))
		runtime.ReadMemStats(&after)
		if got != strings.Repeat("f y) ", n) {
			t.Fatalf("took %.40q...", got)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	if few, many := needed(200), needed(2000); many > 30*few {
		t.Errorf("ten times as many edits need %d bytes instead of %d", many, few)
	}
}
