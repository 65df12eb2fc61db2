package language

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// reader takes one statement apart. The first thing that is wrong with it is
// kept, and what is read after that does not matter.
type reader struct {
	pos    Pos // of the text
	text   string
	shape  shape
	tokens []token // that are left
	names  *names
	vars   variables
	// script is what the file has declared above the statement; nil when a
	// statement is resolved, whose references were checked before.
	script *declared

	terms    int  // parts of its targets
	selfToo  bool // $self has a meaning here, later
	deferred bool // a variable was met
	open     bool // one was met whose value is not known yet
	wrong    *Error
}

// variables knows variables. known is false for one that has no value yet;
// ok is false if there is none.
type variables func(name string) (value string, known, ok bool)

// declared is what a file has declared so far.
type declared struct {
	marks       map[string]Pos
	backgrounds map[string]Pos
	vars        map[string]variable
	commanded   bool // a command stands before, whose output can be looked at
}

// variable is one that a file has defined.
type variable struct {
	pos   Pos
	value string // an example, if all its values are of one kind
	known bool   // it has an example
}

func (d *declared) lookup(name string) (string, bool, bool) {
	v, ok := d.vars[name]
	return v.value, v.known, ok
}

func (r *reader) fail(at int, format string, args ...any) {
	if r.wrong == nil {
		at = skipBlanks(r.text, min(at, len(r.text)))
		pos := r.pos
		pos.Col += utf8.RuneCountInString(r.text[:at])
		r.wrong = &Error{pos, fmt.Sprintf(format, args...)}
	}
}

// tokenize makes a part of the text the tokens that are read next.
func (r *reader) tokenize(part span) {
	all, at, wrong := tokens(r.text, part)
	if wrong != "" {
		r.fail(at, "%s", wrong)
	}
	r.tokens = all
}

// next is the token that is read next; at the end, an empty one behind the
// text.
func (r *reader) next() token {
	if len(r.tokens) == 0 {
		return token{span: span{len(r.text), len(r.text)}}
	}
	return r.tokens[0]
}

func (r *reader) take() token {
	t := r.next()
	r.tokens = r.tokens[min(1, len(r.tokens)):]
	return t
}

// accept takes the next token if it is that word or operator.
func (r *reader) accept(text string) bool {
	t := r.next()
	if t.text != text || t.kind != wordToken && t.kind != opToken {
		return false
	}
	r.take()
	return true
}

// source is a token as it stands in the text.
func (r *reader) source(t token) string { return t.of(r.text) }

// found names the next token for a message.
func (r *reader) found(t token) string {
	if t.kind == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%.60q", r.source(t))
}

// need takes a word or an operator that has to stand there.
func (r *reader) need(text, example string) {
	if t := r.next(); !r.accept(text) {
		r.fail(t.from, "%q is missing before %s: write `%s`", text, r.found(t), example)
	}
}

// finish complains about what is left over.
func (r *reader) finish(known ...string) {
	if t := r.next(); t.kind != 0 {
		r.fail(t.from, "%s is left over at the end%s", r.found(t), didYouMean(r.source(t), known))
	}
}

// fill puts the values of variables in the place of them. With later, what
// comes out is a text to be expanded once more. pattern tells that it is a
// regular expression. example stands for what has no value yet.
func (r *reader) fill(at int, text, example string, later, pattern bool) string {
	return expand(text, func(part, name string) string {
		if name == "" && later || name == self && r.selfToo {
			return part
		}
		if name == "" {
			return "$"
		}
		if name == self {
			r.fail(at, "$self stands for the name of each target: it has no value here")
			return ""
		}
		value, known, ok := r.vars(name)
		if !ok {
			r.unknownVariable(at, name)
		}
		r.deferred = true
		if !known {
			r.open, value = true, example
		}
		if pattern {
			value = regexp.QuoteMeta(value)
		}
		if later {
			value = doubled(value)
		}
		return value
	})
}

func (r *reader) unknownVariable(at int, name string) {
	var known []string
	if r.script != nil {
		for v := range r.script.vars {
			known = append(known, v)
		}
		slices.Sort(known)
	}
	r.fail(at, "no line above defines $%s%s", name, orElse(didYouMean(name, known), ": `let "+name+" = alice COMMAND` does; a dollar sign is written $$"))
}

// fit fills in a token and has it looked at. If a variable in it has no value
// yet, one of some examples has to fit.
func (r *reader) fit(t token, example string, look func(text string) (at int, wrong string)) {
	before := r.open
	var first *Error
	for _, e := range r.examples(example) {
		r.open = false
		text := r.fill(t.from, t.text, e, false, false)
		at, wrong := look(text)
		if wrong == "" || r.wrong != nil {
			first = nil
			break
		}
		if first == nil {
			place := t.from
			if text == r.source(t) {
				place += at
			}
			r.fail(place, "%s", wrong)
			first, r.wrong = r.wrong, nil
		}
		if !r.open {
			break
		}
	}
	if first != nil && r.wrong == nil {
		r.wrong = first
	}
	r.open = r.open || before
}

// examples are values that a variable could have.
func (r *reader) examples(first string) []string {
	all := []string{first, "1"}
	if len(r.names.order) > 0 {
		all = append(all, r.names.order[0])
	}
	return all
}

