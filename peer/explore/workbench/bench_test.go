package workbench

import "testing"

// BenchmarkComplete is what Tab, and a hint at every key, take at a prompt.
func BenchmarkComplete(b *testing.B) {
	w := New(Config{})
	for _, text := range []string{"strings.", "members()[0].", "for _, m := range members() { m.", "peer.Command(ctx, ", "x"} {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				w.Complete(text, len(text))
			}
			if list, _ := w.Complete(text, len(text)); len(list) == 0 && text != "x" {
				b.Error("nothing is proposed")
			}
		})
	}
	b.Run("hint", func(b *testing.B) {
		for b.Loop() {
			if w.Hint("peer.Command(ctx, ") == "" {
				b.Fatal("none")
			}
		}
	})
	b.Run("the first", func(b *testing.B) {
		for b.Loop() {
			fresh := New(Config{})
			fresh.Complete("members()[0].", 13)
		}
	})
}
