package run

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/report"
)

// handle takes one message of an engine.
func (r *runner) handle(m Message) {
	p := r.peers[m.Peer]
	if p == nil {
		return
	}
	switch b := m.Body.(type) {
	case testlink.Opened:
		p.link, p.hello, p.lost = m.Link, b.Hello, nil
	case testlink.Recorded:
		r.record(p, b)
	case testlink.Status:
		r.judge.Status(p.name, b, time.Now())
	case testlink.Finished:
		r.finished(p, b)
	case testlink.Asked:
		r.asked(p, b)
	case testlink.Closed:
		r.closed(p, b)
	case Gone:
		r.goneNow(p, b)
	}
}

func (r *runner) record(p *peer, e testlink.Recorded) {
	if err := r.cfg.Recorder.Journal(e.Line); err != nil && r.recordErr == nil {
		r.recordErr = fmt.Errorf("journal of the run: %w", err)
	}
	if err := r.judge.Record(p.name, e.Event); err != nil {
		r.problem(report.Problem{Text: err.Error()})
	}
}

func (r *runner) finished(p *peer, f testlink.Finished) {
	if f.ID == p.last {
		p.result, p.stuck = &f.Result, ""
	}
}

// asked answers what a peer wants to know of the run.
func (r *runner) asked(p *peer, q testlink.Asked) {
	if p.link == nil {
		return
	}
	switch {
	case q.Filter != nil:
		if err := r.register(p, *q.Filter); err != nil {
			p.link.Refuse(q.ID, err)
			return
		}
		p.link.Answer(q.ID, testlink.Answer{})
	case q.Question == testlink.AskFilters:
		p.link.Answer(q.ID, testlink.Answer{Scenario: r.cfg.Script.Name, Filters: r.judge.Filters()})
	case q.Question == testlink.AskSummary:
		p.link.Answer(q.ID, testlink.Answer{Scenario: r.cfg.Script.Name, Rows: r.summary()})
	case q.Question == testlink.AskRun:
		p.link.Answer(q.ID, testlink.Answer{Scenario: r.cfg.Script.Name, Filters: r.judge.Filters(), Rows: r.everything()})
	case q.Question == testlink.AskReset:
		p.link.Answer(q.ID, testlink.Answer{Scenario: r.cfg.Script.Name, Filters: r.reset(p)})
	case q.Question == testlink.AskPrepare:
		r.preparing = append(r.preparing, preparing{p, q.ID, time.Now().Add(r.cfg.Reach)})
	default:
		p.link.Refuse(q.ID, fmt.Errorf("the test server does not know the question %q", q.Question))
	}
}

// register takes a filter. It belongs to the line that runs, if that is a
// testfilter of this peer; otherwise it gets a row of its own.
func (r *runner) register(p *peer, f testlink.Filter) error {
	if r.ending {
		return errors.New("the run is over")
	}
	n, err := r.judge.AddFilter(p.name, f)
	if err != nil {
		return err
	}
	for _, e := range r.events {
		if e.statement == r.inRow && r.inRow >= 0 && e.filter < 0 && e.row.Peer == p.name {
			e.filter = n
			return nil
		}
	}
	text := fmt.Sprintf("%s testfilter %s %d %s", p.name, f.Stream, f.Count, f.Pattern)
	r.events = append(r.events, &event{
		row:       report.Row{Kind: report.KindEvent, Text: text, Peer: p.name, Wrong: "not reached"},
		statement: -1, filter: n,
	})
	return nil
}

// summary are the rows so far, as a peer is told them.
func (r *runner) summary() []testlink.Row {
	return slices.DeleteFunc(r.everything(), func(row testlink.Row) bool { return row.Kind == report.KindInserted })
}

// everything are all rows so far, those that the server has put in too.
func (r *runner) everything() []testlink.Row {
	var rows []testlink.Row
	for _, row := range r.result.Rows {
		rows = append(rows, testlink.Row{Kind: row.Kind, Text: row.Text, Status: row.Status})
	}
	for _, e := range r.events {
		rows = append(rows, testlink.Row{Kind: e.row.Kind, Text: e.row.Text, Status: r.soFar(e)})
	}
	return rows
}

// reset forgets the filters of a peer, their rows, and what they could have
// seen; and returns them.
func (r *runner) reset(p *peer) []testlink.FilterStatus {
	var gone []testlink.FilterStatus
	for _, f := range r.judge.Filters() {
		if f.Peer == p.name {
			gone = append(gone, f)
		}
	}
	numbers := r.judge.Forget(p.name)
	r.events = slices.DeleteFunc(r.events, func(e *event) bool { return slices.Contains(numbers, e.filter) })
	return gone
}

