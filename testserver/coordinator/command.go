package coordinator

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// grace is how long a cancelled command may take to end, so that the next one
// finds its peer at rest.
const grace = 2 * time.Second

var errGone = errors.New("the peer ended")

// answer is how a command ended at one peer.
type answer struct {
	peer   *peer
	call   *call
	leaves string // where it asks the peer to end, "x.cmd:3"; empty if it does not
	missed string // why it was not given the command
	err    error  // why there is no result: errGone, or it took too long
	result testlink.Result
}

// stays notes that a command has failed, and does not end its peer. Another
// branch may have asked for the end meanwhile.
func (a *answer) stays() {
	if a.leaves != "" && a.peer.leaving == a.leaves {
		a.peer.leaving = ""
	}
}

// ask runs a line in the shell of each named peer, all at once, and waits for
// all to end. What takes too long, or is under way when the branch is
// cancelled, is cancelled.
func (b *branch) ask(names []string, line func(name string) string, pos language.Pos) []answer {
	m := b.m
	pending := 0
	answers := make([]answer, len(names))
	for i, name := range names {
		a := &answers[i]
		a.peer = m.peers[name]
		if a.missed = a.peer.why(); a.missed != "" {
			continue
		}
		text := line(name)
		if ends(text) {
			a.leaves = place(pos)
			a.peer.leaving = a.leaves
		}
		a.call = a.peer.call(text, &pending)
	}
	err := b.wait(m.now.Add(m.cfg.Command), func() bool { return pending == 0 })
	if pending > 0 {
		b.abandon(answers, place(pos))
	}
	for i := range answers {
		answers[i].settle(err, m.cfg.Command)
	}
	return answers
}

// abandon cancels what has not ended.
func (b *branch) abandon(answers []answer, where string) {
	pending := 0
	for _, a := range answers {
		if a.call == nil || a.call.result != nil || a.call.gone != nil {
			continue
		}
		a.call.batch = nil
		delete(a.peer.calls, a.call.id)
		a.peer.stuck = where
		a.peer.link.Cancel(a.call.id)
		rest := &call{id: a.call.id, line: a.call.line, batch: &pending}
		pending++
		a.peer.calls[rest.id] = rest
	}
	b.shielded(func() { _ = b.wait(b.m.now.Add(grace), func() bool { return pending == 0 }) })
}

// settle reads what has become of a call.
func (a *answer) settle(err error, bound time.Duration) {
	switch {
	case a.call == nil:
	case a.call.result != nil:
		a.result = *a.call.result
	case a.call.gone != nil:
		a.err = fmt.Errorf("%w: %s", errGone, a.call.gone.State)
	case errors.Is(err, errTime):
		a.err = fmt.Errorf("no answer: not within %s", bound)
	default:
		a.err = fmt.Errorf("no answer: %w", err)
	}
}

// command runs a line in its targets' shells and decides its row.
func (b *branch) command(st language.Statement, do language.Command, row *report.Row) {
	names, err := b.targets(do.Targets, st.Pos)
	if err != nil {
		fail(row, err.Error())
		return
	}
	line := func(name string) string {
		if do.Raw {
			return do.Line
		}
		return expandSelf(do.Line, name)
	}
	row.Expected = expectedOf(st.Outcome, names)
	answers := b.ask(names, line, st.Pos)
	b.last = answers
	row.Status = report.OK
	if len(names) == 1 {
		row.Peer = names[0]
	}
	wrong := 0
	for i := range answers {
		status, why := b.judgeAnswer(st.Outcome, do.Line, &answers[i])
		if status == report.OK {
			status, why = b.followUp(do.Line, &answers[i])
		}
		if status == report.OK {
			continue
		}
		if wrong++; wrong == 1 || status == report.Fail && row.Status == report.Miss {
			decide(row, status, why, &answers[i], len(names))
		}
	}
	if wrong > 1 {
		row.Wrong += fmt.Sprintf("; %d of %d peers in all", wrong, len(names))
	}
	if row.Output == "" {
		row.Output = clip(outputs(answers))
	}
	if row.Status == report.OK && st.Outcome == language.MustSucceed && holds(do.Line, answers) {
		row.Asserts = true
	}
	if row.Status == report.OK && do.Let != "" {
		b.let(do.Let, strings.TrimRight(outputs(answers), "\n"))
	}
}

// holds tells whether a line was Go that has shown true, and nothing else, at
// all peers: it asserts that, for it would have failed with false.
func holds(line string, answers []answer) bool {
	if word(line) != "go" {
		return false
	}
	for i := range answers {
		shown := strings.TrimRight(answers[i].result.Output, "\n")
		if shown = shown[strings.LastIndexByte(shown, '\n')+1:]; shown != "true :: bool" {
			return false
		}
	}
	return len(answers) > 0
}

// decide notes the first answer that is not as it should be.
func decide(row *report.Row, status, why string, a *answer, of int) {
	row.Status, row.Wrong, row.Peer = status, why, a.peer.name
	if of > 1 && !strings.HasPrefix(why, a.peer.name+" ") {
		row.Wrong = a.peer.name + ": " + why
	}
	row.Output = clip(a.result.Output)
	row.Seen = lastLines(a.result.Output, 5)
}

