package language

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// convergeTime is the deadline of an inserted await.
const convergeTime = 10 * time.Second

// fullFirst matches first words that only the full form has: targets of
// several peers, variables, prefixes, blocks.
var fullFirst = regexp.MustCompile(`^[!?$\[{}]|^[a-z][a-z0-9_-]*([,\[(].*)$`)

// original reads a file in the original form.
type original struct {
	script  *Script
	errs    *errorList
	comment []string // the lines right above
	pending bool     // an init has not been awaited yet
}

func (s *Script) readOriginal(text string, errs *errorList) {
	o := &original{script: s, errs: errs}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		o.line(n, strings.TrimRight(line, " \t\r"))
		if errs.full() {
			break
		}
	}
}

func (o *original) line(n int, line string) {
	body := line[skipBlanks(line, 0):]
	pos := Pos{o.script.Path, n, 1 + len(line) - len(body)}
	comment := o.comment
	o.comment = nil
	if body == "" {
		return
	}
	if body[0] == '#' {
		o.comment = append(comment, bareComment(body))
		return
	}
	word, rest := splitWord(body)
	switch {
	case len(line) > maxLine:
		o.errs.add(pos, "the line has %d bytes, at most %d are allowed", len(line), maxLine)
	case inFullForm(word), fullFirst.MatchString(word):
		o.errs.add(pos, "%.60q belongs to the full form of the language: add a `peers` line at the top, or begin the line with a peer's name", word)
	case wrongName(word, o.script.Peers) != "":
		o.errs.add(pos, "%s", wrongName(word, o.script.Peers))
	case rest == "":
		o.errs.add(pos, "what shall %s do? a command is missing: %q", word, word+" init")
	default:
		o.command(Statement{Pos: pos, Text: body, Comment: comment}, word, rest)
	}
}

// splitWord takes the first word off a line without leading blanks.
func splitWord(line string) (word, rest string) {
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		return line[:i], line[i+skipBlanks(line[i:], 0):]
	}
	return line, ""
}

func (o *original) command(st Statement, peer, line string) {
	s := o.script
	if _, ok := s.names.peers[peer]; !ok {
		if len(s.Peers) == maxPeers {
			o.errs.add(st.Pos, "more than %d peers", maxPeers)
			return
		}
		s.names.peers[peer] = st.Pos
		s.names.order = append(s.names.order, peer)
		s.Peers = append(s.Peers, peer)
	}
	c := Command{Targets: Targets{Text: peer, Terms: []Target{{Kind: Named, Name: peer}}}, Line: line, Raw: true}
	st.Do = c
	switch c.Word() {
	case "init":
		o.pending = true
	case "msg":
		if o.pending {
			o.pending = false
			do := Converged{Within: convergeTime}
			s.Body = append(s.Body, Statement{Pos: st.Pos, Text: "await converged within " + convergeTime.String(), Do: do, Inserted: true})
		}
	}
	s.Body = append(s.Body, st)
}

// Word is the first word of the line, without its slash.
func (c Command) Word() string {
	first, _, _ := strings.Cut(c.Line, ";")
	word, _ := splitWord(strings.TrimLeft(first, " \t"))
	return strings.TrimPrefix(word, "/")
}

// IsFilter tells whether the command announces an expectation.
func (c Command) IsFilter() bool { return c.Word() == "testfilter" }

// Ends tells whether the command makes its peers end: it is quit or exit, or
// one of several commands between semicolons is.
func (c Command) Ends() bool {
	for part := range strings.SplitSeq(c.Line, ";") {
		switch word := (Command{Line: part}).Word(); {
		case slices.Contains([]string{"quit", "exit"}, word):
			return true
		case rawCommand(word):
			return false // takes the rest of the line as it is
		}
	}
	return false
}
