package language

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

var validStream = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

// maxCount bounds what is counted.
const maxCount = 1_000_000_000

func (r *reader) expect(who Targets) Action {
	e := Expect{Targets: who, Count: Count{defaultCountOp, 1}}
	e.Stream, e.Pattern = r.events()
	seen := map[string]bool{}
	for r.wrong == nil {
		switch r.clause(seen, "count", "within", "since") {
		case "count":
			from := r.next().from
			op := r.op(anyOp()...)
			e.Count = Count{op, r.number("a count", 0, maxCount)}
			r.decides(from, "count", e.Count, fmt.Sprintf("`count >= 1`, or `never %s ... for 2s` if there is to be none", e.Stream))
		case "within":
			e.Within = r.duration("within")
		case "since":
			e.Since = r.since()
		default:
			return e
		}
	}
	return e
}

// decides complains about a comparison that shows nothing, because no number
// of things is below 0. What is meant is the hint.
func (r *reader) decides(from int, what string, c Count, hint string) {
	verdict := "always holds"
	switch c {
	case Count{AtLeast, 0}:
	case Count{LessThan, 0}:
		verdict = "never holds"
	default:
		return
	}
	r.fail(from, "%s %s %d %s: write %s", what, c.Op, c.N, verdict, hint)
}

func (r *reader) never(who Targets) Action {
	n := Never{Targets: who}
	n.Stream, n.Pattern = r.events()
	seen := map[string]bool{}
	for r.wrong == nil {
		switch r.clause(seen, "for", "since") {
		case "for":
			n.For = r.duration("for")
		case "since":
			n.Since = r.since()
		default:
			if !seen["for"] {
				r.fail(len(r.text), "how long? never needs a span of time: `%s for 2s`", r.text)
			}
			return n
		}
	}
	return n
}

// clause takes the word that begins a part of an assertion, each once. At
// the end of the statement it is empty.
func (r *reader) clause(seen map[string]bool, words ...string) string {
	t := r.next()
	if t.kind == 0 {
		return ""
	}
	if t.kind != wordToken || !slices.Contains(words, t.text) {
		r.fail(t.from, "%s does not belong here: one of %s can follow%s", r.found(t), strings.Join(words, ", "), didYouMean(t.text, words))
		return ""
	}
	if seen[t.text] {
		r.fail(t.from, "%q is here twice", t.text)
	}
	seen[t.text] = true
	return r.take().text
}

// events reads which events are meant: a stream and a pattern.
func (r *reader) events() (string, Pattern) {
	var stream string
	if t := r.next(); t.kind == textToken || t.kind == regexpToken {
		r.fail(t.from, "on which stream? write `chat %s`", r.source(t))
	}
	r.word("the name of a stream", "chat", func(word string) string {
		if stream = word; validStream.MatchString(word) {
			return ""
		}
		return fmt.Sprintf("%.40q is no name of a stream: chat, view, member, command, bootstrap, net, log, or that of an extension", word)
	})
	from := r.next().from
	var p Pattern
	to := from
	for r.wrong == nil {
		t := r.next()
		if t.kind != textToken && t.kind != regexpToken && t.kind != fieldToken {
			r.bareText(t)
			break
		}
		p.Terms = append(p.Terms, r.term(r.take()))
		to = t.to
	}
	p.Text = r.text[from:to]
	return stream, p
}

// bareText complains about a text without quotes where a pattern is due.
func (r *reader) bareText(t token) {
	if t.kind == wordToken && !slices.Contains([]string{"count", "within", "since", "for"}, t.text) &&
		nearest(t.text, []string{"count", "within", "since"}) == "" {
		r.fail(t.from, "%s is no pattern: write \"%s\" for an event's whole text, /%s/ to search it, or FIELD:VALUE", r.source(t), t.text, t.text)
	}
}

// term reads one part of a pattern. What comes out is to be expanded for each
// target.
func (r *reader) term(t token) Term {
	r.selfToo = true
	defer func() { r.selfToo = false }()
	switch t.kind {
	case textToken:
		return Term{Kind: Exact, Text: r.fill(t.from, t.text, "x", true, false)}
	case fieldToken:
		if t.text == "" {
			r.fail(t.to, "the value of %s is missing: `%s:VALUE`, or `%s:\"\"` for an empty one", t.name, t.name, t.name)
		}
		return Term{Kind: Field, Field: t.name, Text: r.fill(t.from, t.text, "x", true, false)}
	}
	text := r.fill(t.from, t.text, "x", true, true)
	r.compiles(t.from, Expand(text, map[string]string{self: "x"}))
	return Term{Kind: Regexp, Text: text}
}

