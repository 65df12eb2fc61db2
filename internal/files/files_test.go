package files_test

import (
	"testing"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/files/filestest"
)

func TestMem(t *testing.T) {
	filestest.Run(t, func(*testing.T) files.FS { return files.Mem() })
}

func TestSubOfMem(t *testing.T) {
	filestest.Run(t, func(*testing.T) files.FS { return files.Sub(files.Mem(), "a/b") })
}

func TestDir(t *testing.T) {
	filestest.Run(t, newDir)
}

func newDir(t *testing.T) files.FS {
	fsys, err := files.Dir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}
