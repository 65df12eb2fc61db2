package workbench

import (
	"context"
	"fmt"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/buildenv"
)

// builder is an Env that fetches what an import in a line asks for.
type builder struct {
	*buildenv.Env
	note func(string) // what the person should know
}

// builder is what the session builds with.
func (w *Workbench) builder() builder {
	return builder{w.env, func(note string) { fmt.Fprintln(w.out, note) }}
}

// Load implements native.Builder.
func (b builder) Load(ctx context.Context, paths ...string) error {
	var plain []string
	for _, p := range paths {
		first, _, _ := strings.Cut(p, "/")
		if !strings.Contains(first, ".") {
			plain = append(plain, p)
			continue
		}
		got, err := b.Import(ctx, p)
		if err != nil {
			return err
		}
		if got.Note != "" {
			b.note(got.Note)
		}
	}
	if len(plain) == 0 {
		return nil
	}
	return b.Env.Load(ctx, plain...)
}
