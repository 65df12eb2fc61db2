package scenario_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/testserver/scenario"
)

// TestGallery runs the scenarios of the gallery in virtual time, as far as
// simulated peers can do what is in them; .ci/run runs all with processes.
func TestGallery(t *testing.T) {
	root := filepath.Join("..", "..", "scripts", "scenario")
	var files []string
	for _, pattern := range []string{"*.cmd", "*/*.cmd"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 15 {
		t.Fatalf("%d scenarios in %s", len(files), root)
	}
	for _, file := range files {
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.ToSlash(strings.TrimSuffix(name, ".cmd")), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "\npause ") {
				t.Skip("needs peers that can be paused, which are processes: run testserver run scripts/scenario")
			}
			if strings.Contains(string(text), "\npeers p[1..50]") {
				t.Skip("takes long with fifty peers in one process: run testserver run scripts/scenario, which has fifty")
			}
			scenario.Run(t, scenario.File(file))
		})
	}
}
