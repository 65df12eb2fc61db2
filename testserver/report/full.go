package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

// fullLines bounds the report of a scenario in the full form, in lines.
const fullLines = 40

// block is a part of a report. Of a report that would be too long, each block
// keeps its first lines, at least `least` of them; what is left is given to
// blocks in the order of their weight.
type block struct {
	weight int // 0 decides first
	least  int
	lines  []string
}

// The weights of blocks: what helps most to understand a failure comes first.
const (
	weighEnd    = iota // verdict, how to run it again
	weighFirst         // the failure that decided
	weighPeers         // problems, and peers that ended by themselves
	weighOthers        // other failures
	weighMatrix
	weighLast // last events
	weighPhases
)

// fullReport is the report of a scenario in the full form.
func fullReport(r *Result, look Look) string {
	f := &full{r: r, ink: ink(look.Colour), width: look.Width}
	if f.width <= 0 {
		f.width = 80
	}
	var b strings.Builder
	switch look.Rows {
	case All:
		writeLines(&b, f.everyRow())
	case Some:
		f.add(weighPhases, 1, f.phases()...)
	}
	if r.Verdict != Passed && r.Verdict != NotRun {
		f.failures()
	}
	if !look.endless {
		f.end()
	}
	writeLines(&b, f.fit(fullLines))
	return b.String()
}

func writeLines(b *strings.Builder, lines []string) {
	for _, l := range lines {
		b.WriteString(l)
		b.WriteByte('\n')
	}
}

// full collects the blocks of a report in the order in which they are shown.
type full struct {
	r *Result
	ink
	width  int
	blocks []block
}

func (f *full) add(weight, least int, lines ...string) {
	if len(lines) > 0 {
		f.blocks = append(f.blocks, block{weight, min(least, len(lines)), lines})
	}
}

// fit cuts the blocks so that together they have no more lines than there
// are. A block that is cut says so in its last line.
func (f *full) fit(lines int) []string {
	keep := make([]int, len(f.blocks))
	order := make([]int, len(f.blocks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return f.blocks[a].weight - f.blocks[b].weight })
	for _, i := range order {
		keep[i] = min(f.blocks[i].least, lines)
		lines -= keep[i]
	}
	for _, i := range order {
		more := min(len(f.blocks[i].lines)-keep[i], lines)
		keep[i] += more
		lines -= more
	}
	var all []string
	for i, b := range f.blocks {
		all = append(all, b.cut(keep[i])...)
	}
	return all
}

// cut is the first n lines of the block; the last of them tells how many more
// there were.
func (b block) cut(n int) []string {
	if n >= len(b.lines) || n <= 0 {
		return b.lines[:n]
	}
	more := fmt.Sprintf("  (%d more lines: see %s)", len(b.lines)-n+1, ResultFile)
	return append(slices.Clone(b.lines[:n-1]), more)
}

// section is a phase with what is known of its rows.
type section struct {
	title   string
	line    int
	rows    []Row
	ok      int // rows that count and are OK
	counted int // rows that are not inserted
	status  string
	seconds float64
}

// sections are the phases that have a title or rows.
func (r *Result) sections() []section {
	all := make([]section, max(1, len(r.Phases)))
	for i, p := range r.Phases {
		all[i] = section{title: plain(p.Title), line: p.Line, seconds: max(0, p.EndMS-p.StartMS) / 1000}
	}
	for _, row := range r.Rows {
		all[min(max(0, row.Phase), len(all)-1)].take(row)
	}
	return slices.DeleteFunc(all, func(s section) bool { return s.title == "" && len(s.rows) == 0 })
}

func (s *section) take(row Row) {
	s.rows = append(s.rows, row)
	if row.Kind != KindInserted {
		s.counted++
		if row.Status == OK {
			s.ok++
		}
	}
	if s.status == "" || gravity(row.status()) > gravity(s.status) {
		s.status = row.status()
	}
}

// gravity orders statuses: that of a phase is the gravest of its rows.
func gravity(status string) int {
	return slices.Index([]string{Skipped, OK, Cancelled, Miss, Fail}, status)
}

func (s section) name() string {
	if s.title == "" {
		return "(before the first phase)"
	}
	return s.title
}

