package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// maxRows is how many rows a report lists; of more, those that are OK are
// counted only.
const maxRows = 40

// maxLines bounds what a report in the original form says of failures, in
// lines.
const maxLines = 30

// Rows says which rows a report lists before it says what is wrong.
type Rows int

// Some lists all rows of a short run that passed, and counts those that are
// OK otherwise; of a run with phases it lists the phases. None is for a reader
// who has seen the rows already.
const (
	Some Rows = iota
	All
	None
)

// Look is how a report is printed. The zero value is for a pipe.
type Look struct {
	Rows   Rows
	Colour bool // see Colours
	Width  int  // columns that lines keep to where they can; 0 for 80

	endless bool // without the lines at the end, which a page has elsewhere
}

// Terminal writes the report that people read, without colours. The last line
// is the verdict, and where to look.
func Terminal(w io.Writer, r *Result, list Rows) error {
	return Print(w, r, Look{Rows: list})
}

// Print writes the report that people read: a row for each command and each
// filter of a scenario in the original form, a line for each phase of one in
// the full form; then, unless the run has passed, what is wrong. With all
// that, a report of a failure has at most 40 lines, rows that were asked for
// with All not counted.
func Print(w io.Writer, r *Result, look Look) error {
	var text string
	if r.phased() {
		text = fullReport(r, look)
	} else {
		text = originalReport(r, look)
	}
	_, err := io.WriteString(w, text)
	return err
}

// phased tells a run of a scenario in the full form.
func (r *Result) phased() bool {
	return slices.ContainsFunc(r.Phases, func(p Phase) bool { return p.Title != "" }) ||
		slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Kind == KindAssert || row.Kind == KindStep })
}

// RowLine is one row as a line of a report.
func RowLine(r Row) string {
	return fmt.Sprintf("%s \"%s\" %s", r.Kind, plain(r.Text), r.status())
}

// status is the row's status in words: what was not reached was missed.
func (r Row) status() string {
	if r.Status == Open {
		return Miss
	}
	return r.Status
}

func originalReport(r *Result, look Look) string {
	p := &printer{left: maxLines, ink: ink(look.Colour)}
	if look.Rows != None {
		p.rows(r, look.Rows == All || len(r.Rows) <= maxRows && r.Verdict == Passed)
	}
	if r.Verdict != Passed && r.Verdict != NotRun {
		p.failures(r)
	}
	if !look.endless {
		if r.Note != "" {
			p.line("note: %s", plain(r.Note))
		}
		verdict, rest, again := verdictLine(r)
		p.line("%s%s%s", p.verdict(r.Verdict, verdict), rest, again)
	}
	return p.String()
}

// printer collects the report of a scenario in the original form.
type printer struct {
	strings.Builder
	ink
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
			p.line("%s", p.row(row))
		case row.Status == OK && row.Kind != KindInserted:
			fine++
		}
	}
	if fine > 0 {
		p.line("%s OK", count(fine, "row"))
	}
}

// failures says what is wrong: first what decided, then what was missed.
func (p *printer) failures(r *Result) {
	for _, row := range r.Rows {
		if row.Status == Fail {
			p.wrong(row)
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
				p.wrong(row)
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

func (p *printer) wrong(row Row) {
	for _, c := range row.remark() {
		p.detail("%s", p.paint(faint, c))
	}
	p.detail("%s", p.row(row))
	p.detail("    %s%s", row.place(), plain(row.Wrong))
	for i, s := range row.Seen {
		lead := "         "
		if i == 0 {
			lead = "    seen:"
		}
		p.detail("%s %s", lead, plain(s))
	}
}

// remark is the end of the comment that stands above the row in the file.
func (r Row) remark() []string {
	var lines []string
	for _, c := range r.Comment[max(0, len(r.Comment)-2):] {
		lines = append(lines, "# "+plain(strings.TrimSpace(c)))
	}
	return lines
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

// verdictLine is the last line of a report: the verdict, what else stands
// there, and how to run it again.
func verdictLine(r *Result) (verdict, rest, again string) {
	verdict = strings.ToUpper(string(r.Verdict))
	if r.Verdict == Running {
		verdict = "UNKNOWN: the runner has not written a verdict; it still runs, or was killed"
	}
	if slices.Contains([]Verdict{Unknown, Interrupted, Broken, NotRun}, r.Verdict) || r.Verdict == Failed && r.flipped() {
		verdict += ": " + plain(r.Why)
	}
	rest = fmt.Sprintf("  %s  %.2f s  %s", plain(r.Path), float64(r.DurationMS)/1000, plain(r.Dir))
	return verdict, rest, "  again: " + plain(r.Rerun)
}

// flipped tells a run that is called failed because it passed, or otherwise
// for a reason that no row and no problem gives.
func (r *Result) flipped() bool {
	return len(r.Problems) == 0 && !slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Status == Fail })
}

// count is a number of things in words: "1 row", "2 rows".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
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
