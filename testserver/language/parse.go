package language

import (
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Parse reads a scenario in one of the two forms. path is for messages and
// for the name; nothing is opened. An error that is returned is, or joins,
// *Error values, in the order of the file.
func Parse(path string, source []byte) (*Script, error) {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	s := &Script{Name: name, Path: path, Source: string(source), Timeout: DefaultTimeout, names: newNames()}
	errs := &errorList{}
	text, ok := s.attach(errs)
	if ok {
		if s.Original = !declaresPeers(text); s.Original {
			s.readOriginal(text, errs)
		} else {
			s.readFull(text, errs)
		}
	}
	if err := errs.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// attach takes the attached files off the source and returns the rest. ok is
// false if that cannot be read.
func (s *Script) attach(errs *errorList) (text string, ok bool) {
	if len(s.Source) > maxSource {
		errs.add(Pos{s.Path, 1, 1}, "the file has %d bytes, at most %d are allowed", len(s.Source), maxSource)
		return "", false
	}
	text, files := splitFiles(strings.TrimPrefix(s.Source, "\ufeff"))
	if !utf8.ValidString(text) {
		errs.add(Pos{s.Path, 1, 1}, "the file is not UTF-8 text")
		return "", false
	}
	for _, f := range files {
		pos := Pos{s.Path, f.line, 1}
		switch {
		case wrongPath(f.Name):
			errs.add(pos, "%.60q is no name of an attached file: a relative path with slashes that stays in its folder", f.Name)
		case slices.ContainsFunc(s.Files, func(o File) bool { return strings.EqualFold(o.Name, f.Name) }):
			errs.add(pos, "a file %s is attached already", f.Name)
		}
		s.Files = append(s.Files, f.File)
	}
	return text, true
}

// declaresPeers tells the full form: some line begins with "peers".
func declaresPeers(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimLeft(strings.TrimRight(line, " \t\r"), " \t")
		if line == "peers" || strings.HasPrefix(line, "peers ") || strings.HasPrefix(line, "peers\t") {
			return true
		}
	}
	return false
}

// parser reads a file in the full form.
type parser struct {
	script   *Script
	errs     *errorList
	declared declared
	terms    int  // parts of targets so far
	timeout  *Pos // where it is set
	cleanups *Pos // where the cleanup is
}

// place is where a statement stands.
type place struct {
	top    bool // in no block
	branch bool // its block runs its statements at once
	beside bool // in a par or a bg, at any depth
}

func (s *Script) readFull(text string, errs *errorList) {
	root, ok := scan(s.Path, text, errs)
	if !ok {
		return // what follows from wrong braces helps nobody
	}
	p := &parser{script: s, errs: errs}
	p.declared = declared{marks: map[string]Pos{}, backgrounds: map[string]Pos{}, vars: map[string]variable{}}
	if !p.declareNames(root) {
		return // neither do errors about peers that are not there
	}
	s.Body = p.statements(root, place{top: true})
}

// statements reads the statements of a block.
func (p *parser) statements(b *block, in place) []Statement {
	all := []Statement{}
	var comment []string
	below := 0 // the line below the last comment
	for _, it := range b.items {
		if p.errs.full() {
			break
		}
		if it.text == "" {
			if it.pos.Line != below {
				comment = nil
			}
			if it.comment != "" {
				comment, below = append(comment, bareComment(it.comment)), it.pos.Line+1
			}
			continue
		}
		st, ok := p.item(it, in)
		if it.pos.Line == below {
			st.Comment = comment
		}
		if comment = nil; ok {
			all = append(all, st)
		}
	}
	return all
}

// bareComment is a comment without its sign.
func bareComment(c string) string {
	return strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(c, "#"), " "), " \t\r")
}

// item reads a statement with its block. ok is false for what declares
// something about the script, and is no step of it.
func (p *parser) item(it item, in place) (st Statement, ok bool) {
	if p.isDeclaration(it.shape.word) {
		p.declaration(it, in)
		return st, false
	}
	return p.statement(it.pos, it.text, it.block, in), true
}

func (p *parser) reader(pos Pos, text string) *reader {
	return &reader{pos: pos, text: text, names: p.script.names, vars: p.declared.lookup, script: &p.declared}
}

// statement reads a statement with its block.
func (p *parser) statement(pos Pos, text string, b *block, in place) Statement {
	if in.branch {
		p.declared.commanded = false
	}
	r := p.reader(pos, text)
	st := r.read().withBlock(b != nil)
	p.fits(r, st.Do, b, in)
	if r.wrong != nil {
		p.errs.add(r.wrong.Pos, "%s", r.wrong.Msg)
	}
	if r.wrong == nil || b != nil {
		st.Body = p.body(r, st.Do, b, in)
		p.define(st)
	}
	if st.Deferred = r.deferred; r.deferred {
		st.Do = nil
	}
	return st
}

// fits checks that the statement may stand where it does, with the block that
// it has.
func (p *parser) fits(r *reader, do Action, b *block, in place) {
	p.terms += r.terms
	word := r.shape.word
	needs := word == "par" || word == "repeat" || word == "for"
	f, isFault := do.(Fault)
	instant := isFault && (f.Kind == FaultReset || f.Kind == FaultBootstrap && f.Service == ServiceFault{})
	switch {
	case p.terms > maxTerms:
		r.fail(0, "the file names more than %d peers in all: make groups of them", maxTerms)
	case needs && b == nil:
		r.fail(len(r.text), "%s needs a block: `%s {`, and } on a line behind it", word, r.text)
	case b == nil || needs || word == "bg":
	case instant:
		r.fail(len(r.text), "this is done at once and has no block: leave { } out")
	case !isFault && r.wrong == nil:
		r.fail(len(r.text), "%s has no block", orElse(word, "a command"))
	}
	if word == "phase" && in.beside {
		r.fail(0, "a phase cannot begin in a par or bg, beside others")
	}
}

