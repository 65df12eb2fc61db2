package repl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxNesting bounds how deep scripts execute scripts.
const maxNesting = 16

// errNesting is matched by the error of a script that executes itself.
var errNesting = errors.New("scripts execute each other without end")

// nesting is the context key of the scripts that are running, a []string.
type nesting struct{}

// Script runs the lines of r up to the first that fails; its error is a
// *ScriptError with name and the line's number. ErrQuit and ErrExit end the
// script and are returned as they are. A script that executes itself is an
// error.
func (s *Shell) Script(ctx context.Context, name string, r io.Reader, out io.Writer) error {
	ctx, err := nest(ctx, name)
	if err != nil {
		return err
	}
	lines := newLineScanner(r)
	for n := 1; ; n++ {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			if n == 1 {
				line = strings.TrimPrefix(line, "\ufeff") // a byte order mark
			}
			err = s.Execute(ctx, line, out)
		}
		switch {
		case err == nil:
		case ends(err), errors.Is(err, errNesting):
			return err
		default:
			return &ScriptError{Name: name, Line: n, Err: err}
		}
	}
}

// nest returns a context that knows of one more running script.
func nest(ctx context.Context, name string) (context.Context, error) {
	running, _ := ctx.Value(nesting{}).([]string)
	for _, other := range running {
		if other == name {
			return nil, fmt.Errorf("%w: %s -> %s", errNesting, strings.Join(running, " -> "), name)
		}
	}
	if len(running) == maxNesting {
		return nil, fmt.Errorf("%w: %s and so on is more than %d deep", errNesting, few(running, 3), maxNesting)
	}
	running = append(running[:len(running):len(running)], name)
	return context.WithValue(ctx, nesting{}, running), nil
}

// Pipe runs the lines of r as they come. A failed command does not stop the
// others: it is counted, and a line "error: ..." goes to errOut. At the end of
// input Pipe returns the count and nil; otherwise the error is ErrQuit,
// ErrExit, ctx.Err() or r's.
//
// A Read of r that blocks cannot be cancelled: if ctx ends first, a goroutine
// stays in it until it returns. The bytes it reads are lost.
func (s *Shell) Pipe(ctx context.Context, r io.Reader, out, errOut io.Writer) (failed int, err error) {
	lines := NewPlainReader(r, out, false)
	defer lines.Close()
	report := func(err error) bool {
		if ctx.Err() != nil {
			return false
		}
		failed++
		_, _ = fmt.Fprintf(errOut, "error: %s\n", brief(Neutral(err.Error())))
		return true
	}
	for {
		line, err := lines.ReadLine(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return failed, nil
		case errors.Is(err, ErrSyntax):
			report(err)
			continue
		case err != nil:
			return failed, err
		}
		if err := s.runLine(ctx, line, origin{out: out, resolve: s.exact}, report); err != nil {
			return failed, err
		}
	}
}

// lineScanner reads lines of at most MaxLine bytes. Unlike bufio.Scanner it
// goes on after one that was too long.
type lineScanner struct{ r *bufio.Reader }

func newLineScanner(r io.Reader) *lineScanner { return &lineScanner{bufio.NewReader(r)} }

// next returns the next line without its end, LF or CR LF. The last one needs
// none. The error is io.EOF at the end, one that matches ErrSyntax after a
// line that was too long and is skipped, or the reader's.
func (l *lineScanner) next() (string, error) {
	var line []byte
	long := false
	for {
		part, err := l.r.ReadSlice('\n')
		if len(line)+len(part) > MaxLine+2 {
			long, line = true, nil
		}
		if !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil, errors.Is(err, io.EOF) && (len(line) > 0 || long):
			if long {
				return "", fmt.Errorf("%w: the line is longer than %d bytes", ErrSyntax, MaxLine)
			}
			return trimEnd(string(line)), nil
		default:
			return "", err
		}
	}
}

func trimEnd(line string) string {
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
}