// preparing is a question for a summary in which filters are judged. Messages
// may still be under way, so it waits for them like the end of the run does.
type preparing struct {
	peer *peer
	id   uint64
	by   time.Time
}

// answerPrepared answers those whose time has come, and returns when it wants
// to be asked again: at that time or again, whichever comes first.
func (r *runner) answerPrepared(again time.Time) time.Time {
	now, decided := time.Now(), r.judge.Decided()
	r.preparing = slices.DeleteFunc(r.preparing, func(q preparing) bool {
		if !decided && now.Before(q.by) {
			if again.IsZero() || q.by.Before(again) {
				again = q.by
			}
			return false
		}
		r.prepared = true
		if q.peer.link != nil {
			q.peer.link.Answer(q.id, testlink.Answer{Scenario: r.cfg.Script.Name, Filters: r.judge.Filters(), Rows: r.summary()})
		}
		return true
	})
	return again
}

// soFar is the status of a row that is shown before the end.
func (r *runner) soFar(e *event) string {
	switch {
	case e.row.Status != report.Open || e.filter < 0 || !r.prepared:
		return e.row.Status
	case satisfied(r.judge.Filter(e.filter)):
		return report.OK
	}
	return report.Fail
}

func (r *runner) closed(p *peer, c testlink.Closed) {
	p.lost = c.Err
	if p.lost == nil {
		p.lost = errors.New("its link was closed")
		return
	}
	if !errors.Is(p.lost, testlink.ErrClosed) && !errors.Is(p.lost, testlink.ErrLost) {
		r.problem(report.Problem{Text: fmt.Sprintf("%s's events are not complete: %v", p.name, p.lost)})
	}
}

// goneNow notes the end of a peer, and whether anybody had asked for it.
func (r *runner) goneNow(p *peer, g Gone) {
	p.gone, p.atEnd = &g, r.ending
	r.judge.Gone(p.name, time.Now())
	for _, text := range g.Problems {
		r.problem(report.Problem{Text: p.name + ": " + text, Details: g.Stderr})
	}
	switch {
	case r.ending || p.leaving != "":
	case p.link == nil:
		r.problem(report.Problem{Harness: true, Text: fmt.Sprintf("%s could not be started: %s", p.name, g.State), Details: g.Stderr})
	default:
		r.problem(report.Problem{Text: fmt.Sprintf("%s ended unexpectedly: %s", p.name, g.State)})
	}
}

// maxProblems bounds the problems of a run that are kept.
const maxProblems = 100

func (r *runner) problem(p report.Problem) {
	if len(r.result.Problems) < maxProblems {
		r.result.Problems = append(r.result.Problems, p)
	}
}

// rows are the rows of commands, then those of filters.
func (r *runner) rows() []report.Row {
	rows := append([]report.Row(nil), r.result.Rows...)
	for _, e := range r.events {
		rows = append(rows, e.row)
	}
	return rows
}

// finish writes down how it all ended.
func (r *runner) finish(why error, interrupted bool) {
	if err := r.judge.Gaps(); err != nil {
		r.problem(report.Problem{Text: err.Error()})
	}
	if r.engineErr != nil {
		r.problem(report.Problem{Harness: true, Text: r.engineErr.Error()})
	}
	if errors.Is(why, errBudget) {
		r.missOpen(fmt.Sprintf("%v (%s)", errBudget, r.cfg.Budget))
	}
	r.result.Rows = r.rows()
	for _, name := range r.cfg.Script.Peers {
		r.result.Peers = append(r.result.Peers, r.peers[name].report())
	}
	r.result.DurationMS = time.Since(r.result.Started).Milliseconds()
	r.result.Decide()
	if interrupted {
		r.result.Verdict, r.result.Why = report.Interrupted, "the run was interrupted"
		r.result.ExitStatus = report.Interrupted.Status()
	}
	if r.result.Verdict != report.Passed {
		r.result.Matrix = r.matrix
	}
}

// missOpen says of the rows that were not decided why.
func (r *runner) missOpen(why string) {
	for i := range r.result.Rows {
		if row := &r.result.Rows[i]; row.Status == report.Open {
			row.Status, row.Wrong = report.Miss, why
		}
	}
	for _, e := range r.events {
		if e.row.Status == report.Open {
			e.row.Status, e.row.Wrong = report.Miss, why
		}
	}
}

func (p *peer) report() report.Peer {
	out := report.Peer{Name: p.name, PID: p.hello.PID, Boot: p.hello.Boot, Expected: true, Exit: "not started"}
	if p.gone != nil {
		out.Exit = p.gone.State
		out.Expected = p.leaving != "" || p.atEnd
		if !out.Expected {
			out.Stderr = p.gone.Stderr
		}
	}
	return out
}
