package language

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// read reads the statement, without its body.
func (r *reader) read() Statement {
	st := Statement{Pos: r.pos, Text: r.text}
	r.shape = shapeOf(r.text)
	st.Conditions, st.Outcome = r.prefixes()
	if r.wrong == nil {
		st.Do = r.action()
	}
	_, isCommand := st.Do.(Command)
	switch {
	case isCommand:
	case r.shape.inner > 0 && (st.Outcome != MustSucceed || r.shape.expand):
		r.fail(0, "%s belongs behind the colon: `bg NAME: ! alice init`", r.shape.prefixes[len(r.shape.prefixes)-1].of(r.text))
	case st.Outcome == MustFail:
		r.fail(0, "! is for commands only; what must not be seen is said with `never`")
	case st.Outcome == MayFail:
		r.fail(0, "? is for commands only")
	case r.shape.expand:
		r.fail(0, "$ is for commands only: variables are expanded here anyway")
	}
	return st
}

// withBlock tells a fault whether it has a block.
func (s Statement) withBlock(has bool) Statement {
	if f, ok := s.Do.(Fault); ok {
		f.Block = has
		s.Do = f
	}
	return s
}

// prefixes reads "[race] ! $".
func (r *reader) prefixes() (conditions []Condition, outcome Outcome) {
	for _, p := range r.shape.prefixes {
		switch part := p.of(r.text); part[0] {
		case '[':
			conditions = append(conditions, r.conditions(p)...)
		case '!', '?':
			if outcome != MustSucceed {
				r.fail(p.from, "one of ! and ? is enough")
			}
			outcome = MustFail
			if part[0] == '?' {
				outcome = MayFail
			}
		}
	}
	if t := r.shape.target; t.from < t.to && r.text[t.from] == '[' {
		r.fail(t.from, "the [ is not closed: a condition stands like this: [race]")
	}
	return conditions, outcome
}

func (r *reader) conditions(p span) []Condition {
	var all []Condition
	for word := range strings.FieldsSeq(strings.Trim(p.of(r.text), "[]")) {
		c := Condition{Word: strings.TrimPrefix(word, "!")}
		c.Not = c.Word != word
		if wrong := wrongCondition(c.Word); wrong != "" {
			r.fail(p.from, "%s", wrong)
		}
		all = append(all, c)
	}
	if all == nil {
		r.fail(p.from, "the condition is empty: write [race], or leave it out")
	}
	return all
}

func wrongCondition(word string) string {
	kind, value, _ := strings.Cut(word, ":")
	known := []string{"race", "short", "engine:local", "engine:sim", "engine:remote", "GOOS:linux", "GOOS:darwin", "GOOS:windows"}
	switch {
	case slices.Contains(known, word):
		return ""
	case kind == "GOOS" && validName.MatchString(value):
		return ""
	}
	return fmt.Sprintf("no condition is called %.40q: there are race, short, engine:NAME and GOOS:NAME%s", word, didYouMean(word, known))
}

// action reads what stands behind the prefixes.
func (r *reader) action() Action {
	if r.shape.isCommand() {
		return r.command()
	}
	var who Targets
	if t := r.shape.target; t.to > t.from {
		who = r.subject()
	}
	if r.shape.inner == 0 {
		r.tokenize(span{r.shape.body, len(r.text)})
	}
	if r.wrong != nil {
		return nil
	}
	switch r.shape.word {
	case "expect":
		return r.expect(who)
	case "never":
		return r.never(who)
	case "stable":
		return r.stable(who)
	case "await":
		if who.Terms == nil {
			return r.converged()
		}
		return r.await(who)
	}
	return r.byWord()
}

// byWord reads a statement that begins with its word.
func (r *reader) byWord() Action {
	switch r.shape.word {
	case "phase":
		return r.phase()
	case "mark":
		return r.mark()
	case "par":
		r.finish()
		return Par{}
	case "repeat":
		times := r.number("repeat", 1, maxRepeat)
		r.finish()
		return Repeat{times}
	case "for":
		return r.forEach()
	case "bg":
		return r.background()
	case "join":
		return r.join()
	case "kill", "stop", "restart", "pause", "resume", "spawn":
		return r.life()
	case "fault":
		return r.fault()
	case "heal":
		r.finish()
		return Heal{}
	case "nemesis":
		return r.nemesis()
	case "check":
		what := r.oneOf("a checker", checkers())
		r.finish()
		return Check{Checker(what)}
	case "sleep":
		d := r.duration("sleep")
		r.finish()
		return Sleep{d}
	case "stdout", "stderr":
		return r.output()
	case "let":
		r.fail(0, "let takes a name and a command: `let X = alice localnode`")
	}
	return nil
}

// maxRepeat bounds how often a block is run.
const maxRepeat = 1_000_000

func checkers() []string {
	return []string{string(CheckDelivery), string(CheckOrder), string(CheckCausal), string(CheckMembership)}
}

// subject reads the targets that a line begins with.
func (r *reader) subject() Targets {
	t := token{kind: wordToken, span: r.shape.target, text: withoutBlanks(r.shape.target.of(r.text))}
	if slices.Contains(verbs(), t.text) {
		r.fail(t.from, "who? begin with the peers: `all %s ...`", t.text)
	}
	return r.targetsOf(t, Words())
}