// phases are a line each. Of many, those that passed are counted, so that the
// others are seen.
func (f *full) phases() []string {
	all := f.r.sections()
	const many = 12
	var lines []string
	passed, rows, seconds := 0, 0, 0.0
	for _, s := range all {
		if len(all) > many && (s.status == OK || s.status == Skipped || s.status == "") {
			passed, rows, seconds = passed+1, rows+s.counted, seconds+s.seconds
			continue
		}
		lines = append(lines, f.phase(s))
	}
	if passed > 0 {
		head := f.paint(green, fmt.Sprintf("%-9s", OK)) + fmt.Sprintf(" %8s %8.2f s  %s", count(rows, "row"), seconds, count(passed, "phase")+" that passed")
		lines = append([]string{head}, lines...)
	}
	return lines
}

func (f *full) phase(s section) string {
	rows := count(s.counted, "row")
	if s.ok != s.counted {
		rows = fmt.Sprintf("%d/%d rows", s.ok, s.counted)
	}
	status := s.status
	if status == "" {
		status = "EMPTY"
	}
	line := fmt.Sprintf(" %10s %8.2f s  ", rows, s.seconds)
	return f.status(s.status, fmt.Sprintf("%-9s", status)) + line + shorten(s.name(), f.width-24-9)
}

// everyRow lists the phases with all their rows.
func (f *full) everyRow() []string {
	var lines []string
	for _, s := range f.r.sections() {
		lines = append(lines, f.paint(bold, "phase \""+s.name()+"\""))
		for _, row := range s.rows {
			lines = append(lines, fmt.Sprintf("  %8.3f s  %s", row.DurationMS/1000, f.row(row)))
		}
	}
	return lines
}

// failures are the blocks that say what is wrong.
func (f *full) failures() {
	rows := slices.DeleteFunc(slices.Clone(f.r.Rows), func(row Row) bool {
		return row.Status == OK || row.Status == Skipped || row.Kind == KindInserted && row.Status != Fail
	})
	slices.SortStableFunc(rows, func(a, b Row) int { return gravity(b.status()) - gravity(a.status()) })
	harness := slices.ContainsFunc(f.r.Problems, func(p Problem) bool { return p.Harness })
	if harness {
		f.problems()
	}
	if len(rows) > 0 {
		f.first(rows[0])
		f.others(rows[1:])
	}
	if !harness {
		f.problems()
	}
	f.add(weighMatrix, 0, f.matrix()...)
	f.ended()
	if len(rows) > 0 {
		f.add(weighLast, 0, f.list("  last:", rows[0].Last)...)
	}
}

// first is the failure that decided, with all that is known of it.
func (f *full) first(row Row) {
	f.add(weighFirst, 8, f.head(row)...)
	if row.Expected != "" {
		f.add(weighFirst, 3, f.wrap("  expected: ", row.Expected)...)
	}
	f.add(weighFirst, 2, f.list("  closest:", row.Seen)...)
	f.add(weighFirst, 1, f.list("  faults:", row.Faults)...)
	if out := strings.TrimSpace(row.Output); out != "" {
		f.add(weighLast, 0, f.list("  output:", strings.Split(out, "\n"))...)
	}
}

// head says where the row is, repeats it with its comment, and says what is
// wrong with it.
func (f *full) head(row Row) []string {
	where := fmt.Sprintf("%s:%d:%d", plain(row.File), row.Line, max(1, row.Col))
	if row.Line == 0 {
		where = plain(f.r.Path)
	}
	if row.Phase >= 0 && row.Phase < len(f.r.Phases) && f.r.Phases[row.Phase].Title != "" {
		where += fmt.Sprintf("  in phase \"%s\"", plain(f.r.Phases[row.Phase].Title))
	}
	lines := []string{"", f.paint(bold, where)}
	for _, c := range row.remark() {
		lines = append(lines, f.paint(faint, shorten("    "+c, f.width)))
	}
	lines = append(lines, "    "+plain(row.Text))
	if row.Kind == KindInserted {
		lines[len(lines)-1] += "    (inserted)"
	}
	wrong := row.Wrong
	if row.Peer != "" && !strings.Contains(wrong, row.Peer) {
		wrong = row.Peer + ": " + wrong
	}
	wrongs := f.whole("  "+row.status()+": ", wrong)
	wrongs[0] = "  " + f.status(row.Status, row.status()) + wrongs[0][2+len(row.status()):]
	return append(lines, wrongs...)
}

