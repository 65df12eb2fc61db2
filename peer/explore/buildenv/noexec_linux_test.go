package buildenv

import (
	"os"
	"strings"
	"testing"
)

// TestNoexec asks about all that is mounted so, and about what cannot be.
func TestNoexec(t *testing.T) {
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if noexec(file) {
		t.Errorf("%s runs, from a disk from which nothing may be run", file)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Skip("needs /proc/self/mounts: mount /proc")
	}
	for line := range strings.Lines(string(mounts)) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.Contains(","+words[3]+",", ",noexec,") || strings.Contains(words[1], "\\") {
			continue
		}
		e := &Env{dir: words[1] + "/session"}
		if err := os.Mkdir(e.dir, 0o700); err != nil {
			continue // it is not ours to write there
		}
		found := e.aboutDisk()
		if err := os.Remove(e.dir); err != nil {
			t.Error(err)
		}
		if len(found) == 0 || !found[0].Blocks || !strings.Contains(found[0].String(), "set TMPDIR") {
			t.Errorf("of %s it finds %v", words[1], found)
		}
	}
}
