//go:build !unix

package readline

import "github.com/peerlab/peerlab/repl"

const supported = false

// New returns the plain reader: lines are edited by the system's console.
func New(cfg Config) (repl.LineReader, error) {
	return NewPlain(cfg), nil
}

func resumeOutput(int) {}
