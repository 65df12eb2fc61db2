package journal_test

import (
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/journal"
)

// BenchmarkOpenFile opens a journal of 30 MB, as every start of a peer does.
func BenchmarkOpenFile(b *testing.B) {
	dir := realDir(b)
	line := strings.Repeat(whole+"\n", (30<<20)/len(whole))
	if err := dir.WriteFile("journal.jsonl", []byte(line), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f, err := journal.OpenFile(dir, "journal.jsonl", 64<<20)
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
