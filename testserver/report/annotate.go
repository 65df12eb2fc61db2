package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxAnnotations is how many of a run are shown: a step of GitHub Actions
// shows ten of each kind.
const maxAnnotations = 10

// NoCommands returns a writer to w from which no text becomes a workflow
// command of GitHub Actions, whoever wrote it: a line must not begin with "::",
// behind blanks or not, nor contain "##[". A blank is put in between. Nothing
// is kept back; one goroutine at a time may write.
func NoCommands(w io.Writer) io.Writer { return &noCommands{w: w, begins: true} }

type noCommands struct {
	w      io.Writer
	begins bool    // nothing but blanks, and perhaps a colon, stands in this line
	last   [2]rune // the two before
}

func (n *noCommands) Write(text []byte) (int, error) {
	out := make([]byte, 0, len(text)+8)
	for rest := text; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		if c == ':' && n.begins && n.last[1] == ':' || c == '[' && n.last == [2]rune{'#', '#'} {
			out = append(out, ' ')
		}
		switch {
		case c == '\n', c == '\r':
			n.begins = true
		case n.begins:
			n.begins = n.last[1] != ':' && (c == ':' || unicode.IsSpace(c))
		}
		n.last = [2]rune{n.last[1], c}
		out, rest = append(out, rest[:size]...), rest[size:]
	}
	if _, err := n.w.Write(out); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Annotate writes what is wrong with a run as workflow commands of GitHub
// Actions, which show it beside the lines of the scenario: errors for a run
// that failed or that the harness could not do, warnings for one that is
// unknown. Of a run that passed it writes nothing.
func Annotate(w io.Writer, r *Result) error {
	if r.Verdict == Passed || r.Verdict == NotRun {
		return nil
	}
	level, status := "error", Fail
	if r.Verdict != Failed && r.Verdict != Broken {
		level, status = "warning", Miss
	}
	var all []string
	for _, row := range r.Rows {
		if row.status() == status && row.Kind != KindInserted {
			all = append(all, annotation(level, row.File, row.Line, row.Col, row.Text, strings.Join(row.words()[1:], "\n")))
		}
	}
	for _, p := range r.Problems {
		all = append(all, annotation(level, r.Path, 0, 0, p.Text, strings.Join(append([]string{p.Text}, p.Details...), "\n")))
	}
	if len(all) == 0 {
		all = append(all, annotation(level, r.Path, 0, 0, string(r.Verdict), r.Why))
	}
	_, err := io.WriteString(w, strings.Join(all[:min(len(all), maxAnnotations)], ""))
	return err
}

func annotation(level, file string, line, col int, title, text string) string {
	at := "file=" + property(file)
	if line > 0 {
		at += fmt.Sprintf(",line=%d", line)
	}
	if line > 0 && col > 0 {
		at += fmt.Sprintf(",col=%d", col)
	}
	return fmt.Sprintf("::%s %s,title=%s::%s\n", level, at, property(plain(title)), oneLine(text))
}

// oneLine escapes the text of a workflow command: it is one line.
func oneLine(s string) string {
	var lines []string
	for l := range strings.SplitSeq(s, "\n") {
		lines = append(lines, strings.ReplaceAll(plain(l), "%", "%25"))
	}
	return strings.Join(lines, "%0A")
}

// property escapes a value before the second "::".
func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
