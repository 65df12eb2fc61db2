package workbench

import (
	"context"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/buildenv"
)

// builder is an Env that fetches what an import in a line asks for.
type builder struct{ *buildenv.Env }

// Load implements native.Builder.
func (b builder) Load(ctx context.Context, paths ...string) error {
	var plain []string
	for _, p := range paths {
		first, _, _ := strings.Cut(p, "/")
		if !strings.Contains(first, ".") {
			plain = append(plain, p)
			continue
		}
		if _, err := b.Import(ctx, p); err != nil {
			return err
		}
	}
	if len(plain) == 0 {
		return nil
	}
	return b.Env.Load(ctx, plain...)
}
