package coordinator_test

import (
	"testing"
	"time"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/report"
)

// BenchmarkRun is what the coordinator and a fake world of 50 peers need for
// one command: 1,000 commands, each a message that 49 peers show, which makes
// 150 events, and an assertion about it at all peers.
func BenchmarkRun(b *testing.B) {
	const commands = 1000
	file := "peers p[1..50]\nall init\nawait converged within 60s\nfor X in all {\n  phase \"one speaks\"\n  repeat 10 {\n    $X msg hello\n    others($X) expect chat \"hello\" from:$X\n  }\n  others($X) expect chat \"hello\" count >= 10\n}\n" +
		"repeat 10 { all msg x\n}\nall expect chat \"x\" count >= 490\ncheck delivery\ncheck order\ncheck causal\n"
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		cfg, _ := setup(b, file, "")
		cfg.Settle = time.Millisecond
		r, err := coordinator.Run(b.Context(), cfg)
		if err != nil || r.Verdict != report.Passed {
			b.Fatal(err, r.Why)
		}
		b.ReportMetric(float64(time.Since(began).Microseconds())/commands, "us/command")
	}
}
