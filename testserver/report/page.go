package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
)

// pageFiles are the parts of the page. The scripts are one program, in the
// order of scriptFiles.
//
//go:embed page
var pageFiles embed.FS

// quiet are the types of events that a page hides until they are asked for:
// probes, which are many, and the lines of the screen, which repeat others.
func quiet() []string { return []string{"probe", "packet", "gossip", "trace", "view"} }

// HTML writes a page that shows the run: what is wrong, every row, and all
// events of the journal as a space-time diagram. It is one file that needs no
// other and no network, and may not use any: its policy allows its own script
// and style only. All texts are data; nothing that a peer has said becomes
// markup or code. A journal that cannot be read to its end is shown as far
// as it goes.
func HTML(w io.Writer, r *Result, journal io.Reader) error {
	style, err := pageFile("style.css")
	if err != nil {
		return err
	}
	script, err := pageScript()
	if err != nil {
		return err
	}
	frame, err := pageFile("page.html")
	if err != nil {
		return err
	}
	data, err := pageData(r, readTimeline(r, journal))
	if err != nil {
		return err
	}
	policy := "default-src 'none'; script-src " + hashed(script) + "; style-src " + hashed(style) + "; base-uri 'none'; form-action 'none'"
	_, err = strings.NewReplacer(
		"{{policy}}", policy, "{{title}}", html.EscapeString(plain(r.Scenario+": "+string(r.Verdict))),
		"{{style}}", style, "{{script}}", script, "{{data}}", string(data),
	).WriteString(w, frame)
	return err
}

func pageFile(name string) (string, error) {
	data, err := pageFiles.ReadFile("page/" + name)
	return string(data), err
}

