package session

import (
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

// golang repeats a line of Go, or says why not. What was shown at the keyboard
// counts in a scenario: a line that shows nothing but false fails there.
func (w *writer) golang(i *item, line string) {
	code := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "/"), "go"))
	why := ""
	folded, whole := fold(code)
	switch output := strings.TrimSpace(i.field("output")); {
	case w.lost:
		why = lostGo
	case !ok(i) && strings.HasPrefix(i.field("error"), "‹"):
		why = "it did not compile: " + i.field("error")
	case !ok(i):
		why, w.lost = "it failed: "+i.field("error"), w.lost || declaring.MatchString(code)
	case output == "false :: bool" || strings.HasSuffix(output, "\nfalse :: bool"):
		why, w.lost = "it showed false, and fails in a scenario", declaring.MatchString(code)
	case !whole:
		why, w.lost = "a string in it has several lines, and a line of a scenario is one", true
	}
	if why != "" {
		w.remark("Not repeated: go %s (%s)", brief(code), why)
		return
	}
	w.compiles = true
	w.phase("go " + brief(folded))
	w.line("%s go %s", w.self, strings.ReplaceAll(folded, "$", "$$"))
}

// lostGo is why what comes after a line of Go is not repeated either.
const lostGo = "a line of Go before it, on which it may depend, is not repeated"

// declaring tells code that leaves something behind for the lines after it.
var declaring = regexp.MustCompile(`[^=!<>]=[^=]|:=|\+\+|--|\b(?:var|func|type|const|import)\b`)

// leans tells a command that needs what lines of Go have declared.
func (w *writer) leans(name, line string) bool {
	switch name {
	case "type", "doc", "vars", "keep", "unkeep":
		if words := strings.Fields(line); name == "keep" && w.lost && len(words) > 1 {
			w.unkept[words[1]] = true
		}
		return w.lost
	}
	return w.unkept[name]
}

// brief is the beginning of a text that may be long.
func brief(code string) string {
	const most = 100
	code = strings.Join(strings.Fields(code), " ")
	if len(code) > most {
		code = strings.ToValidUTF8(code[:most], "") + " ..."
	}
	return code
}

// fold writes Go in one line, with the semicolons that line ends stand for and
// without comments. It is false for a string of several lines.
func fold(code string) (line string, whole bool) {
	if !strings.ContainsAny(code, "\r\n") {
		return code, true
	}
	file := token.NewFileSet().AddFile("", -1, len(code))
	var s scanner.Scanner
	s.Init(file, []byte(code), func(token.Position, string) {}, 0)
	var b strings.Builder
	at := 0
	for {
		pos, tok, lit := s.Scan()
		from := file.Offset(pos)
		switch gap := code[min(at, from):from]; {
		case tok == token.EOF:
			return strings.TrimRight(b.String(), "; "), true
		case tok == token.SEMICOLON && lit == "\n":
			b.WriteString(";")
			at = from
			continue
		case strings.ContainsAny(gap, "\r\n/"):
			b.WriteString(" ")
		default:
			b.WriteString(gap)
		}
		at = from + len(lit)
		if lit == "" {
			at = from + len(tok.String())
		}
		if strings.ContainsAny(code[from:at], "\r\n") {
			return "", false
		}
		b.WriteString(code[from:at])
	}
}