// command reads a line for shells.
func (r *reader) command() Action {
	c := Command{Targets: r.subject(), Let: r.shape.let}
	if r.shape.let != "" && (!validVariable.MatchString(r.shape.let) || r.shape.let == self) {
		r.fail(0, "%.40q is no name of a variable: letters, digits and \"_\", a letter first", r.shape.let)
	}
	line := r.text[r.shape.body:]
	word, _, _ := strings.Cut(line, " ")
	name := strings.TrimPrefix(word, "/")
	switch {
	case line == "":
		who := r.shape.target.of(r.text)
		r.fail(r.shape.target.from, "what shall %s do? a command is missing: %q", who, who+" init")
	case strings.HasSuffix(line, " {") && r.shape.raw < 0:
		r.fail(len(r.text)-1, "a command has no block")
	default:
		r.nearVerb(word)
	}
	if c.Raw = r.shape.message && !r.shape.expand && name == "msg"; c.Raw {
		c.Line = line
		return c
	}
	c.Line = r.commandLine()
	return c
}

// nearVerb complains about what is nearly a verb of the language, and not a
// command of a shell.
func (r *reader) nearVerb(word string) {
	for _, v := range verbs() {
		if len(word) > 3 && len(word) < 2*maxName && distance(word, v) == 1 {
			r.fail(r.shape.body, "%q is nearly %q; did you mean %s? a command of that name is written /%s", word, v, v, word)
		}
	}
}

// commandLine is the line of a command, to be expanded for each target. A
// message in it comes out as it is.
func (r *reader) commandLine() string {
	end := len(r.text)
	if r.shape.message && !r.shape.expand {
		end = r.shape.raw
	}
	r.selfToo = true
	line := r.fill(r.shape.body, r.text[r.shape.body:end], "1", true, false)
	r.selfToo = false
	if strings.ContainsAny(line, "\r\n") {
		r.fail(r.shape.body, "a variable in the command has several lines: take a part of it, with a named group in `stdout /(?P<name>...)/`")
	}
	return line + doubled(r.text[end:])
}

// output reads stdout and stderr.
func (r *reader) output() Action {
	o := Output{Stderr: r.shape.word == "stderr"}
	t := r.take()
	switch t.kind {
	case textToken:
		o.Pattern = Term{Kind: Exact, Text: r.fill(t.from, t.text, "x", false, false)}
	case regexpToken:
		o.Pattern = Term{Kind: Regexp, Text: r.fill(t.from, t.text, "x", false, true)}
		r.compiles(t.from, o.Pattern.Text)
	default:
		r.fail(t.from, "%s takes a \"text\" or a /regular expression/, not %s", r.shape.word, r.found(t))
	}
	r.finish()
	if r.script != nil && !r.script.commanded {
		r.fail(0, "%s looks at the output of a command, and none stands before it here", r.shape.word)
	}
	return o
}

func (r *reader) compiles(at int, pattern string) {
	if _, err := regexp.Compile(pattern); err != nil {
		r.fail(at, "the regular expression does not compile: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
}

func (r *reader) phase() Action {
	title := r.quotedText("the title of the phase")
	if r.wrong == nil && strings.TrimSpace(title) == "" {
		r.fail(r.shape.body, "the title of the phase is empty")
	}
	r.finish()
	return Phase{title}
}

func (r *reader) mark() Action {
	name, at := r.plain("the name of the mark")
	r.finish()
	if r.script != nil {
		if before, ok := r.script.marks[name]; ok {
			r.fail(at, "line %d has a mark of that name already", before.Line)
		}
	}
	return Mark{name}
}

func (r *reader) forEach() Action {
	name, at := r.plain("the name of the variable")
	if r.wrong == nil && (!validVariable.MatchString(name) || name == self) {
		r.fail(at, "%.40q is no name of a variable: letters, digits and \"_\", a letter first", name)
	}
	r.need("in", "for p in all {")
	f := For{Var: name, Targets: r.targets("for p in all {")}
	r.finish()
	return f
}

func (r *reader) background() Action {
	if r.shape.inner == 0 {
		r.fail(0, "bg takes a name, a colon and a statement: `bg load: repeat 10 { ... }`")
		return nil
	}
	name := strings.TrimSpace(r.text[r.shape.body : strings.IndexByte(r.text[r.shape.body:], ':')+r.shape.body])
	if !validGroup.MatchString(name) {
		r.fail(r.shape.body, "%.40q is no name: letters, digits, \"_\" and \"-\", a letter first", name)
	}
	if r.script != nil {
		if before, ok := r.script.backgrounds[name]; ok {
			r.fail(r.shape.body, "line %d has a bg of that name already", before.Line)
		}
	}
	return Background{name}
}

func (r *reader) join() Action {
	name, at := r.plain("the name of a bg")
	j := Join{Name: name}
	if r.accept("within") {
		j.Within = r.duration("within")
	}
	r.finish("within")
	if r.script == nil {
		return j
	}
	if _, ok := r.script.backgrounds[name]; !ok {
		r.fail(at, "no line above begins `bg %s: ...`%s", name, didYouMean(name, keys(r.script.backgrounds)))
	}
	return j
}

// keys are the names in a map, sorted.
func keys(m map[string]Pos) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func (r *reader) life() Action {
	verb := r.shape.word
	l := Life{Verb: Verb(verb)}
	if verb == "restart" && len(r.tokens) > 1 && r.accept("fresh") {
		l.Fresh = true
	}
	l.Targets = r.targets(verb + " alice")
	if t := r.next(); verb == "restart" && t.text == "fresh" {
		r.fail(t.from, "fresh stands before the peers: `restart fresh %s`", l.Targets.Text)
	}
	r.finish()
	return l
}
