package peerlab_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// TestDecisionsAreNumbered: others refer to decisions by their numbers.
func TestDecisionsAreNumbered(t *testing.T) {
	text, err := os.ReadFile("docs/decisions.md")
	if err != nil {
		t.Fatal(err)
	}
	heads := regexp.MustCompile(`(?m)^(\d+)\. `).FindAllSubmatch(text, -1)
	if len(heads) < 50 {
		t.Errorf("%d decisions were found", len(heads))
	}
	for i, h := range heads {
		if want := strconv.Itoa(i + 1); string(h[1]) != want {
			t.Fatalf("decision %s stands where %s is due: numbers are unique and in order", h[1], want)
		}
	}
}
