package language

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Lint looks for what is allowed and probably not meant, in the order of the
// file.
func Lint(s *Script) []*Error {
	l := &linter{script: s, mentions: map[string]int{}, used: map[string]bool{}, lets: map[string]Pos{}}
	if s.Original {
		l.original()
	} else {
		l.full()
	}
	if !l.asserted {
		remedy := "an expect or await line"
		if s.Original {
			remedy = "a testfilter line"
		}
		l.warn(Pos{s.Path, 1, 1}, "nothing is asserted, so a run ends as unknown: add %s", remedy)
	}
	slices.SortStableFunc(l.found, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return l.found
}

type linter struct {
	script   *Script
	found    []*Error
	asserted bool
	mentions map[string]int  // of peers and groups
	used     map[string]bool // "$X", "mark:M", "bg:B"
	lets     map[string]Pos  // the last line that sets a variable
	everyone bool            // some targets do not name their peers
	busy     bool            // something has happened in this phase
}

func (l *linter) warn(pos Pos, format string, args ...any) {
	l.found = append(l.found, &Error{pos, fmt.Sprintf(format, args...)})
}

// original looks at a script in the original form.
func (l *linter) original() {
	for _, st := range l.script.Body {
		if c, ok := st.Do.(Command); ok {
			l.mentions[c.Targets.Text]++
			l.asserted = l.asserted || c.IsFilter()
		}
	}
	for _, st := range l.script.Body {
		c, ok := st.Do.(Command)
		if !ok {
			continue
		}
		peer := c.Targets.Text
		others := slices.DeleteFunc(slices.Clone(l.script.Peers), func(p string) bool { return p == peer || l.mentions[p] == 1 })
		if near := nearest(peer, others); l.mentions[peer] == 1 && near != "" {
			l.warn(st.Pos, "%s is mentioned only here; is %s meant?", peer, near)
		}
		if slices.Contains([]string{"init", "msg", "testfilter", "quit", "exit"}, peer) {
			l.warn(st.Pos, "%q is taken for a peer's name; begin the line with the peer that shall run it", peer)
		}
		if c.Word() == "sleep" {
			l.warn(st.Pos, "a sleep guesses how long something takes; a testfilter waits for it")
		}
	}
}

// full looks at a script in the full form.
func (l *linter) full() {
	s := l.script
	for _, body := range [][]Statement{s.Body, s.Cleanup} {
		Walk(body, func(st *Statement) bool { l.use(*st); return true })
	}
	for _, g := range s.Groups {
		for _, p := range g.Peers {
			l.mentions[p] += l.mentions[g.Name]
		}
	}
	l.busy = false
	l.statements(s.Body, false)
	l.busy = true // cleanup looks at what was before
	l.statements(s.Cleanup, true)
	l.names()
}

// do is what a statement does; for a deferred one, with examples in the place
// of its variables.
func (l *linter) do(st Statement) Action {
	if !st.Deferred {
		return st.Do
	}
	unknown := func(string) (string, bool, bool) { return "", false, true }
	r := &reader{pos: st.Pos, text: st.Text, names: namesOf(l.script), vars: unknown}
	return r.read().withBlock(st.Body != nil).Do
}

var wordOrVariable = regexp.MustCompile(`\$\$|\$\{?[A-Za-z_][A-Za-z0-9_]*|[A-Za-z][A-Za-z0-9_-]*(\[\d+\.\.\d+\])?`)

// use notes what a statement uses.
func (l *linter) use(st Statement) {
	for _, word := range wordOrVariable.FindAllString(st.Text, -1) {
		if word[0] == '$' {
			l.used["$"+strings.TrimLeft(word, "${")] = true
		}
		all, _, ok := rangeNames(word)
		if !ok {
			all = []string{word}
		}
		for _, name := range all {
			l.mentions[name]++
		}
		l.everyone = l.everyone || slices.Contains([]string{"all", "others", "any"}, word)
	}
	switch do := l.do(st).(type) {
	case Command:
		l.lets[do.Let] = st.Pos
		if do.Raw {
			l.message(st, do.Line)
		}
	case For:
		l.lets["for "+do.Var] = st.Pos
	case Expect:
		l.used["mark:"+do.Since.Mark] = true
	case Never:
		l.used["mark:"+do.Since.Mark] = true
	case Join:
		l.used["bg:"+do.Name] = true
	}
}

// statements looks at the statements of a block. healed tells that a heal
// comes below it.
func (l *linter) statements(body []Statement, healed bool) {
	lastHeal := len(body)
	for lastHeal--; lastHeal >= 0 && !heals(body[lastHeal]); lastHeal-- {
	}
	for i, st := range body {
		do := l.do(st)
		l.defined(st, do)
		l.sleeps(st, do)
		if lasts(do) && !healed && i > lastHeal {
			l.warn(st.Pos, "nothing heals this fault before the end: give it a block, or write `heal` below")
		}
		l.events(st, do)
		switch do.(type) {
		case Phase:
			l.busy = false
		case Command, Life, Fault, Background, Nemesis, Heal, For, Repeat, Par:
			l.busy = true
		}
		l.asserted = l.asserted || asserts(do)
		l.statements(st.Body, healed || i < lastHeal)
	}
}

func heals(st Statement) bool {
	switch do := st.Do.(type) {
	case Heal:
		return true
	case Fault:
		return do.Kind == FaultBootstrap && do.Service == ServiceFault{}
	}
	return slices.ContainsFunc(st.Body, heals)
}

// lasts tells a fault that is in force until something heals it.
func lasts(do Action) bool {
	f, ok := do.(Fault)
	return ok && !f.Block && f.Kind != FaultReset && (f.Kind != FaultBootstrap || f.Service != ServiceFault{})
}

func asserts(do Action) bool {
	switch do := do.(type) {
	case Expect, Never, Await, Stable, Converged, Check, Output:
		return true
	case Command:
		return do.IsFilter()
	}
	return false
}

// defined warns of what is defined and not used, or defined twice.
func (l *linter) defined(st Statement, do Action) {
	switch do := do.(type) {
	case Command:
		if do.Let != "" && !l.used["$"+do.Let] {
			l.warn(st.Pos, "$%s is not used", do.Let)
		}
	case Mark:
		if !l.used["mark:"+do.Name] {
			l.warn(st.Pos, "nothing is asserted since mark:%s", do.Name)
		}
	case Background:
		if !l.used["bg:"+do.Name] {
			l.warn(st.Pos, "no `join %s` waits for this: it is cut off at the end, or earlier", do.Name)
		}
	case For:
		if !l.used["$"+do.Var] {
			l.warn(st.Pos, "$%s is not used in the block", do.Var)
		}
		if at, ok := l.lets[do.Var]; ok {
			l.warn(st.Pos, "$%s is also the variable of line %d; in this block it is the peer", do.Var, at.Line)
		}
	}
}

// message warns of a variable in a message, where it stays as it is.
func (l *linter) message(st Statement, text string) {
	for _, word := range wordOrVariable.FindAllString(text, -1) {
		name := strings.TrimLeft(word, "${")
		_, set := l.lets[name]
		_, loop := l.lets["for "+name]
		if name != word && name != "" && (set || loop || name == self) {
			l.warn(st.Pos, "messages are sent as they stand, $%s too; begin the line with \"$ \" to have its value sent", name)
			return
		}
	}
}

// sleeps warns of sleeps in real time.
func (l *linter) sleeps(st Statement, do Action) {
	_, sleep := do.(Sleep)
	c, ok := do.(Command)
	sleep = sleep || ok && c.Word() == "sleep"
	if sleep && !slices.Contains(st.Conditions, Condition{Word: "engine:sim"}) {
		l.warn(st.Pos, "a sleep guesses how long something takes; await and expect wait for it")
	}
}

// knownStreams are the types of events that peers and the test server write.
func knownStreams() []string {
	return []string{"chat", "sent", "view", "messagesView", "member", "command", "bootstrap", "net", "log", "broadcast"}
}

// events warns of assertions that say less than they seem to.
func (l *linter) events(st Statement, do Action) {
	var stream string
	switch do := do.(type) {
	case Expect:
		stream = do.Stream
		if do.Count == (Count{Equal, 0}) {
			l.warn(st.Pos, "count == 0 looks for half a second only; `never ... for 2s` says how long")
		}
	case Never:
		stream = do.Stream
		if !l.busy && do.Since.From != SinceStart && do.Since.From != SinceMark {
			l.warn(st.Pos, "nothing happens above this in its phase: what shall it not see?")
		}
	default:
		return
	}
	if !slices.Contains(knownStreams(), stream) && !st.Deferred {
		l.warn(st.Pos, "no peer writes to a stream %s, unless an extension does%s", stream, didYouMean(stream, knownStreams()))
	}
}

// names warns of peers and groups that have nothing to do.
func (l *linter) names() {
	s := l.script
	for _, g := range s.Groups {
		if l.mentions[g.Name] == 0 {
			l.warn(l.placeOf(namesOf(s).at[g.Name]), "group %s is not used", g.Name)
		}
	}
	if l.everyone {
		return
	}
	for _, p := range s.Peers {
		if l.mentions[p] == 0 {
			l.warn(l.placeOf(namesOf(s).peers[p]), "%s is started and does nothing%s", p, didYouMean(p, slices.DeleteFunc(slices.Clone(s.Peers), func(o string) bool { return o == p })))
		}
	}
}

// placeOf is a place, or the beginning of the file if it is not known.
func (l *linter) placeOf(p Pos) Pos {
	if p.Line == 0 {
		return Pos{l.script.Path, 1, 1}
	}
	return p
}
