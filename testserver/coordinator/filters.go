package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// filter is an expectation that a peer has registered: exactly so many lines
// of a stream begin with its pattern. It is judged when the script is over.
type filter struct {
	peer  *peer
	asked testlink.Filter
	watch *judge.Watch
	since int
}

// event is the row of a filter.
type event struct {
	row    report.Row
	line   *report.Row // of the statement; nil for one that is no line of the file
	filter *filter     // nil until it is registered
}

// maxFilters bounds the filters of a run.
const maxFilters = 100_000

// addFilter takes a filter of a peer. What the peer recorded before counts,
// from where it was told to forget on. The error matches judge.ErrFilter.
func (m *Machine) addFilter(p *peer, f testlink.Filter) (*filter, error) {
	switch {
	case f.Count < 0:
		return nil, fmt.Errorf("%w: a count of %d can never be reached", judge.ErrFilter, f.Count)
	case f.Stream == "" || f.Pattern == "":
		return nil, fmt.Errorf("%w: a stream and a pattern are needed, as in `testfilter messagesView 1 <bob> hello`", judge.ErrFilter)
	case len(m.filters) >= maxFilters:
		return nil, fmt.Errorf("%w: a run has at most %d", judge.ErrFilter, maxFilters)
	}
	one := &filter{peer: p, asked: f, since: p.forgotten}
	begins := func(e *journal.Event) bool { return strings.HasPrefix(e.Text, f.Pattern) }
	one.watch = m.store.Watch(p.name, judge.Stream(f.Stream), begins, one.since, nil)
	m.filters = append(m.filters, one)
	return one, nil
}

func (f *filter) satisfied() bool { return f.watch.Seen() == f.asked.Count }

// filterStatuses are all filters, in the order in which they were registered.
func (m *Machine) filterStatuses() []testlink.FilterStatus {
	all := []testlink.FilterStatus{}
	for _, f := range m.filters {
		all = append(all, testlink.FilterStatus{Peer: f.peer.name, Filter: f.asked, Seen: f.watch.Seen()})
	}
	return all
}

// decidedFilters tells whether waiting for more lines is of no use: each
// filter has its count, or its peer will not record any more.
func (m *Machine) decidedFilters() bool {
	return !slices.ContainsFunc(m.filters, func(f *filter) bool {
		return f.watch.Seen() < f.asked.Count && f.peer.gone == nil
	})
}

// forget forgets the filters of a peer and what it has recorded, and returns
// the filters.
func (m *Machine) forget(p *peer) []testlink.FilterStatus {
	var gone []testlink.FilterStatus
	for i, f := range m.filterStatuses() {
		if f.Peer == p.name {
			gone = append(gone, f)
			m.store.Unwatch(m.filters[i].watch)
		}
	}
	mine := func(f *filter) bool { return f != nil && f.peer == p }
	m.filters = slices.DeleteFunc(m.filters, mine)
	m.events = slices.DeleteFunc(m.events, func(e *event) bool { return mine(e.filter) })
	p.forgotten = m.store.Position(p.name)
	return gone
}

// asked answers what a peer wants to know of the run.
func (m *Machine) asked(p *peer, q testlink.Asked) {
	if p.link == nil {
		return
	}
	name := m.cfg.Script.Name
	switch {
	case q.Filter != nil:
		if err := m.register(p, *q.Filter); err != nil {
			p.link.Refuse(q.ID, err)
			return
		}
		p.link.Answer(q.ID, testlink.Answer{})
	case q.Question == testlink.AskFilters:
		p.link.Answer(q.ID, testlink.Answer{Scenario: name, Filters: m.filterStatuses()})
	case q.Question == testlink.AskSummary:
		p.link.Answer(q.ID, testlink.Answer{Scenario: name, Rows: m.summary()})
	case q.Question == testlink.AskRun:
		p.link.Answer(q.ID, testlink.Answer{Scenario: name, Filters: m.filterStatuses(), Rows: m.everything()})
	case q.Question == testlink.AskReset:
		p.link.Answer(q.ID, testlink.Answer{Scenario: name, Filters: m.forget(p)})
	case q.Question == testlink.AskPrepare:
		m.preparing = append(m.preparing, preparing{p, p.link, q.ID, m.now.Add(m.cfg.Reach)})
	default:
		p.link.Refuse(q.ID, fmt.Errorf("the test server does not know the question %q", q.Question))
	}
}

// register takes a filter. It belongs to the line that runs, if that is a
// testfilter of this peer; otherwise it gets a row of its own.
func (m *Machine) register(p *peer, f testlink.Filter) error {
	if m.ending {
		return errors.New("the run is over")
	}
	one, err := m.addFilter(p, f)
	if err != nil {
		return err
	}
	for _, e := range m.events {
		if m.inRow != nil && e.line == m.inRow && e.filter == nil && e.row.Peer == p.name {
			e.filter = one
			return nil
		}
	}
	text := fmt.Sprintf("%s testfilter %s %d %s", p.name, f.Stream, f.Count, f.Pattern)
	m.events = append(m.events, &event{row: report.Row{Kind: report.KindEvent, Text: text, Peer: p.name}, filter: one})
	return nil
}