// word takes a word for which a check says what is wrong, empty for nothing.
// what names it in messages, example is one that is right.
func (r *reader) word(what, example string, check func(word string) (wrong string)) {
	t := r.take()
	if t.kind != wordToken && t.kind != fieldToken {
		r.fail(t.from, "%s is missing before %s, as in `%s`", what, r.found(t), example)
		return
	}
	if t.kind == fieldToken {
		t.text = r.source(t)
	}
	r.fit(t, example, func(text string) (int, string) { return 0, check(text) })
}

// oneOf takes one of some words.
func (r *reader) oneOf(what string, words []string) string {
	var got string
	r.word(what, words[0], func(word string) string {
		got = word
		if slices.Contains(words, word) {
			return ""
		}
		return fmt.Sprintf("%s is one of %s, not %.40q%s", what, strings.Join(words, ", "), word, didYouMean(word, words))
	})
	return got
}

// plain takes a word in which no variables may stand: the name of what the
// statement defines.
func (r *reader) plain(what string) (name string, at int) {
	t := r.take()
	if t.kind != wordToken || !validGroup.MatchString(t.text) {
		r.fail(t.from, "%s is missing or no word before %s: letters, digits, \"_\" and \"-\", a letter first", what, r.found(t))
	}
	return t.text, t.from
}

// quotedText takes a text in quotes.
func (r *reader) quotedText(what string) string {
	t := r.take()
	if t.kind != textToken {
		r.fail(t.from, "%s is missing before %s: write it in double quotes", what, r.found(t))
	}
	return r.fill(t.from, t.text, "x", false, false)
}

// targets takes the names of peers.
func (r *reader) targets(example string) Targets {
	t := r.take()
	if t.kind != wordToken {
		r.fail(t.from, "the names of peers are missing before %s, as in `%s`", r.found(t), example)
		return Targets{}
	}
	return r.targetsOf(t, nil)
}

// targetsOf reads the names of peers in a token. also are other words that
// may be meant.
func (r *reader) targetsOf(t token, also []string) Targets {
	var got Targets
	r.fit(t, "", func(text string) (at int, wrong string) {
		got, at, wrong = readTargets(text, r.names, r.selfToo, also)
		r.terms += len(got.Terms)
		return at, wrong
	})
	return got
}

// peer takes the name of one peer.
func (r *reader) peer(example string) string {
	t := r.next()
	got := r.targets(example)
	if r.wrong == nil && (len(got.Terms) != 1 || got.Terms[0].Kind != Named) {
		r.fail(t.from, "one peer's name is due, not %q", got.Text)
		return ""
	}
	if r.wrong != nil {
		return ""
	}
	return got.Terms[0].Name
}

// maxSpan bounds a span of time.
const maxSpan = 24 * time.Hour

// duration takes a span of time.
func (r *reader) duration(what string) time.Duration {
	var got time.Duration
	r.word("the span of time after "+what, "5s", func(word string) string {
		var wrong string
		got, wrong = readDuration(word)
		return wrong
	})
	return got
}

func readDuration(word string) (time.Duration, string) {
	d, err := time.ParseDuration(word)
	switch {
	case strings.Trim(word, "0123456789") == "" && word != "":
		return 0, fmt.Sprintf("%.40q has no unit: write %ss for seconds, %sms for thousandths", word, word, word)
	case err != nil:
		return 0, fmt.Sprintf("%.40q is no span of time: write 500ms, 5s or 1m30s", word)
	case d <= 0 || d > maxSpan:
		return 0, fmt.Sprintf("%s is no useful span of time: more than 0, at most %s", word, maxSpan)
	}
	return d, ""
}

// number takes a whole number within bounds.
func (r *reader) number(what string, least, most int) int {
	var got int
	r.word("the number for "+what, strconv.Itoa(max(1, least)), func(word string) string {
		n, err := strconv.Atoi(word)
		if got = n; err != nil || n < least || n > most {
			return fmt.Sprintf("%s is a whole number from %d to %d, not %.40q", what, least, most, word)
		}
		return ""
	})
	return got
}

// percent takes a probability.
func (r *reader) percent(what string) float64 {
	var got float64
	r.word("the percentage after "+what, "5%", func(word string) string {
		digits, ok := strings.CutSuffix(word, "%")
		n, err := strconv.ParseFloat(digits, 64)
		if got = n / 100; !ok || err != nil || !(n >= 0 && n <= 100) {
			return fmt.Sprintf("%s is a percentage from 0%% to 100%%, as in `%s 5%%`, not %.40q", what, what, word)
		}
		return ""
	})
	return got
}

// op takes a comparison.
func (r *reader) op(allowed ...Op) Op {
	t := r.take()
	if t.kind != opToken || !slices.Contains(allowed, Op(t.text)) {
		var all []string
		for _, o := range allowed {
			all = append(all, string(o))
		}
		r.fail(t.from, "a comparison is missing before %s: one of %s", r.found(t), strings.Join(all, " "))
	}
	return Op(t.text)
}

// anyOp are all comparisons.
func anyOp() []Op { return []Op{Equal, NotEqual, AtLeast, AtMost, MoreThan, LessThan} }
