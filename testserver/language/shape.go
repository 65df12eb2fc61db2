package language

import (
	"slices"
	"strings"
)

// shape is a first look at a statement: which kind of text each part of it
// is. It is what decides where a statement ends, so it never fails; what is
// wrong with a statement is found when it is parsed.
type shape struct {
	prefixes []span // "[race]", "!", "?", "$"
	expand   bool   // one of them is "$"
	word     string // that begins it, or the verb behind its targets; empty for a command
	let      string // let NAME = ...: NAME
	target   span   // of a command, or of a verb
	body     int    // where the tokens behind the word, or the line of a command, begin
	end      int    // where the statement ends: a comment, a brace, the end of the line
	raw      int    // where text that is taken as it is begins; -1 if none is
	message  bool   // that text is a message: no variables in it
	inner    int    // bg NAME: ...: where the inner statement begins; 0 if it is no bg
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

func (s span) of(text string) string { return text[s.from:s.to] }

// isCommand tells whether the statement is a line for shells.
func (s *shape) isCommand() bool { return s.word == "" }

// shapeOf looks at a line, from a statement of the full form to the line's
// end.
func shapeOf(line string) shape {
	s := shape{raw: -1}
	at := s.readPrefixes(line)
	word := wordAt(line, at)
	switch {
	case word.of(line) == "bg":
		s.background(line, word)
	case word.of(line) == "let":
		s.assignment(line, word)
	case slices.Contains(Words(), word.of(line)):
		s.statement(line, word)
	default:
		s.targeted(line, at)
	}
	return s
}

// readPrefixes returns where the statement proper begins.
func (s *shape) readPrefixes(line string) int {
	at := skipBlanks(line, 0)
	for at < len(line) {
		from := at
		switch {
		case line[at] == '!' || line[at] == '?':
			at++
		case line[at] == '$' && at+1 < len(line) && blank(line[at+1]):
			s.expand = true
			at++
		case line[at] == '[':
			n := strings.IndexByte(line[at:], ']')
			if n < 0 {
				return at
			}
			at += n + 1
		default:
			return at
		}
		s.prefixes = append(s.prefixes, span{from, at})
		at = skipBlanks(line, at)
	}
	return at
}

// statement is a shape that begins with its word.
func (s *shape) statement(line string, word span) {
	s.word, s.body = word.of(line), word.to
	s.end = s.body + tokensEnd(line[s.body:])
}

// targeted is a shape that begins with targets.
func (s *shape) targeted(line string, at int) {
	s.target = span{at, at + targetLength(line[at:])}
	s.body = skipBlanks(line, s.target.to)
	verb := wordAt(line, s.body)
	if slices.Contains(verbs(), verb.of(line)) {
		s.statement(line, verb)
		return
	}
	end, raw, name := commandEnd(line[s.body:])
	s.end = s.body + end
	if raw >= 0 {
		s.raw = s.body + raw
	}
	s.message = name == "msg"
}

// assignment is the shape of "let NAME = TARGETS COMMAND".
func (s *shape) assignment(line string, word span) {
	at := skipBlanks(line, word.to)
	name := span{at, at}
	for name.to < len(line) && !blank(line[name.to]) && line[name.to] != '=' {
		name.to++
	}
	at = skipBlanks(line, name.to)
	if at >= len(line) || line[at] != '=' {
		s.statement(line, word)
		return
	}
	s.let = name.of(line)
	at = skipBlanks(line, at+1)
	s.targeted(line, at)
	if s.let == "" || s.word != "" || s.target.to == at {
		s.let = ""
		s.statement(line, word)
	}
}

// background is the shape of "bg NAME: STATEMENT".
func (s *shape) background(line string, word span) {
	colon := word.to
	for colon < len(line) && line[colon] != ':' && line[colon] != '{' && line[colon] != '#' {
		colon++
	}
	if colon == len(line) || line[colon] != ':' {
		s.statement(line, word)
		return
	}
	s.word, s.body = "bg", word.to
	s.inner = skipBlanks(line, colon+1)
	if s.inner == len(line) || strings.IndexByte("{}#", line[s.inner]) >= 0 {
		s.end = s.inner
		return
	}
	in := shapeOf(line[s.inner:])
	s.end = s.inner + in.end
	if in.raw >= 0 {
		s.raw = s.inner + in.raw
	}
}

func blank(b byte) bool { return b == ' ' || b == '\t' }

func skipBlanks(line string, at int) int {
	for at < len(line) && blank(line[at]) {
		at++
	}
	return at
}

// wordAt is the word that begins at an offset, up to a blank or a brace.
func wordAt(line string, at int) span {
	to := at
	for to < len(line) && !blank(line[to]) && line[to] != '{' && line[to] != '}' {
		to++
	}
	return span{at, to}
}

// targetLength is the length of the targets that a text begins with. Blanks
// belong to it inside parentheses and beside commas.
func targetLength(text string) int {
	depth, at := 0, 0
	for at < len(text) {
		switch c := text[at]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case blank(c) && depth <= 0 && !joined(text, at):
			return at
		}
		at++
	}
	return len(strings.TrimRight(text, " \t"))
}

// joined tells whether a comma stands before or behind the blanks at an
// offset.
func joined(text string, at int) bool {
	before := strings.TrimRight(text[:at], " \t")
	behind := text[skipBlanks(text, at):]
	return behind != "" && (strings.HasSuffix(before, ",") || behind[0] == ',')
}

// tokensEnd finds where the tokens of a statement end: at a comment, a brace,
// or the end of the line.
func tokensEnd(text string) int {
	for at := 0; at < len(text); {
		begins := at == 0 || blank(text[at-1])
		switch c := text[at]; {
		case c == '#' && begins, c == '}', c == '{' && (at == 0 || text[at-1] != '$'):
			return at
		case c == '{': // ${NAME}
			at += 1 + strings.IndexByte(text[at:]+"}", '}')
		case c == '"', c == '/' && begins:
			at += quotedLength(text[at:])
		default:
			at++
		}
	}
	return len(text)
}

// quotedLength is the length of a text that begins with a quote of any kind,
// up to its next one that no backslash stands before, or to its end.
func quotedLength(text string) int {
	for at := 1; at < len(text); at++ {
		switch text[at] {
		case text[0]:
			return at + 1
		case '\\':
			at++
		}
	}
	return len(text)
}

// commandEnd finds where a line for a shell ends: at a comment, a brace that
// stands alone, or the end of the line. raw is where text begins that the
// command name takes as it is, or -1.
func commandEnd(text string) (end, raw int, name string) {
	first := true // the next word is a command's name
	for at := skipBlanks(text, 0); at < len(text); at = skipBlanks(text, at) {
		switch text[at] {
		case '#':
			return at, -1, ""
		case ';':
			first = true
			at++
			continue
		}
		word := span{at, at + shellWord(text[at:])}
		name = strings.TrimPrefix(word.of(text), "/")
		switch {
		case word.of(text) == "}":
			return at, -1, ""
		case first && rawCommand(name):
			return len(text), word.to, name
		}
		first, at = false, word.to
	}
	return len(text), -1, ""
}

// shellWord is the length of the word of a shell that a text begins with.
func shellWord(text string) int {
	at := 0
	for at < len(text) && !blank(text[at]) && text[at] != ';' {
		switch text[at] {
		case '\'':
			at += 1 + strings.IndexByte(text[at+1:]+"'", '\'') + 1
		case '"':
			at += quotedLength(text[at:])
		case '\\':
			at += 2
		default:
			at++
		}
	}
	return min(at, len(text))
}
