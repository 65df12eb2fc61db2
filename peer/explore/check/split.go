package check

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// kind tells what an item of an input is.
type kind int

const (
	itemImport kind = iota
	itemDecl        // func, type or const
	itemVar         // may stand at package level or among statements
	itemStmt
	itemExprs // a list of expressions
)

// chunk is a piece of an input with the place where it was typed.
type chunk struct {
	text      string
	input     int // number of the input
	line, col int // of its beginning, from 1
}

// item is one declaration, statement or list of expressions at the top level.
type item struct {
	chunk
	kind kind
	file *ast.File // that a declaration makes: one declaration; nil for other items
}

// word is one token of an input.
type word struct {
	tok        token.Token
	lit        string
	start, end int // offsets of bytes
}

// Error is what is wrong with an input, in one line.
type Error struct {
	Where string // "‹3›:1:5", or empty
	Text  string
	More  int   // how many further errors there are
	Err   error // a sentinel that it matches, or nil
}

func (e *Error) Error() string {
	s := e.Text
	if e.Where != "" {
		s = e.Where + ": " + s
	}
	if e.More > 0 {
		s += fmt.Sprintf(" (and %d more)", e.More)
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// scan cuts an input into tokens. The error is the first that it meets.
func scan(src string) ([]word, *scanner.Error) {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	var first *scanner.Error
	var s scanner.Scanner
	s.Init(file, []byte(src), func(pos token.Position, msg string) {
		if first == nil {
			first = &scanner.Error{Pos: pos, Msg: msg}
		}
	}, 0)
	var words []word
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return words, first
		}
		start := file.Offset(pos)
		end := start + len(lit)
		if lit == "" {
			end = start + len(tok.String())
		}
		if tok == token.SEMICOLON && lit == "\n" {
			end = start
		}
		words = append(words, word{tok, lit, start, min(end, len(src))})
	}
}

// Complete tells whether src can be run as it is: no line has to follow. What
// is wrong beyond repair is complete.
func Complete(src string) bool {
	words, bad := scan(src)
	if bad != nil {
		return !strings.HasSuffix(bad.Msg, "not terminated") || !strings.HasPrefix(bad.Msg, "comment") && !strings.HasPrefix(bad.Msg, "raw")
	}
	if _, ok := depths(words); !ok {
		return true
	}
	_, err := split(src, 0)
	return err == nil || !err.atEnd
}

// depths tells how deep in brackets each token is; false if they do not match.
func depths(words []word) ([]int, bool) {
	all := make([]int, len(words))
	depth := 0
	for i, w := range words {
		switch w.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		}
		if depth < 0 {
			return all, false
		}
		all[i] = depth
	}
	return all, true
}

// splitError is a syntax error, and whether it is at the end of the input.
type splitError struct {
	offset int
	msg    string
	atEnd  bool
}

// split cuts an input into its items: at every semicolon outside of brackets
// that ends something which can be parsed.
func split(src string, input int) ([]item, *splitError) {
	words, bad := scan(src)
	if bad != nil {
		return nil, &splitError{offset: bad.Pos.Offset, msg: bad.Msg}
	}
	depth, ok := depths(words)
	if !ok {
		return nil, unmatched(words, depth)
	}
	var items []item
	from := 0 // first token of the item
	var last *splitError
	for i := 0; i <= len(words); i++ {
		if i < len(words) && (words[i].tok != token.SEMICOLON || depth[i] != 0) {
			continue
		}
		if from == i {
			from = i + 1
			continue
		}
		start, end := words[from].start, words[i-1].end
		it, err := classify(src[start:end], words[from].tok)
		if err != nil {
			mendable := err.atEnd // by what follows
			err.offset += start
			err.atEnd = err.atEnd && tail(words[i:])
			if last = err; !mendable {
				break
			}
			continue
		}
		it.input = input
		it.line, it.col = place(src, start)
		items = append(items, it)
		from, last = i+1, nil
	}
	return items, last
}

// unmatched is the error for the first bracket that closes nothing.
func unmatched(words []word, depth []int) *splitError {
	level := 0
	for i, w := range words {
		closing := w.tok == token.RPAREN || w.tok == token.RBRACK || w.tok == token.RBRACE
		if closing && level == 0 {
			return &splitError{offset: w.start, msg: "unexpected " + w.tok.String()}
		}
		level = depth[i]
	}
	return &splitError{msg: "brackets do not match"}
}

// tail tells that nothing but semicolons follows.
func tail(words []word) bool {
	for _, w := range words {
		if w.tok != token.SEMICOLON {
			return false
		}
	}
	return true
}

// place tells line and column, from 1, of an offset.
func place(src string, offset int) (line, col int) {
	before := src[:offset]
	return 1 + strings.Count(before, "\n"), offset - strings.LastIndexByte(before, '\n')
}

// classify makes an item of a piece of source; its place is the caller's. The
// offset of the error counts from the beginning of text.
func classify(text string, first token.Token) (item, *splitError) {
	it := item{chunk: chunk{text: text}}
	var err *splitError
	switch first {
	case token.IMPORT, token.VAR:
		_, err = parse("package p\n", text, "\n")
		it.kind = itemVar
		if first == token.IMPORT {
			it.kind = itemImport
		}
		return it, err
	case token.TYPE, token.CONST, token.FUNC:
		it.kind = itemDecl
		if it.file, err = parse("package p\n", text, "\n"); err == nil || first != token.FUNC {
			return it, err
		}
	}
	if parseExprs(text) {
		it.kind = itemExprs
		return it, nil
	}
	_, stmt := parse("package p\nfunc _() {\n", text, "\n}")
	if first != token.FUNC || stmt == nil || stmt.offset > err.offset {
		it.kind, err = itemStmt, stmt
	}
	return it, err
}

// parse parses text between before and after. There is no file with an error.
func parse(before, text, after string) (*ast.File, *splitError) {
	f, err := parser.ParseFile(token.NewFileSet(), "", before+text+after, parser.SkipObjectResolution)
	if err == nil {
		return f, nil
	}
	e := &splitError{msg: err.Error()}
	var list scanner.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		e.offset, e.msg = list[0].Pos.Offset-len(before), list[0].Msg
	}
	e.atEnd = e.offset >= len(text)
	e.offset = max(0, min(e.offset, len(text)))
	return nil, e
}

// parseExprs tells whether text is a list of expressions.
func parseExprs(text string) bool {
	e, err := parser.ParseExpr("f(" + text + ",\n)")
	if err != nil {
		return false
	}
	call, ok := e.(*ast.CallExpr)
	if !ok || call.Ellipsis.IsValid() {
		return false
	}
	f, ok := call.Fun.(*ast.Ident)
	return ok && f.Name == "f" && len(call.Args) > 0
}
