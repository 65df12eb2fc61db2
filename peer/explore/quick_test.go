package explore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuickAsCompiled evaluates lines twice, as they come and with all of them
// compiled, and wants the same. Every one has a side: a few of the table are
// looked at always, all of every table where there is time.
func TestQuickAsCompiled(t *testing.T) {
	files := []string{"testdata/quick.txt"}
	if os.Getenv("PEERLAB_SOAK") != "" {
		more, err := filepath.Glob("testdata/lines/*.txt")
		if err != nil || len(more) == 0 {
			t.Fatal("no tables", err)
		}
		files = append(files, more...)
	}
	if testing.Short() {
		t.Skip("builds a program")
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			t.Parallel()
			quick, compiled := start(t), start(t)
			if _, err := compiled.eval("//compiled"); err != nil {
				t.Fatal(err)
			}
			for i, l := range readLines(t, f) {
				if os.Getenv("PEERLAB_SOAK") == "" && i > 3 && i%8 != 0 {
					l.src = "0" // numbers of lines stay
				}
				got, err := quick.eval(l.src)
				want, err2 := compiled.eval(l.src)
				if err != nil || err2 != nil {
					t.Fatalf("%d: %s: %v, compiled %v", i+1, l.src, err, err2)
				}
				if varying.ReplaceAllString(got, "~") != varying.ReplaceAllString(want, "~") {
					t.Errorf("%d: %s\n     got %scompiled %s", i+1, l.src, got, want)
				}
			}
		})
	}
}
