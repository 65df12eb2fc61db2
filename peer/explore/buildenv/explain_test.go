package buildenv

import (
	"errors"
	"strings"
	"testing"
)

// TestExplainGet are words of the go command, as it has said them.
func TestExplainGet(t *testing.T) {
	holder := func(module string) (who, version string) {
		switch module {
		case "go.uber.org/zap":
			return "go.etcd.io/etcd/client/v3, which is loaded,", "v1.27.1"
		case "golang.org/x/sys":
			return thisProgram, "v0.47.0"
		}
		return thisProgram, ""
	}
	for _, test := range []struct {
		name, said, want string
		kind             error
	}{
		{"newer than the program's", "go: golang.org/x/crypto@v0.58.0 requires golang.org/x/sys@v0.49.0, not golang.org/x/sys@v0.47.0",
			"golang.org/x/crypto v0.58.0 needs golang.org/x/sys v0.49.0, and this program runs with v0.47.0: name an older version, or build the peer again with the newer golang.org/x/sys", ErrConflict},
		{"newer than an import's", "go: github.com/libp2p/go-libp2p@upgrade (v0.51.0) requires go.uber.org/zap@v1.28.0, not go.uber.org/zap@v1.27.1",
			"the newest github.com/libp2p/go-libp2p needs go.uber.org/zap v1.28.0, and go.etcd.io/etcd/client/v3, which is loaded, runs with v1.27.1: name an older version, or restart the peer, and import x/y first", ErrConflict},
		{"older asked for", "go: golang.org/x/sys@v0.1.0 conflicts with golang.org/x/sys@v0.47.0", "this program runs with golang.org/x/sys v0.47.0, and v0.1.0 cannot be beside it", ErrConflict},
		{"newer Go", "go: x/y@v1.0.0 requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)", "it needs Go 1.99, and this program is built with Go 1.26.8", ErrConflict},
		{"another name", "go: x/y@v1.0.0: parsing go.mod:\n\tmodule declares its path as: z/y\n\t        but was required as: x/y", "its module is called z/y", nil},
		{"no such package", "go: module x/y@upgrade found (v1.2.0), but does not contain package x/y/z", "import x/y: the newest x/y has no such package", nil},
		{"no network", `go: module x/y: Get "https://proxy.golang.org/x/y/@v/list": dial tcp: lookup proxy.golang.org: no such host`, "cannot be fetched (no such host): look at GOPROXY", nil},
		{"no proxy", "go: module x/y: module lookup disabled by GOPROXY=off", "cannot be fetched (module lookup disabled by GOPROXY=off): look at GOPROXY", nil},
		{"full disk", "go: x/y@v1.0.0: write /home/me/go/pkg/mod/cache/download/x/y/@v/v1.0.0.zip: no space left on device", "the disk with /home/me/go/pkg/mod/cache/download/x/y/@v/v1.0.0.zip is full: make room", ErrBuild},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := explainGet("x/y", test.said, holder)
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant one line with %q", err, test.want)
			}
			if test.kind != nil && !errors.Is(err, test.kind) {
				t.Errorf("%v is no %q", err, test.kind)
			}
		})
	}
}
