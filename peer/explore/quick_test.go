package explore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuickAsCompiled evaluates lines twice, as they come and with all of them
// compiled, and wants the same: a few of the table always, all of every table
// where there is time.
func TestQuickAsCompiled(t *testing.T) {
	t.Parallel()
	files := []string{"testdata/quick.txt"}
	if os.Getenv("PEERLAB_SOAK") != "" {
		more, err := filepath.Glob("testdata/lines/*.txt")
		if err != nil || len(more) == 0 {
			t.Fatal("no tables", err)
		}
		files = append(files, more...)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { sameAsCompiled(t, "//new", f, 8, 40) })
	}
}

// TestMirroredAsCompiled is the same for a session that begins with the types
// that the program shows of itself, and gets a compiler in the middle.
func TestMirroredAsCompiled(t *testing.T) {
	sameAsCompiled(t, "//mirrored", "testdata/mirrored.txt", 0, 8)
}

// sameAsCompiled compares the answers of two sessions, one of which compiles
// all: to the first lines, and to every n-th of those that follow.
func sameAsCompiled(t *testing.T, kind, file string, first, n int) {
	if testing.Short() {
		t.Skip("builds a program: run without -short")
	}
	got, want := start(t), start(t)
	for p, kind := range map[*program]string{got: kind, want: "//compiled"} {
		if _, err := p.eval(kind); err != nil {
			t.Fatal(err)
		}
	}
	for i, l := range readLines(t, file) {
		if os.Getenv("PEERLAB_SOAK") == "" && i >= first && i%n != 0 {
			l.src = "0" // the numbers of lines stay
		}
		a, err := got.eval(l.src)
		b, err2 := want.eval(l.src)
		if err != nil || err2 != nil {
			t.Fatalf("%d: %s: %v, compiled %v", i+1, l.src, err, err2)
		}
		if varying.ReplaceAllString(a, "~") != varying.ReplaceAllString(b, "~") {
			t.Errorf("%d: %s\n     got %scompiled %s", i+1, l.src, a, b)
		}
	}
}
