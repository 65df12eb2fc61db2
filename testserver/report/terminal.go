package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// maxRows is how many rows a report lists; of more, those that are OK are
// counted only.
const maxRows = 40

// maxLines bounds what a report says of failures, in lines.
const maxLines = 30

// Rows says which rows a report lists before it says what is wrong.
type Rows int

// Some lists all rows of a short run that passed, and counts those that are
// OK otherwise. None is for a reader who has seen the rows already.
const (
	Some Rows = iota
	All
	None
)

// Terminal writes the report that people read. The last line is the verdict,
// where to look, and how to run it again.
func Terminal(w io.Writer, r *Result, list Rows) error {
	p := &printer{left: maxLines}
	if list != None {
		p.rows(r, list == All || len(r.Rows) <= maxRows && r.Verdict == Passed)
	}
	if r.Verdict != Passed {
		p.failures(r)
	}
	p.verdict(r)
	_, err := io.WriteString(w, p.String())
	return err
}

// RowLine is one row as a line of a report.
func RowLine(r Row) string {
	status := r.Status
	if status == Open {
		status = Miss
	}
	return fmt.Sprintf("%s \"%s\" %s", r.Kind, plain(r.Text), status)
}

type printer struct {
	strings.Builder
	left int // lines that may still be said of failures
	lost int // lines that were not
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// detail is a line that counts.
func (p *printer) detail(format string, args ...any) {
	if p.left <= 0 {
		p.lost++
		return
	}
	p.left--
	p.line(format, args...)
}

func (p *printer) rows(r *Result, all bool) {
	fine := 0
	for _, row := range r.Rows {
		switch {
		case all:
			p.line("%s", RowLine(row))
		case row.Status == OK && row.Kind != KindInserted:
			fine++
		}
	}
	switch {
	case fine == 1:
		p.line("1 row OK")
	case fine > 1:
		p.line("%d rows OK", fine)
	}
}

// failures says what is wrong: first what decided, then what was missed.
func (p *printer) failures(r *Result) {
	for _, row := range r.Rows {
		if row.Status == Fail {
			p.row(row)
		}
	}
	for _, pr := range r.Problems {
		p.detail("problem: %s", plain(pr.Text))
		for _, d := range pr.Details {
			p.detail("    %s", plain(d))
		}
	}
	missed := 0
	for _, row := range r.Rows {
		if row.Status != OK && row.Status != Fail && row.Kind != KindInserted {
			if missed++; missed <= 5 {
				p.row(row)
			}
		}
	}
	if missed > 5 {
		p.detail("and %d more rows MISSED", missed-5)
	}
	p.surroundings(r)
	if p.lost > 0 {
		p.line("(%d more lines: see %s)", p.lost, ResultFile)
	}
}

func (p *printer) row(row Row) {
	p.detail("%s", RowLine(row))
	p.detail("    %s%s", row.place(), plain(row.Wrong))
	for i, s := range row.Seen {
		lead := "         "
		if i == 0 {
			lead = "    seen:"
		}
		p.detail("%s %s", lead, plain(s))
	}
}

// place is file:line and a separator, or nothing.
func (r Row) place() string {
	if r.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", r.File, r.Line)
}

// surroundings are who saw whom, and the peers that ended by themselves.
func (p *printer) surroundings(r *Result) {
	for i, m := range r.Matrix {
		if i == 0 {
			p.detail("who sees whom:")
		}
		p.detail("    %s", plain(m))
	}
	for _, peer := range r.Peers {
		if peer.Expected {
			continue
		}
		p.detail("%s ended: %s", peer.Name, plain(peer.Exit))
		for _, l := range peer.Stderr {
			p.detail("    stderr: %s", plain(l))
		}
	}
	if r.Seed != nil {
		p.detail("seed: %d", *r.Seed)
	}
}

func (p *printer) verdict(r *Result) {
	verdict := strings.ToUpper(string(r.Verdict))
	if r.Verdict == Running {
		verdict = "UNKNOWN: the runner has not written a verdict; it still runs, or was killed"
	}
	if r.Verdict == Unknown || r.Verdict == Interrupted || r.Verdict == Broken {
		verdict += ": " + plain(r.Why)
	}
	seconds := float64(r.DurationMS) / 1000
	p.line("%s  %s  %.2f s  %s  again: %s", verdict, plain(r.Path), seconds, plain(r.Dir), plain(r.Rerun))
}

// plain makes a text of others harmless for a terminal and for XML: one line,
// without control characters and without those that change the direction of
// writing.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == 0x2028, r == 0x2029, r >= 0xFFFE && r <= 0xFFFF:
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}
