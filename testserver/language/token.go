package language

import (
	"fmt"
	"regexp"
	"strings"
)

// tokenKind says what a token is.
type tokenKind int

const (
	wordToken   tokenKind = iota + 1 // alice,bob  5s  view(bob)
	textToken                        // "hello"
	regexpToken                      // /hello|bye/
	fieldToken                       // from:bob
	opToken                          // ==  |  ->
)

// token is a part of a statement.
type token struct {
	kind tokenKind
	span        // in the text of the statement
	text string // without quotes and escapes; of a word, without the blanks in it; of a field, its value
	name string // of a field
}

var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]*:`)

// operators are what ends a word, the longest first.
func operators() []string {
	return []string{"<->", "->", "==", "!=", ">=", "<=", ">", "<", "=", "|"}
}

// tokenizer takes the text of a statement apart.
type tokenizer struct {
	text  string
	at    int
	wrong string // what is wrong, at the offset at
}

// tokens takes a part of a text apart. wrong tells what is wrong at the
// offset at; it is empty if nothing is.
func tokens(text string, part span) (all []token, at int, wrong string) {
	x := &tokenizer{text: text[:part.to], at: part.from}
	for x.wrong == "" {
		x.at = skipBlanks(x.text, x.at)
		if x.at == len(x.text) {
			break
		}
		from := x.at
		t := x.token()
		t.span = span{from, x.at}
		all = append(all, t)
	}
	return all, x.at, x.wrong
}

func (x *tokenizer) token() token {
	rest := x.text[x.at:]
	switch rest[0] {
	case '"':
		return token{kind: textToken, text: x.quoted()}
	case '/':
		return token{kind: regexpToken, text: x.quoted()}
	}
	if op := operatorAt(rest); op != "" {
		x.at += len(op)
		return token{kind: opToken, text: op}
	}
	if name := fieldName.FindString(rest); name != "" {
		return x.field(name)
	}
	return token{kind: wordToken, text: x.word()}
}

// operatorAt is the operator that a text begins with.
func operatorAt(text string) string {
	for _, op := range operators() {
		if strings.HasPrefix(text, op) {
			return op
		}
	}
	return ""
}

// quoted reads a text between quotes, or an expression between slashes. In a
// text a backslash stands before a quote and a backslash, in an expression
// before a slash; elsewhere it is itself.
func (x *tokenizer) quoted() string {
	quote, from := x.text[x.at], x.at
	var b strings.Builder
	for x.at++; x.at < len(x.text); x.at++ {
		c := x.text[x.at]
		switch {
		case c == quote:
			x.at++
			if x.at < len(x.text) && !blank(x.text[x.at]) {
				x.wrong = fmt.Sprintf("a blank is missing after the closing %c", quote)
			}
			return b.String()
		case c == '\\' && x.at+1 < len(x.text):
			x.at++
			if next := x.text[x.at]; next != quote && (quote == '/' || next != '\\') {
				b.WriteByte(c)
			}
		}
		b.WriteByte(x.text[x.at])
	}
	x.at, x.wrong = from, fmt.Sprintf("the %c is not closed", quote)
	return ""
}

// field reads "name:value", of which the name with its colon is known.
func (x *tokenizer) field(name string) token {
	x.at += len(name)
	t := token{kind: fieldToken, name: name[:len(name)-1]}
	if x.at < len(x.text) && x.text[x.at] == '"' {
		t.text = x.quoted()
		return t
	}
	from := x.at
	for x.at < len(x.text) && !blank(x.text[x.at]) {
		x.at++
	}
	t.text = x.text[from:x.at]
	return t
}

// word reads up to a blank or an operator. Blanks in parentheses and beside
// commas belong to the word.
func (x *tokenizer) word() string {
	from, depth := x.at, 0
	for ; x.at < len(x.text); x.at++ {
		c := x.text[x.at]
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '"' && depth <= 0:
			x.wrong = "a blank is missing before the quote"
			return ""
		case depth > 0:
		case blank(c) && !joined(x.text, x.at), operatorAt(x.text[x.at:]) != "":
			return withoutBlanks(x.text[from:x.at])
		}
	}
	if depth > 0 {
		x.at, x.wrong = from, "a ) is missing"
	}
	return withoutBlanks(x.text[from:x.at])
}

func withoutBlanks(word string) string {
	if !strings.ContainsAny(word, " \t") {
		return word
	}
	return strings.NewReplacer(" ", "", "\t", "").Replace(word)
}
