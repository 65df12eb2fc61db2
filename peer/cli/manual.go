package cli

import (
	"errors"
	"io"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/netx"
	"github.com/peerlab/peerlab/peer/identity"
	"github.com/peerlab/peerlab/peer/logbook"
	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/peer/shell"
	"github.com/peerlab/peerlab/repl"
)

// Command is the program with its flags and subcommands, to be written down
// in a manual. It is not for running: see Main.
func Command() *cobra.Command {
	status := statusOK
	return newCommand(Process{Env: func(string) string { return "" }, Stdout: io.Discard, Stderr: io.Discard}, &status)
}

// Shell is the shell of a peer that has not been started and has nothing on
// disk, for its table of commands.
func Shell() (s *repl.Shell, err error) {
	id, err := identity.Open(files.Mem(), 0, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, id.Close()) }()
	exts, err := extensions()
	if err != nil {
		return nil, err
	}
	n, err := node.New(node.Config{Name: "alice", Identity: id, Network: netx.Real{}, Extensions: exts})
	if err != nil {
		return nil, err
	}
	return shell.New(shell.Config{Node: n, Book: logbook.New(zerolog.Disabled)})
}