// maxTerms bounds the parts of all targets of a file.
const maxTerms = 300_000

// body reads the statements of a block, or the one behind "bg NAME:".
func (p *parser) body(r *reader, do Action, b *block, in place) []Statement {
	if at := r.shape.inner; at > 0 {
		return p.beside(r, at, b)
	}
	if b == nil {
		return nil
	}
	inner := place{beside: in.beside}
	switch do := do.(type) {
	case Par:
		inner.branch, inner.beside = true, true
		defer func() { p.declared.commanded = false }()
	case For:
		before, had := p.declared.vars[do.Var]
		p.declared.vars[do.Var] = variable{r.pos, p.example(), true}
		defer func() {
			delete(p.declared.vars, do.Var)
			if had {
				p.declared.vars[do.Var] = before
			}
		}()
	}
	return p.statements(b, inner)
}

// example is the name of some peer.
func (p *parser) example() string {
	if len(p.script.Peers) > 0 {
		return p.script.Peers[0]
	}
	return "alice"
}

// beside reads the statement behind "bg NAME:", at an offset of its text.
func (p *parser) beside(r *reader, at int, b *block) []Statement {
	pos := r.pos
	pos.Col += utf8.RuneCountInString(r.text[:at])
	text := r.text[at:]
	switch sh := shapeOf(text); {
	case text == "" && b != nil:
		r.fail(at, "bg takes one statement; for several write `bg NAME: repeat 1 {`")
	case text == "":
		r.fail(at, "what is to be run? `bg load: alice msg hello`")
	case sh.word == "bg" || p.isDeclaration(sh.word):
		r.fail(at, "%s cannot stand in a bg", sh.word)
	default:
		commanded := p.declared.commanded
		st := p.statement(pos, text, b, place{branch: true, beside: true})
		p.declared.commanded = commanded
		return []Statement{st}
	}
	p.errs.add(r.wrong.Pos, "%s", r.wrong.Msg)
	return nil
}

// define notes what a statement defines for those below it.
func (p *parser) define(st Statement) {
	switch do := st.Do.(type) {
	case Command:
		p.declared.commanded = true
		if do.Let != "" {
			p.declared.vars[do.Let] = variable{pos: st.Pos}
		}
	case Output:
		for _, name := range groupNames(do.Pattern) {
			p.declared.vars[name] = variable{pos: st.Pos}
		}
	case Mark:
		p.declared.marks[do.Name] = st.Pos
	case Background:
		p.declared.backgrounds[do.Name] = st.Pos
	}
}

func (p *parser) isDeclaration(word string) bool {
	switch word {
	case "peers", "group", "timeout", "skip", "fails", "cleanup":
		return true
	}
	return false
}

// declaration reads what is said about the whole script. Names were read
// before.
func (p *parser) declaration(it item, in place) {
	word := it.shape.word
	r := p.reader(it.pos, it.text)
	r.shape = it.shape
	conditions, _ := r.prefixes()
	r.tokenize(span{it.shape.body, len(it.text)})
	remark := word == "skip" || word == "fails"
	switch {
	case len(it.shape.prefixes) > 0 && (!remark || len(conditions) == 0):
		r.fail(0, "%s is said about the whole script: nothing can stand before it", word)
	case !in.top:
		r.fail(0, "%s cannot stand in a block", word)
	case it.block != nil && word != "cleanup":
		r.fail(len(it.text), "%s has no block", word)
	case word == "timeout":
		p.setTimeout(r)
	case word == "skip":
		p.remark(r, &p.script.Skip, conditions)
	case word == "fails":
		p.remark(r, &p.script.Fails, conditions)
	case word == "cleanup":
		p.cleanup(r, it.block)
	}
	if r.wrong != nil {
		p.errs.add(r.wrong.Pos, "%s", r.wrong.Msg)
	}
}

func (p *parser) setTimeout(r *reader) {
	var d time.Duration
	if p.timeout != nil {
		r.fail(0, "line %d says timeout already", p.timeout.Line)
	}
	d = r.duration("timeout")
	r.finish()
	p.script.Timeout, p.timeout = d, &r.pos
}

func (p *parser) remark(r *reader, to **Remark, conditions []Condition) {
	if *to != nil {
		r.fail(0, "line %d says %s already", (*to).Pos.Line, r.shape.word)
	}
	reason := r.quotedText("the reason")
	r.finish()
	*to = &Remark{Pos: r.pos, Conditions: conditions, Reason: reason}
}

func (p *parser) cleanup(r *reader, b *block) {
	r.finish()
	switch {
	case b == nil:
		r.fail(len(r.text), "cleanup needs a block: `cleanup { all quit }`")
	case p.cleanups != nil:
		r.fail(0, "line %d begins a cleanup already: put both into one", p.cleanups.Line)
	default:
		p.cleanups = &r.pos
		p.declared.commanded = false
		p.script.Cleanup = p.statements(b, place{})
		p.declared.commanded = false
	}
}