func (r *reader) since() Since {
	t := r.take()
	switch {
	case t.kind == wordToken && t.text == "phase":
		return Since{}
	case t.kind == wordToken && (t.text == "start" || t.text == "now"):
		return Since{From: SinceKind(t.text)}
	case t.kind == fieldToken && t.name == "mark":
		if r.script != nil {
			if _, ok := r.script.marks[t.text]; !ok {
				r.fail(t.from, "no line above says `mark %s`%s", t.text, didYouMean(t.text, keys(r.script.marks)))
			}
		}
		return Since{SinceMark, t.text}
	}
	r.fail(t.from, "since when? one of phase, start, now, mark:NAME, not %s%s", r.found(t), didYouMean(t.text, []string{"phase", "start"}))
	return Since{}
}

func (r *reader) await(who Targets) Action {
	if r.next().text == "converged" {
		r.fail(r.shape.target.from, "convergence is about all peers together: `await converged`, or `await converged %s` for some of them", who.Text)
	}
	a := Await{Targets: who, Predicate: r.predicate()}
	a.Within = r.within()
	return a
}

// within reads the end of an await.
func (r *reader) within() (d time.Duration) {
	if r.accept("within") {
		d = r.duration("within")
	}
	r.finish("within")
	return d
}

func (r *reader) stable(who Targets) Action {
	s := Stable{Targets: who, Predicate: r.predicate()}
	if t := r.next(); t.kind == 0 {
		r.fail(t.from, "how long? stable needs a span of time: `%s for 2s`", r.text)
	}
	r.need("for", "stable ... for 2s")
	s.For = r.duration("for")
	r.finish()
	return s
}

func (r *reader) converged() Action {
	if t := r.next(); !r.accept("converged") {
		r.fail(t.from, "who awaits what? `await converged`, or begin with the peers: `all await %s`%s",
			orElse(r.text[t.from:], "members == alice,bob"), didYouMean(t.text, []string{"converged"}))
	}
	var c Converged
	if t := r.next(); t.kind != 0 && t.text != "within" {
		group := r.targets("await converged alice,bob")
		c.Group = &group
	}
	c.Within = r.within()
	return c
}

// subjects are the words that begin a predicate.
func subjects() []string {
	return []string{"members", "members.count", "view", "chat", "bootstrap", "health"}
}

// predicate reads a state of a peer.
func (r *reader) predicate() Predicate {
	r.selfToo = true
	defer func() { r.selfToo = false }()
	first := r.take()
	word, _, call := strings.Cut(first.text, "(")
	p := Predicate{Subject: Subject(word), Op: Equal}
	switch {
	case word == "view" && !call:
		r.fail(first.from, "a peer's name is due in parentheses: view(alice)")
	case first.kind != wordToken || !slices.Contains(subjects(), word) || call != (p.Subject == View):
		r.fail(first.from, "%s is no state of a peer: members, members.count, view(NAME), chat, bootstrap, health%s", r.found(first), didYouMean(word, subjects()))
	case p.Subject == Members || p.Subject == Chat:
		p.Op = r.op(Equal, NotEqual)
		p.Names = r.targets(word + " == alice,bob")
	case p.Subject == MembersCount || p.Subject == Health:
		p.Op = r.op(anyOp()...)
		p.N = r.number(word, 0, maxCount)
		r.decides(first.from, word, Count{p.Op, p.N}, fmt.Sprintf("`%s >= 1`, or `%s == 0`", word, word))
	case p.Subject == View:
		p.Peer = r.viewed(first)
		p.Op = r.op(Equal, NotEqual)
		p.State = State(r.oneOf("a state", []string{string(Alive), string(Suspect), string(Dead), string(Absent)}))
	default:
		r.need("contains", "bootstrap contains alice")
		p.Peer = r.peer("bootstrap contains alice")
	}
	p.Text = strings.TrimSpace(r.text[first.from:max(first.from, r.next().from)])
	return p
}

// viewed reads the name in "view(NAME)".
func (r *reader) viewed(t token) string {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(t.text, "view("), ")")
	if !ok {
		r.fail(t.from, "a peer's name is due in parentheses: view(alice)")
		return ""
	}
	r.tokens = append([]token{{kind: wordToken, span: t.span, text: inner}}, r.tokens...)
	return r.peer("view(alice)")
}
