package repl

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// Complete proposes what can stand at byte offset pos of a line at the
// keyboard, and tells at which offset the word that they replace begins. Each
// candidate's Text begins with what is typed of the word already, quotes
// included; candidates are sorted.
func (s *Shell) Complete(line string, pos int) (candidates []Candidate, start int) {
	pos = max(0, min(pos, len(line)))
	typed := line[:pos]
	trimmed := strings.TrimLeft(typed, " \t")
	mode := s.Mode()
	switch {
	case trimmed == "" && mode.Run != nil, trimmed == "/":
		return s.Table().names("/", ""), pos - len(trimmed)
	case mode.Run == nil, isCommand(trimmed):
		return s.completeCommand(typed, line[pos:])
	case mode.Complete != nil:
		return mode.Complete(line, pos)
	}
	return nil, pos
}

// names proposes command names and, when some letters are typed, aliases,
// with what stands before them on the line.
func (t *Table) names(before, prefix string) []Candidate {
	var list []Candidate
	for _, n := range t.withPrefix(prefix) {
		if c := t.words[n]; prefix != "" || c.Name == n {
			list = append(list, Candidate{Text: before + n, Help: c.Summary})
		}
	}
	return list
}

// completeCommand completes the last word of a command line; after stands
// behind the cursor.
func (s *Shell) completeCommand(typed, after string) ([]Candidate, int) {
	x := lexer{src: typed}
	for x.statementBegins() {
		name := x.word()
		if x.pos == len(typed) {
			return s.completeName(name, typed)
		}
		c, err := s.Table().Match(strings.TrimPrefix(name.text, "/"))
		if err != nil {
			c = &Command{}
		}
		if c.Raw || c.CompleteText != nil {
			return completeText(c, typed, after, x.pos)
		}
		var args []string
		for x.wordBegins() {
			w := x.word()
			if x.pos == len(typed) {
				return s.completeArg(c, args, w, typed)
			}
			args = append(args, w.text)
		}
		if x.pos == len(typed) {
			return s.completeArg(c, args, word{start: x.pos, end: x.pos}, typed)
		}
		if typed[x.pos] == '#' {
			return nil, len(typed)
		}
	}
	if x.pos == len(typed) {
		return s.Table().names("", ""), x.pos
	}
	return nil, len(typed)
}

func (s *Shell) completeName(w word, typed string) ([]Candidate, int) {
	name, slash := strings.CutPrefix(typed[w.start:w.end], "/")
	if slash {
		return s.Table().names("/", name), w.start
	}
	return s.Table().names("", name), w.start
}

// completeText completes the text of a command by its own grammar, or, of a raw
// one, as words that are split at blanks only.
func completeText(c *Command, typed, after string, from int) ([]Candidate, int) {
	if c.CompleteText != nil {
		text := strings.TrimLeft(typed[from:], " \t")
		from = len(typed) - len(text)
		list, start := c.CompleteText(text+after, len(text))
		return list, from + start
	}
	start := from
	if i := strings.LastIndexAny(typed[from:], " \t"); i >= 0 {
		start += i + 1
	}
	if c.Complete == nil {
		return nil, start
	}
	return matching(c.Complete(strings.Fields(typed[from:start])), typed[start:], func(c Candidate) string { return c.Text }), start
}

// completeArg completes the word w after the complete arguments args of c.
func (s *Shell) completeArg(c *Command, args []string, w word, typed string) ([]Candidate, int) {
	var all []Candidate
	if c.Complete != nil {
		all = c.Complete(args)
	}
	if c.File != nil && s.cfg.Files != nil && c.File(args) {
		all = append(all, s.cfg.Files(w.text)...)
	}
	if c.Query && strings.HasPrefix(w.text, "-") && !w.quoted {
		all = append(all, Candidate{Text: "--json", Help: "print JSON"})
	}
	return matching(all, w.text, func(c Candidate) string {
		return typed[w.start:w.end] + w.rest(c)
	}), w.start
}

// matching keeps the candidates that begin with prefix, as write puts them on
// the line, sorted.
func matching(all []Candidate, prefix string, write func(Candidate) string) []Candidate {
	var list []Candidate
	for _, c := range all {
		if strings.HasPrefix(c.Text, prefix) {
			c.Text = write(c)
			list = append(list, c)
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Text < list[j].Text })
	return list
}

// rest writes what is left of c after the word w, whose beginning is on the
// line already, such that the line reads it back as c. Of a part of a word the
// quote stays open.
func (w word) rest(c Candidate) string {
	rest := c.Text[len(w.text):]
	closing := ""
	if w.open != 0 && !c.Part {
		closing = string(w.open)
	}
	switch w.open {
	case '\'':
		return strings.ReplaceAll(rest, `'`, `'\''`) + closing
	case '"':
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(rest) + closing
	case '\\':
		_, size := utf8.DecodeRuneInString(rest) // the backslash is there
		return rest[:size] + escaped(rest[size:])
	}
	if w.start == w.end && strings.HasPrefix(rest, "#") {
		return `\` + escaped(rest) // not a comment
	}
	return escaped(rest)
}

// escaped writes text outside of quotes.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(" \t\n;'\"\\", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