// pageScript is the program of the page: its files one after another, in a
// scope of their own.
func pageScript() (string, error) {
	var b strings.Builder
	b.WriteString("(() => {\n'use strict';\n")
	for _, name := range []string{"model.js", "scale.js", "state.js", "draw.js", "side.js", "main.js"} {
		text, err := pageFile(name)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	b.WriteString("})();\n")
	return b.String(), nil
}

// hashed is the source expression of a policy that allows this text.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// pageModel is the data of a page. Times are microseconds since the start,
// -1 for none.
type pageModel struct {
	Head   pageHead    `json:"head"`
	Notes  []string    `json:"notes"`
	Peers  []string    `json:"peers"`
	Types  []string    `json:"types"`
	Quiet  []string    `json:"quiet"`
	Texts  []string    `json:"texts"`
	End    int64       `json:"end"`
	Rows   []pageRow   `json:"rows"`
	Phases []pagePhase `json:"phases"`
	Faults []pageFault `json:"faults"`
	Lives  []pageLife  `json:"lives"`
	Pauses []pageLife  `json:"pauses"`

	// The events, in columns. Time has differences to the event before; seq
	// to what is due; text and detail are indices of texts, detail from 1.
	Time   []int64 `json:"time"`
	Peer   []int   `json:"peer"`
	Boot   []int   `json:"boot"`
	Type   []int   `json:"type"`
	Text   []int   `json:"text"`
	Detail []int   `json:"detail"`
	Seq    []int64 `json:"seq"`
	From   []int   `json:"from"` // of messages: differences between indices of events
	To     []int   `json:"to"`   // of messages: indices of events
	Lost   []int   `json:"lost"` // pairs of an event and a peer
}

type pageHead struct {
	Scenario string   `json:"scenario"`
	Verdict  Verdict  `json:"verdict"`
	Figures  []string `json:"figures"`
	Why      string   `json:"why"`    // if nothing has failed, and yet it has not passed
	Report   string   `json:"report"` // what is wrong, as on a terminal
}

type pageRow struct {
	Kind     string   `json:"kind"`
	Text     string   `json:"text"`
	Phase    int      `json:"phase"`
	Status   string   `json:"status"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Comment  []string `json:"comment"`
	Wrong    string   `json:"wrong"`
	Expected string   `json:"expected"`
	Seen     []string `json:"seen"`
	Faults   []string `json:"faults"`
	Last     []string `json:"last"`
	Output   string   `json:"output"`
	Took     int64    `json:"took"`
	From     int64    `json:"from"`
	To       int64    `json:"to"`
}

type pagePhase struct {
	Title   string  `json:"title"`
	Status  string  `json:"status"`
	Seconds float64 `json:"seconds"`
	From    int64   `json:"from"`
}

type pageFault struct {
	Text  string `json:"text"`
	Peers []int  `json:"peers"`
	From  int64  `json:"from"`
	To    int64  `json:"to"`
}

type pageLife struct {
	Peer     int    `json:"peer"`
	Boot     int    `json:"boot"`
	From     int64  `json:"from"`
	To       int64  `json:"to"`
	How      string `json:"how"`
	Expected bool   `json:"expected"`
	Order    bool   `json:"order"` // it ended in order
}

func pageData(r *Result, t *timeline) ([]byte, error) {
	m := &pageModel{
		Head: head(r), Notes: harmless(t.notes), Peers: harmless(t.peers), Types: []string{}, Quiet: quiet(), End: micro(t.end),
		Rows: []pageRow{}, Phases: []pagePhase{}, Faults: []pageFault{}, Lives: lives(t.lives), Pauses: lives(t.pauses),
		From: []int{}, To: []int{}, Lost: []int{},
	}
	m.rows(r, t)
	m.phases(r)
	for _, f := range t.faults {
		m.Faults = append(m.Faults, pageFault{Text: plain(f.text), Peers: append([]int{}, f.peers...), From: micro(f.from), To: micro(f.to)})
	}
	m.events(t)
	from := 0
	for _, msg := range t.messages {
		m.From, m.To = append(m.From, msg.from-from), append(m.To, msg.to)
		from = msg.from
	}
	for _, l := range t.lost {
		m.Lost = append(m.Lost, l.event, l.peer)
	}
	return json.Marshal(m) // it escapes "<", so that no text ends the script element
}

// micro is a time in microseconds; negative ones stand for none.
func micro(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return d.Microseconds()
}

// harmless makes texts of others harmless.
func harmless(texts []string) []string {
	all := make([]string, len(texts))
	for i, s := range texts {
		all[i] = plain(s)
	}
	return all
}

func head(r *Result) pageHead {
	h := pageHead{Scenario: plain(r.Scenario), Verdict: r.Verdict}
	counted, ok := 0, 0
	for _, row := range r.Rows {
		if row.Kind != KindInserted {
			counted++
			if row.Status == OK {
				ok++
			}
		}
	}
	about := fmt.Sprintf("%s, %.2f s, %d of %s OK, %s", r.Started.UTC().Format("2006-01-02 15:04:05 UTC"), float64(r.DurationMS)/1000, ok, count(counted, "row"), count(len(r.Peers), "peer"))
	if r.Engine != "" {
		about += ", engine " + plain(r.Engine)
	}
	if r.Seed != nil {
		about += fmt.Sprintf(", seed %d", *r.Seed)
	}
	h.Figures = []string{about}
	if r.Rerun != "" {
		h.Figures = append(h.Figures, "again: "+plain(r.Rerun))
	}
	if r.Note != "" {
		h.Why = plain(r.Note)
	}
	if r.Verdict != Passed && r.Verdict != NotRun {
		var b strings.Builder
		_ = Print(&b, r, Look{Rows: None, Width: 50, endless: true}) // a strings.Builder takes all
		h.Report = strings.Trim(b.String(), "\n")
	}
	if r.Verdict != Passed && (r.Verdict != Failed || r.flipped()) {
		h.Why = plain(r.Why)
	}
	return h
}

// maxOutput bounds what a page has of a command's output, in bytes.
const maxOutput = 4000

func (m *pageModel) rows(r *Result, t *timeline) {
	for i, row := range r.Rows {
		p := pageRow{
			Kind: row.Kind, Text: plain(row.Text), Phase: min(max(0, row.Phase), max(0, len(r.Phases)-1)), Status: row.Status,
			File: plain(row.File), Line: row.Line, Comment: harmless(row.Comment), Wrong: plain(row.Wrong), Expected: plain(row.Expected),
			Seen: harmless(row.Seen), Faults: harmless(row.Faults), Last: harmless(row.Last), Output: multiline(row.Output, maxOutput),
			Took: int64(row.DurationMS * 1000), From: -1, To: -1,
		}
		if s, ok := t.script[i]; ok {
			p.From, p.To = micro(s.from), micro(s.to)
		}
		m.Rows = append(m.Rows, p)
	}
}

// phases begin with their first row.
func (m *pageModel) phases(r *Result) {
	all := r.Phases
	if len(all) == 0 {
		all = []Phase{{EndMS: float64(r.DurationMS)}}
	}
	sections := make([]section, len(all))
	for _, p := range all {
		m.Phases = append(m.Phases, pagePhase{Title: plain(p.Title), Seconds: max(0, p.EndMS-p.StartMS) / 1000, From: -1, Status: OK})
	}
	for i, row := range m.Rows {
		p := &m.Phases[row.Phase]
		sections[row.Phase].take(r.Rows[i])
		if row.From >= 0 && (p.From < 0 || row.From < p.From) {
			p.From = row.From
		}
	}
	for i, s := range sections {
		if s.status != "" {
			m.Phases[i].Status = s.status
		}
	}
}

func lives(all []life) []pageLife {
	list := make([]pageLife, len(all))
	for i, l := range all {
		list[i] = pageLife{
			Peer: l.peer, Boot: l.boot, From: micro(l.from), To: micro(l.to), How: plain(l.how), Expected: l.expected,
			Order: l.how == "ended" || l.how == "exit status 0" || strings.HasPrefix(l.how, "left"),
		}
	}
	return list
}

// Bounds of what a page has of texts, in bytes: of one, and of all.
const (
	maxText  = 2000
	maxTexts = 5 << 20
)

// texts are the distinct texts of a page.
type texts struct {
	list  []string
	index map[string]int
	size  int
}

// add is the index of a text. When there is no more room, it is that of a
// text which says so.
func (t *texts) add(s string) int {
	if i, ok := t.index[s]; ok {
		return i
	}
	short := multiline(s, maxText)
	if t.size += len(short) + 3; t.size > maxTexts {
		short = "(left out: see " + JournalFile + ")"
		if i, ok := t.index[short]; ok {
			return i
		}
		s = short
	}
	t.list = append(t.list, short)
	t.index[s] = len(t.list) - 1
	return len(t.list) - 1
}

func (m *pageModel) events(t *timeline) {
	n := len(t.events)
	m.Time, m.Seq = make([]int64, n), make([]int64, n)
	m.Peer, m.Boot, m.Type, m.Text, m.Detail = make([]int, n), make([]int, n), make([]int, n), make([]int, n), make([]int, n)
	known := texts{index: map[string]int{}}
	type process struct{ peer, boot int }
	seqs := map[process]uint64{}
	last := int64(0)
	for i, e := range t.events {
		at := micro(e.at)
		m.Time[i], last = at-last, at
		p := process{e.peer, e.boot}
		m.Peer[i], m.Boot[i], m.Seq[i] = e.peer, e.boot, int64(e.seq-seqs[p]-1)
		seqs[p] = e.seq
		m.Type[i] = m.typeIndex(e.typ)
		m.Text[i] = known.add(e.text)
		if e.detail != "" {
			m.Detail[i] = known.add(e.detail) + 1
		}
	}
	m.Texts = append([]string{}, known.list...)
}

// maxTypes is how many types of events a page tells apart.
const maxTypes = 250

func (m *pageModel) typeIndex(typ string) int {
	typ = plain(typ)
	i := slices.Index(m.Types, typ)
	switch {
	case i >= 0:
		return i
	case len(m.Types) == maxTypes:
		return maxTypes - 1
	}
	m.Types = append(m.Types, typ)
	return len(m.Types) - 1
}

// multiline makes a text of others harmless that may have several lines, and cuts
// it to so many bytes.
func multiline(s string, most int) string {
	cut := len(s) > most
	if cut {
		s = s[:most]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if cut {
		s += "…"
	}
	return s
}
