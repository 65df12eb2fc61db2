//go:build !linux

package childtest

import "os/exec"

// tie does nothing: only Linux knows of it.
func tie(*exec.Cmd) {}

// Follow does nothing: only Linux knows of it.
func Follow() {}
