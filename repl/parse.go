package repl

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrSyntax is matched by the error for a line that cannot be taken apart.
var ErrSyntax = errors.New("syntax error")

// MaxLine is the longest line a shell takes, in bytes.
const MaxLine = 1 << 20

// word is one word of a line.
type word struct {
	text   string // unquoted
	quoted bool   // part of it was quoted or escaped: then it is no option
	start  int    // byte offset of its first byte, quote included
	end    int    // byte offset after its last byte
	open   byte   // the quote that is not closed, or 0
}

// statement is one command of a line.
type statement struct {
	name  word   // without a leading slash
	args  []word // unless it is raw
	raw   bool
	text  string // for a raw one: what follows the name, byte for byte
	start int    // byte offset of the name
	end   int    // byte offset after the last argument
}

// source is the statement as typed, with name in the place of its first word.
func (st *statement) source(line, name string) string {
	return name + line[st.name.end:st.end]
}

// parse takes a line apart. raw tells which commands take the rest of the
// line as it is. Blank lines and comments are no statements.
//
// Words are split at blanks. Single quotes keep everything; double quotes
// keep everything but a backslash before a double quote or a backslash; a
// backslash elsewhere keeps the next character. A semicolon ends a command, a
// number sign where a word could begin starts a comment. One blank separates
// a raw command from its text; the rest, comments and quotes too, is text.
func parse(line string, raw func(name string) bool) ([]statement, error) {
	if err := checkText(line); err != nil {
		return nil, err
	}
	var list []statement
	x := lexer{src: line}
	for x.statementBegins() {
		st, err := x.statement(raw)
		if err != nil {
			return nil, err
		}
		list = append(list, st)
	}
	if x.pos < len(line) && line[x.pos] == '\n' {
		return nil, x.fail(x.pos, "line break outside quotes: give one line at a time")
	}
	return list, nil
}

// checkText refuses what no person and no script means to say.
func checkText(line string) error {
	if len(line) > MaxLine {
		return fmt.Errorf("%w: the line is longer than %d bytes", ErrSyntax, MaxLine)
	}
	if i := strings.IndexByte(line, 0); i >= 0 {
		return fmt.Errorf("%w: NUL in column %d: this is no text", ErrSyntax, column(line, i))
	}
	if !utf8.ValidString(line) {
		return fmt.Errorf("%w: the line is not UTF-8 text", ErrSyntax)
	}
	return nil
}

// column counts the characters up to a byte offset, from 1.
func column(line string, offset int) int {
	return utf8.RuneCountInString(line[:offset]) + 1
}

type lexer struct {
	src string
	pos int
}

func (x *lexer) fail(offset int, format string, args ...any) error {
	return fmt.Errorf("%w in column %d: %s", ErrSyntax, column(x.src, offset), fmt.Sprintf(format, args...))
}

func (x *lexer) blanks() {
	for x.pos < len(x.src) && blank(x.src[x.pos]) {
		x.pos++
	}
}

func blank(b byte) bool { return b == ' ' || b == '\t' }

// wordBegins skips blanks and tells whether a word follows; the end of the
// line, a semicolon, a line break or a comment are none.
func (x *lexer) wordBegins() bool {
	x.blanks()
	return x.pos < len(x.src) && !strings.ContainsRune(";#\n", rune(x.src[x.pos]))
}

// statementBegins skips empty commands too.
func (x *lexer) statementBegins() bool {
	for {
		if x.wordBegins() {
			return true
		}
		if x.pos == len(x.src) || x.src[x.pos] != ';' {
			return false
		}
		x.pos++
	}
}

// statement reads one command. It must be called where a word begins.
func (x *lexer) statement(raw func(string) bool) (statement, error) {
	name, err := x.closedWord()
	if err != nil {
		return statement{}, err
	}
	if !name.quoted {
		name.text = strings.TrimPrefix(name.text, "/")
	}
	st := statement{name: name, start: name.start, raw: raw(name.text)}
	if st.raw {
		st.text = x.rest()
		st.end = x.pos
		return st, nil
	}
	st.end = name.end
	for x.wordBegins() {
		w, err := x.closedWord()
		if err != nil {
			return statement{}, err
		}
		st.args, st.end = append(st.args, w), w.end
	}
	return st, nil
}

// rest is the text of a raw command: everything after one blank.
func (x *lexer) rest() string {
	if x.pos == len(x.src) || !blank(x.src[x.pos]) {
		return ""
	}
	text := x.src[x.pos+1:]
	x.pos = len(x.src)
	return text
}

func (x *lexer) closedWord() (word, error) {
	w := x.word()
	switch w.open {
	case 0:
		return w, nil
	case '\\':
		return w, x.fail(len(x.src)-1, "nothing follows the backslash")
	default:
		return w, x.fail(x.openedAt(w), "the quote %c is not closed", w.open)
	}
}

// openedAt finds the quote that word w leaves open.
func (x *lexer) openedAt(w word) int {
	y := lexer{src: x.src, pos: w.start}
	at := w.start
	for y.pos < len(y.src) {
		at = y.pos
		y.piece(&strings.Builder{})
	}
	return at
}

// word reads one word. It never fails: completion looks at unclosed ones.
func (x *lexer) word() word {
	w := word{start: x.pos}
	var b strings.Builder
	for x.pos < len(x.src) && !wordEnds(x.src[x.pos]) {
		quoted, open := x.piece(&b)
		w.quoted = w.quoted || quoted
		w.open = open
	}
	w.text, w.end = b.String(), x.pos
	return w
}

func wordEnds(b byte) bool { return blank(b) || b == ';' || b == '\n' }

// piece reads a quoted or escaped part of a word, or plain bytes up to the
// next of those, and appends what it stands for. open is the quote or
// backslash that lacks its partner, or 0.
func (x *lexer) piece(b *strings.Builder) (quoted bool, open byte) {
	switch c := x.src[x.pos]; c {
	case '\'', '"':
		x.pos++
		return true, x.untilQuote(b, c)
	case '\\':
		x.pos++
		if x.pos == len(x.src) {
			return true, '\\'
		}
		b.WriteByte(x.src[x.pos])
		x.pos++
		return true, 0
	}
	from := x.pos
	for x.pos < len(x.src) && !wordEnds(x.src[x.pos]) && !strings.ContainsRune(`'"\`, rune(x.src[x.pos])) {
		x.pos++
	}
	b.WriteString(x.src[from:x.pos])
	return false, 0
}

// untilQuote reads up to the closing quote c and returns 0, or c if it is
// missing.
func (x *lexer) untilQuote(b *strings.Builder, c byte) byte {
	for ; x.pos < len(x.src); x.pos++ {
		switch {
		case x.src[x.pos] == c:
			x.pos++
			return 0
		case c == '"' && x.src[x.pos] == '\\' && x.pos+1 < len(x.src) && strings.ContainsRune(`"\`, rune(x.src[x.pos+1])):
			x.pos++
		}
		b.WriteByte(x.src[x.pos])
	}
	return c
}

// Quote writes a word such that a shell reads it back as this one word, and
// never as an option. Words that need no quotes are returned as they are.
func Quote(w string) string {
	if w != "" && w[0] != '#' && w[0] != '-' && w[0] != '/' && !strings.ContainsAny(w, " \t\n;'\"\\") {
		return w
	}
	return `'` + strings.ReplaceAll(w, `'`, `'\''`) + `'`
}
