package explore

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/native"
)

// FileFunction is what a file of Go is begun with.
const FileFunction = "run"

// File evaluates a file of Go like an input, its package clause left out. If it
// declares the function run, which takes a context, or a context and arguments,
// that one is returned, to be called; else the file has run when File returns,
// and there is none. Errors and panics name places as name and a line of the
// file.
func (s *Session) File(ctx context.Context, name, src string, out io.Writer) (*Function, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	where := placer{number: fmt.Sprintf("‹%d›", s.inputs+1), name: name}
	if err := s.eval(ctx, withoutClause(src), where.writer(out)); err != nil {
		return nil, where.error(err)
	}
	if !declaresRun(src) {
		return nil, nil
	}
	f, err := s.function(ctx, FileFunction)
	if err != nil {
		return nil, where.error(err)
	}
	f.place = &where
	return f, nil
}

// withoutClause is a file without its package clause; all else stays in its
// place.
func withoutClause(src string) string {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	var s scanner.Scanner
	s.Init(file, []byte(src), func(token.Position, string) {}, 0)
	pos, tok, _ := s.Scan()
	if tok != token.PACKAGE {
		return src
	}
	end, tok, name := s.Scan()
	if tok != token.IDENT {
		return src
	}
	from, to := file.Offset(pos), file.Offset(end)+len(name)
	return src[:from] + strings.Repeat(" ", to-from) + src[to:]
}

func declaresRun(src string) bool {
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == FileFunction {
			return true
		}
	}
	return false
}

// placer names places of an input by the file that it came from.
type placer struct{ number, name string }

func (p placer) text(s string) string { return strings.ReplaceAll(s, p.number, p.name) }

// error gives an error the places of the file. It matches what err matches.
func (p placer) error(err error) error {
	switch {
	case err == nil, errors.Is(err, native.ErrStopped), errors.Is(err, native.ErrLeft):
		return err
	}
	return &placedError{text: p.text(err.Error()), err: err}
}

type placedError struct {
	text string
	err  error
}

func (e *placedError) Error() string { return e.text }
func (e *placedError) Unwrap() error { return e.err }

func (p placer) writer(out io.Writer) io.Writer { return placedWriter{p, out} }

// placedWriter gives output the places of the file: of panics in goroutines.
type placedWriter struct {
	placer
	out io.Writer
}

func (w placedWriter) Write(b []byte) (int, error) {
	if _, err := io.WriteString(w.out, w.text(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}
