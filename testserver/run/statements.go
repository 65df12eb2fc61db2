package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/report"
	"github.com/peerlab/peerlab/testserver/scenario"
)

// command runs one line in its peer's shell.
func (r *runner) command(ctx context.Context, st scenario.Statement, row *report.Row) {
	p := r.peers[st.Targets[0]]
	if why := r.attached(ctx, p); why != "" {
		row.Status, row.Wrong = report.Miss, why
		return
	}
	if st.Ends() {
		p.leaving = fmt.Sprintf("%s:%d", st.Pos.File, st.Pos.Line)
	}
	p.result = nil
	p.last = p.link.Command(st.Text)
	res, err := r.answer(ctx, p)
	switch {
	case errors.Is(err, errGone) && p.leaving != "" && (p.gone.OK || strings.Contains(st.Text, "exit")):
		row.Status = report.OK
	case err != nil:
		row.Status, row.Wrong = report.Fail, err.Error()
		r.unanswered(ctx, p, st)
	case !res.OK:
		row.Status, row.Wrong, row.Output = report.Fail, orElse(res.Error, "the peer gave no reason"), clip(res.Output)
		row.Seen = lastLines(res.Output, 5)
		p.leaving = ""
	default:
		row.Status, row.Output = report.OK, clip(res.Output)
		r.followUp(ctx, st, p, row)
	}
}

// followUp does what belongs to a command that succeeded.
func (r *runner) followUp(ctx context.Context, st scenario.Statement, p *peer, row *report.Row) {
	switch {
	case st.Ends():
		ctx, cancel := within(ctx, r.cfg.Command)
		defer cancel()
		err := r.wait(ctx, func() (bool, time.Time) { return p.gone != nil, time.Time{} })
		switch {
		case err != nil:
			row.Status, row.Wrong = report.Fail, fmt.Sprintf("the peer did not end: %v", err)
		case !p.gone.OK && !strings.Contains(st.Text, "exit"):
			row.Status, row.Wrong = report.Fail, "the peer did not end in order: "+p.gone.State
		}
	case st.Word() == "init":
		r.judge.Inited(p.name, time.Now())
	}
}

// attached waits until the peer can be driven, and says why it cannot.
func (r *runner) attached(ctx context.Context, p *peer) string {
	bound, cancel := within(ctx, r.cfg.Start)
	defer cancel()
	err := r.wait(bound, func() (bool, time.Time) { return p.link != nil || p.gone != nil, time.Time{} })
	switch {
	case r.cut(ctx) != nil:
		return r.cut(ctx).Error()
	case err != nil:
		if p.stuck == "" {
			p.stuck = "its start"
			r.problem(report.Problem{Harness: true, Text: fmt.Sprintf("%s did not attach to the test server: %v", p.name, err)})
		}
		return fmt.Sprintf("%s did not attach: %v", p.name, err)
	case p.gone != nil && p.leaving != "":
		return fmt.Sprintf("%s is gone since %s", p.name, p.leaving)
	case p.gone != nil:
		return fmt.Sprintf("%s is gone: %s", p.name, p.gone.State)
	case p.lost != nil:
		return fmt.Sprintf("%s cannot be driven: %v", p.name, p.lost)
	case p.stuck != "":
		return fmt.Sprintf("%s has not answered since %s", p.name, p.stuck)
	}
	return ""
}

var errGone = errors.New("the peer ended")

// answer waits for the end of the command that p runs. The error matches
// errGone when the peer ended instead.
func (r *runner) answer(ctx context.Context, p *peer) (testlink.Result, error) {
	ctx, cancel := within(ctx, r.cfg.Command)
	defer cancel()
	err := r.wait(ctx, func() (bool, time.Time) { return p.result != nil || p.gone != nil, time.Time{} })
	switch {
	case err != nil:
		return testlink.Result{}, fmt.Errorf("no answer: %w", err)
	case p.result == nil:
		return testlink.Result{}, fmt.Errorf("%w: %s", errGone, p.gone.State)
	}
	return *p.result, nil
}