// summary are the rows so far, as a peer is told them.
func (m *Machine) summary() []testlink.Row {
	return slices.DeleteFunc(m.everything(), func(row testlink.Row) bool { return row.Kind == report.KindInserted })
}

// everything are all rows so far, those that the server has put in too.
func (m *Machine) everything() []testlink.Row {
	var rows []testlink.Row
	for _, row := range m.rows {
		rows = append(rows, testlink.Row{Kind: row.Kind, Text: row.Text, Status: row.Status})
	}
	for _, e := range m.events {
		rows = append(rows, testlink.Row{Kind: e.row.Kind, Text: e.row.Text, Status: m.soFar(e)})
	}
	return rows
}

// preparing is a question for a summary in which filters are judged. Messages
// may still be under way, so it waits for them like the end of the run does.
type preparing struct {
	peer *peer
	link Driver
	id   uint64
	by   time.Time
}

// answerPrepared answers those whose time has come, and returns when the next
// one's comes.
func (m *Machine) answerPrepared() (wake time.Time) {
	if len(m.preparing) == 0 {
		return wake
	}
	decided := m.decidedFilters()
	m.preparing = slices.DeleteFunc(m.preparing, func(q preparing) bool {
		if !decided && m.now.Before(q.by) {
			wake = earlier(wake, q.by)
			return false
		}
		m.prepared = true
		if q.peer.link == q.link {
			q.link.Answer(q.id, testlink.Answer{Scenario: m.cfg.Script.Name, Filters: m.filterStatuses(), Rows: m.summary()})
		}
		return true
	})
	return wake
}

// soFar is the status of a row that is shown before the end.
func (m *Machine) soFar(e *event) string {
	switch {
	case e.row.Status != report.Open || e.filter == nil || !m.prepared:
		return e.row.Status
	case e.filter.satisfied():
		return report.OK
	}
	return report.Fail
}

// original runs the lines of the original form: one after another, those of
// other peers too when one has failed.
func (b *branch) original() {
	m := b.m
	rows := make([]*report.Row, len(m.cfg.Script.Body))
	for i, st := range m.cfg.Script.Body {
		rows[i] = m.newRow(st, kindOf(st), 0)
		if do, is := st.Do.(language.Command); is {
			rows[i].Peer = do.Targets.Text
			if word(do.Line) == "testfilter" {
				row := *rows[i]
				row.Kind = report.KindEvent
				m.events = append(m.events, &event{row: row, line: rows[i]})
			}
		}
	}
	for i, st := range m.cfg.Script.Body {
		if b.cause != nil {
			return
		}
		m.inRow = rows[i]
		b.line(st, rows[i])
		m.inRow = nil
	}
}

// line runs one line of the original form.
func (b *branch) line(st language.Statement, row *report.Row) {
	b.decide(row, func(row *report.Row) {
		if do, is := st.Do.(language.Command); is {
			if why := b.attached([]*peer{b.m.peers[do.Targets.Text]}); why != "" {
				row.Status, row.Wrong = report.Miss, why
				return
			}
		}
		b.act(st, row)
	})
}

// judgeFilters waits for the filters, then decides their rows.
func (b *branch) judgeFilters() {
	m := b.m
	if len(m.events) == 0 || b.cause != nil {
		return
	}
	began := m.now
	if len(m.filters) > 0 {
		if b.wait(m.now.Add(m.cfg.Reach), m.decidedFilters) == nil {
			_ = b.wait(m.now.Add(m.cfg.Hold), never)
		}
		b.fence(m.names)
	}
	if b.cause != nil {
		return // not decided: the rows stay missed
	}
	for _, e := range m.events {
		e.row.StartMS, e.row.DurationMS = m.ms(began), float64(m.now.Sub(began).Microseconds())/1000
		m.judgeFilter(e)
		m.decided(&e.row)
	}
}

func (m *Machine) judgeFilter(e *event) {
	f := e.filter
	switch {
	case f == nil:
		e.row.Status, e.row.Wrong = report.Miss, m.unregistered(e)
	case f.satisfied():
		e.row.Status = report.OK
	default:
		fail(&e.row, fmt.Sprintf("expected %d, seen %d", f.asked.Count, f.watch.Seen()))
		e.row.Seen = m.store.Closest(f.peer.name, judge.Stream(f.asked.Stream), f.since, f.asked.Pattern, 3)
		if f.watch.Seen() < f.asked.Count && m.leftOut() {
			e.row.Status = report.Miss
			e.row.Wrong += "; a line that was missed may have brought what lacks"
		}
	}
}

// leftOut tells whether a line of the scenario was not carried out, because
// its peer was gone. What falls short then is not known to be wrong.
func (m *Machine) leftOut() bool {
	return slices.ContainsFunc(m.rows, func(row *report.Row) bool {
		return row.Kind == report.KindCommand && row.Status == report.Miss
	})
}

// unregistered says why a filter of the file was not announced.
func (m *Machine) unregistered(e *event) string {
	if e.line.Status == report.OK {
		m.problem(report.Problem{Text: fmt.Sprintf("%s said that its command succeeded and announced no filter: %s", e.row.Peer, e.row.Text)})
	}
	return "the filter was not announced: its command did not succeed"
}
