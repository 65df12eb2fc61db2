package explore

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"io"
	"reflect"
	"regexp"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/mirror"
	"github.com/peerlab/peerlab/peer/explore/native"
)

// source is a World whose errors the checker knows.
type source struct{ *mirror.World }

// Import implements types.Importer.
func (s source) Import(path string) (*types.Package, error) {
	p, err := s.World.Import(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", check.ErrNotLoaded, err)
	}
	return p, nil
}

// mirrored evaluates an input with the types that the program shows of itself.
// done is false if that is not enough: then nothing has happened, and err says
// what is wrong with the input as far as these types tell.
func (s *Session) mirrored(ctx context.Context, src string, out io.Writer) (done bool, err error) {
	line, err := s.front(ctx, src)
	if err != nil {
		return false, err
	}
	h := &host{session: s, line: line, out: out}
	defer h.end()
	for _, v := range line.Values {
		if s.compiles() && doubtful(v.Type) || v.IsType && s.compiles() && doubtful(v.Type.Underlying()) {
			return false, nil
		}
	}
	if known(line) {
		s.check.Commit(line.Units...)
		return true, h.known()
	}
	return s.quick(ctx, line, h)
}

// doubtful tells a type that a mirror may write in another way than its source
// does: runes are int32 there, and parameters have no names.
func doubtful(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return t == types.Typ[types.Int32] || t == types.Typ[types.Uint8]
	case *types.Signature:
		return true
	case *types.Map:
		return doubtful(t.Key()) || doubtful(t.Elem())
	case *types.Struct:
		for f := range t.Fields() {
			if doubtful(f.Type()) {
				return true
			}
		}
	case *types.Interface:
		return t.NumMethods() > 0
	case interface{ Elem() types.Type }: // pointer, slice, array, channel
		return doubtful(t.Elem())
	}
	return false
}

// await gets the Builder. wrong is what seems to be wrong with the input; where
// there is no Builder, it is.
func (s *Session) await(ctx context.Context, wrong error) error {
	lack := errors.New("there is none here")
	if s.config.Await != nil {
		var b native.Builder
		if b, lack = s.config.Await(ctx); lack == nil {
			return s.use(b)
		}
	}
	switch {
	case ctx.Err() != nil:
		return native.Stopped(ctx)
	case wrong != nil && certain(wrong):
		return wrong
	}
	return fmt.Errorf("%w: %w", ErrNoCompiler, lack)
}

// missingName is what the checker says of a name that a package does not have.
// A mirrored package does not have all.
var missingName = regexp.MustCompile(`undefined: \pL[\pL\d_]*\.`)

// certain tells an error that would be the same with all types.
func certain(err error) bool {
	var wrong *check.Error
	return errors.As(err, &wrong) && !errors.Is(err, check.ErrNotLoaded) &&
		!strings.Contains(wrong.Text, check.ErrNotLoaded.Error()) && !missingName.MatchString(wrong.Text)
}

// Use gives a session that began without one its Builder, which must have
// loaded the packages of all bound objects. With one it changes nothing.
func (s *Session) Use(b native.Builder) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.use(b)
}

func (s *Session) use(b native.Builder) error {
	if s.engine != nil {
		return nil
	}
	if err := s.check.Use(b, s.typeNow); err != nil {
		return err
	}
	s.config.Builder, s.engine = b, native.NewEngine(b)
	return nil
}

// typeNow is the program's type of what a name stands for; nil for a name whose
// type is the same everywhere, or not known.
func (s *Session) typeNow(b *check.Binding) reflect.Type {
	switch {
	case b.Kind == check.Bound && !types.IsInterface(b.Object.Type()):
		return reflect.TypeOf(s.bound(b.Name))
	case b.Kind == check.Var:
		if v, ok := s.kept(b); ok {
			return v.Type().Elem()
		}
	}
	return nil
}
