// Package docs_test keeps the documents true. What can be generated is
// generated: the command reference from the table of commands, the manual
// pages from the flags. What is written by hand is run: the commands of the
// README, and every step of the tutorials, are executed and their output is
// compared.
//
// The documents that are generated are written anew by
//
//	go test ./docs -update
package docs_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"

	bootstrapserver "github.com/peerlab/peerlab/bootstrap-server/server"
	peer "github.com/peerlab/peerlab/peer/cli"
	testserver "github.com/peerlab/peerlab/testserver/cli"
)

const remedy = "run `go test ./docs -update` and commit what it writes"

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the generated documents anew")
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // they wait most of the time
		panic(err)
	}
	os.Exit(m.Run())
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// programs are the programs of the project, as they are documented.
func programs() map[string]*cobra.Command {
	return map[string]*cobra.Command{
		"peer": peer.Command(), "testserver": testserver.Command(), "bootstrap-server": bootstrapserver.Command(),
	}
}

// generated compares a document with what it should be, or writes it.
func generated(t *testing.T, name string, want []byte) {
	t.Helper()
	name = filepath.FromSlash(name)
	if updating() {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v: %s", err, remedy)
	}
	got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(gotLines), len(wantLines)) {
		if !bytes.Equal(gotLines[i], wantLines[i]) {
			t.Fatalf("docs/%s is stale: %s\nline %d is  %s\nand must be %s", name, remedy, i+1, gotLines[i], wantLines[i])
		}
	}
	t.Fatalf("docs/%s is stale: %s\nit has %d lines and must have %d", name, remedy, len(gotLines), len(wantLines))
}

func TestCommandReference(t *testing.T) {
	shell, err := peer.Shell()
	if err != nil {
		t.Fatal(err)
	}
	head, err := os.ReadFile(filepath.FromSlash("testdata/commands-head.md"))
	if err != nil {
		t.Fatal(err)
	}
	generated(t, "commands.md", reference(string(head), shell.Table()))
}

func TestManualPages(t *testing.T) {
	for name, command := range programs() {
		t.Run(name, func(t *testing.T) {
			generated(t, "man/"+name+".1", manual(command))
		})
	}
}