// unanswered cancels a command that takes too long, and gives it a moment to
// end, so that the next one finds the peer at rest.
func (r *runner) unanswered(ctx context.Context, p *peer, st scenario.Statement) {
	if p.gone != nil {
		return
	}
	p.stuck = fmt.Sprintf("%s:%d", st.Pos.File, st.Pos.Line)
	p.link.Cancel(p.last)
	ctx, cancel := within(ctx, grace)
	defer cancel()
	_ = r.wait(ctx, func() (bool, time.Time) { return p.stuck == "" || p.gone != nil, time.Time{} })
}

// converge waits until the peers have converged, and have stayed so.
func (r *runner) converge(ctx context.Context, st scenario.Statement, row *report.Row) {
	if !r.judge.Live() {
		row.Status, row.Wrong = report.Miss, "no peer is ready: no init has succeeded, or all have left"
		return
	}
	ctx, cancel := within(ctx, st.Within)
	defer cancel()
	err := r.wait(ctx, func() (bool, time.Time) {
		since, ok := r.judge.Converged()
		if !ok {
			return false, time.Time{}
		}
		stable := since.Add(r.cfg.Stable)
		return !time.Now().Before(stable), stable
	})
	row.Status = report.OK
	if err == nil {
		return
	}
	row.Status, row.Wrong = report.Fail, fmt.Sprintf("the peers have not converged: %v", err)
	if row.Seen = r.judge.Missing(); row.Seen == nil {
		row.Seen = []string{"they converged, and did not stay so for " + r.cfg.Stable.String()}
	}
}

// judgeFilters waits for the filters, then decides their rows.
func (r *runner) judgeFilters(ctx context.Context) {
	began := time.Now()
	if len(r.judge.Filters()) > 0 {
		reach, cancel := within(ctx, r.cfg.Reach)
		err := r.wait(reach, func() (bool, time.Time) { return r.judge.Decided(), time.Time{} })
		cancel()
		if err == nil {
			end := time.Now().Add(r.cfg.Hold)
			_ = r.wait(ctx, func() (bool, time.Time) { return !time.Now().Before(end), end })
		}
	}
	if r.cut(ctx) != nil {
		return // not decided: the rows stay missed
	}
	for _, e := range r.events {
		e.row.DurationMS = float64(time.Since(began).Microseconds()) / 1000
		switch {
		case e.filter < 0:
			e.row.Status, e.row.Wrong = report.Miss, r.unregistered(e)
		case !satisfied(r.judge.Filter(e.filter)):
			f := r.judge.Filter(e.filter)
			e.row.Status = report.Fail
			e.row.Wrong = fmt.Sprintf("expected %d, seen %d", f.Filter.Count, f.Seen)
			e.row.Seen = r.judge.Closest(e.filter, 3)
			if f.Seen < f.Filter.Count && r.leftOut() {
				e.row.Status = report.Miss
				e.row.Wrong += "; a line that was missed may have brought what lacks"
			}
		default:
			e.row.Status, e.row.Wrong = report.OK, ""
		}
		r.decided(e.row)
	}
}

// leftOut tells whether a line of the scenario was not carried out, because
// its peer was gone. What falls short then is not known to be wrong.
func (r *runner) leftOut() bool {
	return slices.ContainsFunc(r.result.Rows, func(row report.Row) bool {
		return row.Kind == report.KindCommand && row.Status == report.Miss
	})
}

func satisfied(f testlink.FilterStatus) bool { return f.Seen == f.Filter.Count }

// unregistered says why a filter of the file was not announced.
func (r *runner) unregistered(e *event) string {
	if r.result.Rows[e.statement].Status == report.OK {
		r.problem(report.Problem{Text: fmt.Sprintf("%s said that its command succeeded and announced no filter: %s", e.row.Peer, e.row.Text)})
	}
	return "the filter was not announced: its command did not succeed"
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
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
