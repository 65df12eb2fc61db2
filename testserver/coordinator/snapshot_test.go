package coordinator_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/peerlab/peerlab/testserver/coordinator"
)

// TestObserveTellsWhatPeersRun watches commands that take a while, of which
// two wait in line at one peer.
func TestObserveTellsWhatPeersRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, _ := setup(t, "peers alice bob charly\nall init\npar {\n  alice sleep 1\n  alice sleep 3\n  bob sleep 2\n}\n", "")
		var all [][]string
		cfg.Observe = func(s coordinator.Snapshot) {
			var now []string
			for _, p := range s.Peers {
				now = append(now, p.Name+":"+p.Command)
			}
			if len(all) == 0 || !slices.Equal(all[len(all)-1], now) {
				all = append(all, now)
			}
		}
		if _, err := coordinator.Run(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		for _, want := range [][]string{
			{"alice:sleep 1", "bob:sleep 2", "charly:"},
			{"alice:sleep 3", "bob:sleep 2", "charly:"},
			{"alice:sleep 3", "bob:", "charly:"},
			{"alice:", "bob:", "charly:"},
		} {
			if !slices.ContainsFunc(all, func(got []string) bool { return slices.Equal(got, want) }) {
				t.Errorf("%q was not told, but %q", want, all)
			}
		}
	})
}