// others are the failures that did not decide, with their reasons; missed and
// cancelled rows are counted.
func (f *full) others(rows []Row) {
	var lines []string
	counts := map[string]int{}
	for _, row := range rows {
		if row.Status != Fail {
			counts[row.status()]++
			continue
		}
		also := f.whole(fmt.Sprintf("also %s: ", Fail), fmt.Sprintf("%s%s: %s", row.place(), row.Text, row.Wrong))
		also[0] = strings.Replace(also[0], Fail, f.status(Fail, Fail), 1)
		lines = append(lines, also...)
	}
	f.add(weighOthers, 2, lines...)
	var tail []string
	for _, status := range []string{Miss, Cancelled} {
		if n := counts[status]; n > 0 {
			tail = append(tail, count(n, "more row")+" "+status)
		}
	}
	if len(tail) > 0 {
		f.add(weighOthers, 1, strings.Join(tail, ", "))
	}
}

func (f *full) problems() {
	var lines []string
	for _, p := range f.r.Problems {
		lines = append(lines, f.whole("problem: ", p.Text)...)
		for _, d := range p.Details[:min(len(p.Details), each(len(f.r.Problems)))] {
			lines = append(lines, f.whole("    ", d)...)
		}
	}
	f.add(weighPeers, 4, lines...)
}

// each is how many lines of detail one of n things gets.
func each(n int) int { return max(1, 10/max(1, n)) }

func (f *full) matrix() []string {
	if len(f.r.Matrix) == 0 {
		return nil
	}
	lines := []string{"who sees whom:"}
	for _, m := range f.r.Matrix {
		lines = append(lines, "    "+plain(m))
	}
	return lines
}

// ended are the peers that ended by themselves.
func (f *full) ended() {
	gone := slices.DeleteFunc(slices.Clone(f.r.Peers), func(p Peer) bool { return p.Expected })
	var lines []string
	for _, p := range gone {
		head := f.whole(plain(p.Name)+" ended by itself: ", p.Exit)
		head[0] = f.paint(bold, plain(p.Name)) + strings.TrimPrefix(head[0], plain(p.Name))
		lines = append(lines, head...)
		for _, l := range p.Stderr[max(0, len(p.Stderr)-each(len(gone))):] {
			lines = append(lines, f.whole("    stderr: ", l)...)
		}
	}
	f.add(weighPeers, 4, lines...)
}

// list is a heading with the first thing beside it and the others below.
func (f *full) list(head string, things []string) []string {
	var lines []string
	for i, t := range things {
		lead := "            "
		if i == 0 {
			lead = fmt.Sprintf("%-12s", head)
		}
		lines = append(lines, f.wrap(lead, t)...)
	}
	return lines
}

// end is the seed, how to run it again, and the verdict.
func (f *full) end() {
	r := f.r
	if r.Note != "" {
		f.add(weighEnd, 1, f.wrap("note: ", r.Note)...)
	}
	verdict, rest, again := verdictLine(r)
	line := f.verdict(r.Verdict, verdict) + rest
	if width(verdict+rest+again) <= f.width {
		f.add(weighEnd, 1, line+again)
		return
	}
	hint := strings.TrimSpace(again)
	if r.Seed != nil && !strings.Contains(r.Rerun, "--seed") {
		hint = fmt.Sprintf("seed: %d  %s", *r.Seed, hint)
	}
	f.add(weighEnd, 2, hint, line)
}

// How many lines a text gets that is broken into several: a reason is whole,
// unless somebody sends a novel.
const (
	maxWrapped = 3
	maxWhole   = 12
)

// wrap breaks a text into a few lines of the report's width; lead stands
// before the first and as much room before the others.
func (f *full) wrap(lead, text string) []string { return f.broken(lead, text, maxWrapped) }

// whole breaks a reason into as many lines as it needs.
func (f *full) whole(lead, text string) []string { return f.broken(lead, text, maxWhole) }

func (f *full) broken(lead, text string, most int) []string {
	if one := lead + plain(text); width(one) <= f.width {
		return []string{one} // with its columns
	}
	var lines []string
	line := lead
	room := strings.Repeat(" ", width(lead))
	for word := range strings.FieldsSeq(plain(text)) {
		if line != lead && line != room && width(line)+1+width(word) > f.width {
			if len(lines) == most-1 {
				line += " …"
				break
			}
			lines, line = append(lines, line), room
		}
		if line != lead && line != room {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func width(s string) int { return uniseg.StringWidth(s) }

// shorten cuts a text to a number of columns.
func shorten(s string, columns int) string {
	if width(s) <= columns {
		return s
	}
	var b strings.Builder
	left := columns - 1
	for g := uniseg.NewGraphemes(s); g.Next(); {
		if left -= g.Width(); left < 0 {
			break
		}
		b.WriteString(g.Str())
	}
	return b.String() + "…"
}
