package repl

import (
	"sort"
	"strings"
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
		return s.table.names("/", ""), pos - len(trimmed)
	case mode.Run == nil, isCommand(trimmed):
		return s.completeCommand(typed)
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
			list = append(list, Candidate{before + n, c.Summary})
		}
	}
	return list
}

// completeCommand completes the last word of a command line.
func (s *Shell) completeCommand(typed string) ([]Candidate, int) {
	x := lexer{src: typed}
	for x.statementBegins() {
		name := x.word()
		if x.pos == len(typed) {
			return s.completeName(name, typed)
		}
		c, err := s.table.Match(strings.TrimPrefix(name.text, "/"))
		if err != nil {
			c = &Command{}
		}
		if c.Raw {
			return completeRaw(c, typed, x.pos)
		}
		var args []string
		for x.wordBegins() {
			w := x.word()
			if x.pos == len(typed) {
				return c.completeArg(args, w, typed)
			}
			args = append(args, w.text)
		}
		if x.pos == len(typed) {
			return c.completeArg(args, word{start: x.pos, end: x.pos}, typed)
		}
		if typed[x.pos] == '#' {
			return nil, len(typed)
		}
	}
	if x.pos == len(typed) {
		return s.table.names("", ""), x.pos
	}
	return nil, len(typed)
}

func (s *Shell) completeName(w word, typed string) ([]Candidate, int) {
	name, slash := strings.CutPrefix(typed[w.start:w.end], "/")
	if slash {
		return s.table.names("/", name), w.start
	}
	return s.table.names("", name), w.start
}

// completeRaw completes the text of a raw command: its words are split at
// blanks only.
func completeRaw(c *Command, typed string, from int) ([]Candidate, int) {
	start := from
	if i := strings.LastIndexAny(typed[from:], " \t"); i >= 0 {
		start += i + 1
	}
	if c.Complete == nil {
		return nil, start
	}
	return matching(c.Complete(strings.Fields(typed[from:start])), typed[start:], func(s string) string { return s }), start
}

// completeArg completes the word w after the complete arguments args.
func (c *Command) completeArg(args []string, w word, typed string) ([]Candidate, int) {
	var all []Candidate
	if c.Complete != nil {
		all = c.Complete(args)
	}
	if c.Query && strings.HasPrefix(w.text, "-") && !w.quoted {
		all = append(all, Candidate{"--json", "print JSON"})
	}
	return matching(all, w.text, func(text string) string {
		return typed[w.start:w.end] + escapeRest(text[len(w.text):], w.open)
	}), w.start
}

// matching keeps the candidates that begin with prefix, as write puts them on
// the line, sorted.
func matching(all []Candidate, prefix string, write func(string) string) []Candidate {
	var list []Candidate
	for _, c := range all {
		if strings.HasPrefix(c.Text, prefix) {
			list = append(list, Candidate{write(c.Text), c.Help})
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Text < list[j].Text })
	return list
}

// escapeRest writes the rest of a word whose beginning is on the line already,
// inside the quote open or, if that is 0, outside of quotes.
func escapeRest(rest string, open byte) string {
	switch open {
	case '\'':
		return strings.ReplaceAll(rest, `'`, `'\''`) + `'`
	case '"':
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(rest) + `"`
	case '\\':
		return rest
	}
	var b strings.Builder
	for _, r := range rest {
		if strings.ContainsRune(" \t\n;'\"\\", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
