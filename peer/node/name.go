package node

import (
	"fmt"
	"slices"

	"github.com/peerlab/peerlab/peer/membership"
)

// reserved are names that would read as something else: statements of the
// scenario language, subcommands of programs, labels of the screen.
func reserved() []string {
	return []string{
		"all", "any", "others", "self", // targets
		"peers", "group", "timeout", "phase", "mark", "par", "repeat", "for", "bg", "join",
		"kill", "stop", "restart", "pause", "resume", "spawn", "fault", "nemesis",
		"heal", "skip", "fails", "await", "stable", "expect", "never", "check", "cleanup", "let", "sleep", "stdout", "stderr",
		"demo", "help", "completion", "version", "testserver",
		"joined", "left", "lost", "info", "warn", "error", "back", "here",
	}
}

// CheckName tells whether a peer may be called that.
func CheckName(name string) error {
	if !membership.ValidName(name) {
		return fmt.Errorf("%.40q is no name for a peer: use a letter, then up to 31 of a-z, 0-9, \"_\" and \"-\"", name)
	}
	if slices.Contains(reserved(), name) {
		return fmt.Errorf("a peer cannot be called %q, which means something else in scripts or on the screen: choose another name", name)
	}
	return nil
}