func expectedOf(o language.Outcome, names []string) string {
	who := names[0]
	if len(names) > 1 {
		who = fmt.Sprintf("each of %d peers", len(names))
	}
	switch o {
	case language.MustFail:
		return "the command fails at " + who
	case language.MayFail:
		return "the command ends at " + who
	}
	return "the command succeeds at " + who
}

// judgeAnswer decides what one peer's answer is worth.
func (b *branch) judgeAnswer(o language.Outcome, line string, a *answer) (status, why string) {
	p := a.peer
	switch {
	case a.missed != "":
		return report.Miss, a.missed
	case errors.Is(a.err, errGone) && p.leaving != "" && (a.call.gone.OK || strings.Contains(line, "exit")):
		return report.OK, "" // a command that was to end its peer has done so
	case a.err != nil:
		return report.Fail, a.err.Error()
	case !a.result.OK && o == language.MustSucceed:
		a.stays()
		return report.Fail, orElse(a.result.Error, "the peer gave no reason")
	case a.result.OK && o == language.MustFail:
		return report.Fail, "the command was to fail, and succeeded"
	}
	if !a.result.OK {
		a.stays()
	}
	return report.OK, ""
}

// followUp does what belongs to a command that has succeeded: who leaves is
// waited for, who has done init is one of those that should be seen.
func (b *branch) followUp(line string, a *answer) (status, why string) {
	p := a.peer
	switch {
	case !a.result.OK && a.err == nil: // it was to fail
	case ends(line):
		err := b.wait(b.m.now.Add(b.m.cfg.Command), func() bool { return p.gone != nil })
		switch {
		case errors.Is(err, errTime):
			return report.Fail, fmt.Sprintf("the peer did not end: not within %s", b.m.cfg.Command)
		case err != nil:
			return report.Fail, fmt.Sprintf("the peer did not end: %v", err)
		case !p.gone.OK && !strings.Contains(line, "exit"):
			return report.Fail, "the peer did not end in order: " + p.gone.State
		}
	case word(line) == "init":
		p.inited = true
		b.m.stand(p)
	}
	return report.OK, ""
}

// output looks at what the last command of this branch printed, or at its
// error. Named groups of an expression become variables.
func (b *branch) output(do language.Output, row *report.Row) {
	what := "the output of the last command"
	if do.Stderr {
		what = "the error of the last command"
	}
	if len(b.last) == 0 {
		fail(row, "there is no last command")
		return
	}
	match, err := textMatch(do.Pattern)
	if err != nil {
		fail(row, err.Error())
		return
	}
	row.Expected = fmt.Sprintf("%s has %s", what, match.words)
	var groups map[string]string
	for i, a := range b.last {
		text := a.result.Output
		if do.Stderr {
			text = a.result.Error
		}
		found, ok := match.in(text)
		if !ok {
			row.Peer, row.Seen = a.peer.name, lastLines(text, 5)
			fail(row, fmt.Sprintf("%s: %s does not have %s", a.peer.name, what, match.words))
			return
		}
		if i == 0 {
			groups = found
		}
	}
	row.Status = report.OK
	maps.Copy(b.vars, groups)
	maps.Copy(b.set, groups)
}

// textPattern is what a text has to be like.
type textPattern struct {
	words string
	in    func(text string) (groups map[string]string, ok bool)
}

func textMatch(t language.Term) (textPattern, error) {
	if t.Kind != language.Regexp {
		return textPattern{strconv.Quote(t.Text), func(text string) (map[string]string, bool) {
			return nil, strings.Contains(text, t.Text)
		}}, nil
	}
	re, err := regexp.Compile("(?m)" + t.Text) // ^ and $ are the ends of lines
	if err != nil {
		return textPattern{}, fmt.Errorf("/%s/ is no regular expression: %w", t.Text, err)
	}
	return textPattern{fmt.Sprintf("/%s/", t.Text), func(text string) (map[string]string, bool) {
		at := re.FindStringSubmatch(text)
		groups := map[string]string{}
		for i, name := range re.SubexpNames() {
			if name != "" && at != nil {
				groups[name] = at[i]
			}
		}
		return groups, at != nil
	}}, nil
}

// outputs is what all printed, in the order of the targets.
func outputs(answers []answer) string {
	var b strings.Builder
	for _, a := range answers {
		b.WriteString(a.result.Output)
	}
	return b.String()
}

// word is the first word of a command line, without its slash.
func word(line string) string {
	w, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return strings.TrimPrefix(w, "/")
}

// ends tells whether a command line makes its peer end: it is quit or exit, or
// one of several commands between semicolons is.
func ends(line string) bool {
	for part := range strings.SplitSeq(line, ";") {
		switch word(part) {
		case "quit", "exit":
			return true
		case "msg", "echo", "shell", "go", "import", "type", "doc", "@":
			return false // takes the rest of the line as it is
		}
	}
	return false
}

// clip keeps the end of what a command printed; the journal has all of it.
func clip(s string) string {
	const most = 4 << 10
	if len(s) <= most {
		return s
	}
	return "..." + strings.ToValidUTF8(s[len(s)-most:], "")
}

// lastLines are the last n lines of a text.
func lastLines(s string, n int) []string {
	s = strings.TrimRight(s, "\n")
	if s == "" {
		return nil
	}
	lines := strings.Split(s, "\n")
	return lines[max(0, len(lines)-n):]
}
