package scenario

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Error is what is wrong at one place of a file.
type Error struct {
	Pos Pos
	Msg string
}

// Error is file:line:column and what is wrong there.
func (e *Error) Error() string { return e.Pos.String() + ": " + e.Msg }

// maxErrors bounds how many errors of a file are told at once.
const maxErrors = 10

// maxLine bounds a line, in bytes.
const maxLine = 64 << 10

var (
	validName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	// fullForm matches first words that only the full form has: targets of
	// several peers, variables, prefixes, blocks.
	fullForm = regexp.MustCompile(`^[!?$\[{}]|^[a-z][a-z0-9_-]*([,\[(].*)$`)
)

// Keywords are the words that begin a statement of the language's full form,
// and so are no names of peers.
func Keywords() []string {
	return []string{
		"peers", "group", "timeout", "phase", "mark", "par", "repeat", "for", "bg", "join",
		"kill", "stop", "restart", "pause", "resume", "spawn", "fault", "heal", "nemesis",
		"await", "check", "cleanup", "let", "sleep", "stdout", "stderr", "all", "any", "others",
	}
}

// labels are words that the peers' screens use; nobody can be called so.
func labels() []string {
	return []string{"joined", "left", "lost", "info", "warn", "error", "back", "here", "self", "demo", "help"}
}

// Parse reads a scenario. path is for messages and for the name; nothing is
// opened. An error that is returned is, or joins, *Error values, in the order
// of the file.
func Parse(path string, source []byte) (*Script, error) {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	p := &parser{script: &Script{Name: name, Path: path, Source: string(source)}}
	text := strings.TrimPrefix(string(source), "\ufeff")
	if !utf8.ValidString(text) {
		return nil, &Error{Pos{path, 1, 1}, "the file is not UTF-8 text"}
	}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		p.line(n, strings.TrimRight(line, " \t\r"))
		if len(p.errs) == maxErrors {
			break
		}
	}
	if p.errs != nil {
		return nil, errors.Join(p.errs...)
	}
	return p.script, nil
}

type parser struct {
	script  *Script
	errs    []error
	pending bool // an init has not been awaited yet
}

func (p *parser) fail(pos Pos, format string, args ...any) {
	p.errs = append(p.errs, &Error{pos, fmt.Sprintf(format, args...)})
}

func (p *parser) line(n int, line string) {
	body := strings.TrimLeft(line, " \t")
	pos := Pos{p.script.Path, n, 1 + utf8.RuneCountInString(line[:len(line)-len(body)])}
	if body == "" || body[0] == '#' {
		return
	}
	word, rest := body, ""
	if i := strings.IndexAny(body, " \t"); i >= 0 {
		word, rest = body[:i], strings.TrimLeft(body[i:], " \t")
	}
	switch {
	case len(line) > maxLine:
		p.fail(pos, "the line has %d bytes, at most %d are allowed", len(line), maxLine)
	case word == "peers":
		p.fail(pos, "a file with a peers line is in the full form of the language, which this version cannot run yet; leave the line out for the original form")
	case slices.Contains(Keywords(), word), fullForm.MatchString(word):
		p.fail(pos, "%q belongs to the full form of the language: add a `peers` line at the top, or begin the line with a peer's name", word)
	case !p.nameFits(pos, word):
	case rest == "":
		p.fail(pos, "what shall %s do? a command is missing: %q", word, word+" init")
	default:
		p.command(pos, word, rest)
	}
}

func (p *parser) nameFits(pos Pos, word string) bool {
	if slices.Contains(labels(), word) {
		p.fail(pos, "a peer cannot be called %q, which means something else on the screen: choose another name", word)
		return false
	}
	if validName.MatchString(word) {
		return true
	}
	hint := ""
	if near := nearest(strings.ToLower(word), p.script.Peers); near != "" {
		hint = fmt.Sprintf("; did you mean %s?", near)
	} else if lower := strings.ToLower(word); validName.MatchString(lower) {
		hint = fmt.Sprintf("; did you mean %s?", lower)
	}
	p.fail(pos, "%.40q is no name of a peer: a letter, then up to 31 of a-z, 0-9, \"_\" and \"-\"%s", word, hint)
	return false
}

func (p *parser) command(pos Pos, peer, text string) {
	s := p.script
	if !slices.Contains(s.Peers, peer) {
		s.Peers = append(s.Peers, peer)
	}
	st := Statement{Pos: pos, Kind: Command, Targets: []string{peer}, Text: text}
	switch st.Word() {
	case "init":
		p.pending = true
	case "msg":
		if p.pending {
			s.Statements = append(s.Statements, Statement{Pos: pos, Kind: AwaitConverged, Within: convergeTime, Inserted: true})
			p.pending = false
		}
	}
	s.Statements = append(s.Statements, st)
}
