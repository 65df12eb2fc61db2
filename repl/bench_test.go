package repl_test

import (
	"context"
	"io"
	"testing"

	"github.com/peerlab/peerlab/repl"
)

func BenchmarkEcho(b *testing.B) {
	s := newShell(b, func(c *repl.Config) { c.Commands = crowd(10, 10) })
	for b.Loop() {
		if err := s.Execute(context.Background(), "echo a line of some thirty letters", io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHelp(b *testing.B) {
	s := newShell(b, func(c *repl.Config) { c.Commands = crowd(10, 10) })
	for b.Loop() {
		if err := s.Execute(context.Background(), "help", io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNeutral(b *testing.B) {
	for b.Loop() {
		repl.Neutral("a line of some thirty letters, all of them harmless")
	}
}
