package report

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Colours tells whether a report to w may have colours: w is a terminal that
// can show them, and nobody has asked for none (NO_COLOR, TERM=dumb). env is
// the environment.
func Colours(w io.Writer, env func(string) string) bool {
	return IsTerminal(w) && env("NO_COLOR") == "" && env("TERM") != "dumb"
}

// IsTerminal tells whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// ink paints text, if it is true. No information is in the colours alone.
type ink bool

const (
	bold   = "1"
	faint  = "2"
	red    = "1;31"
	green  = "32"
	yellow = "33"
)

func (i ink) paint(style, s string) string {
	if !i || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

// verdict paints a text in the colour of a verdict.
func (i ink) verdict(v Verdict, s string) string {
	switch v {
	case Passed:
		return i.paint("1;32", s)
	case Failed, Broken:
		return i.paint(red, s)
	}
	return i.paint("1;33", s)
}

// status paints a text in the colour of a row's status.
func (i ink) status(status, s string) string {
	switch status {
	case OK:
		return i.paint(green, s)
	case Fail:
		return i.paint(red, s)
	case Skipped:
		return i.paint(faint, s)
	}
	return i.paint(yellow, s)
}

// row is RowLine with its status painted.
func (i ink) row(r Row) string {
	line, status := RowLine(r), r.status()
	return line[:len(line)-len(status)] + i.status(status, status)
}
