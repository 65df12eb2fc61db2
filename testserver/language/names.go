package language

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The bounds of names.
const (
	maxName  = 32     // letters of a name
	maxPeers = 10_000 // peers of a script, and parts of a target
)

var (
	validName  = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	validGroup = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,31}$`)
	nameRange  = regexp.MustCompile(`^([a-z][a-z0-9_-]*)\[(\d{1,9})\.\.(\d{1,9})\]$`)
)

// names are the peers and groups that a script declares.
type names struct {
	peers  map[string]Pos
	groups map[string][]string
	at     map[string]Pos // of groups
	order  []string       // peers and groups, as they are declared
}

func newNames() *names {
	return &names{peers: map[string]Pos{}, groups: map[string][]string{}, at: map[string]Pos{}}
}

// namesOf are those of a script.
func namesOf(s *Script) *names {
	if s.names != nil {
		return s.names
	}
	n := newNames()
	for _, p := range slices.Concat(s.Peers, s.Spawns) {
		n.peers[p] = Pos{}
		n.order = append(n.order, p)
	}
	for _, g := range s.Groups {
		n.groups[g.Name] = g.Peers
		n.order = append(n.order, g.Name)
	}
	return n
}

// wrongName tells what is wrong with a name for a peer; empty for nothing.
func wrongName(name string, known []string) string {
	switch {
	case slices.Contains(labels(), name), name == self:
		return fmt.Sprintf("a peer cannot be called %q, which means something else on the screen: choose another name", name)
	case slices.Contains(Reserved(), name):
		return fmt.Sprintf("a peer cannot be called %q, which is a word of the language: choose another name", name)
	case validName.MatchString(name):
		return ""
	}
	hint := didYouMean(strings.ToLower(name), known)
	if lower := strings.ToLower(name); hint == "" && validName.MatchString(lower) {
		hint = fmt.Sprintf("; did you mean %s?", lower)
	}
	return fmt.Sprintf("%.40q is no name of a peer: a letter, then up to 31 of a-z, 0-9, \"_\" and \"-\"%s", name, hint)
}

// rangeNames spells p[1..50] out. A leading zero in the first number gives
// all numbers its width. ok is false if the word is no range.
func rangeNames(word string) (all []string, wrong string, ok bool) {
	m := nameRange.FindStringSubmatch(word)
	if m == nil {
		return nil, "", false
	}
	from, _ := strconv.Atoi(m[2]) // at most nine digits
	to, _ := strconv.Atoi(m[3])
	if to < from {
		return nil, fmt.Sprintf("the range %s is empty: write the smaller number first", word), true
	}
	if to-from >= maxPeers {
		return nil, fmt.Sprintf("the range %s has %d names, at most %d are allowed", word, to-from+1, maxPeers), true
	}
	width := 0
	if len(m[2]) > 1 && m[2][0] == '0' {
		width = len(m[2])
	}
	for n := from; n <= to; n++ {
		digits := strconv.Itoa(n)
		all = append(all, m[1]+strings.Repeat("0", max(0, width-len(digits)))+digits)
	}
	return all, "", true
}

// targetReader reads targets: names, ranges, groups, all, others(...),
// any(N, ...).
type targetReader struct {
	names *names
	self  bool     // $self may be named
	also  []string // other words that may be meant
	text  string
	at    int
	depth int
	terms int
	wrong string // what is wrong, at the offset at
}

// readTargets reads a text without blanks. wrong tells what is wrong at the
// offset at; it is empty if nothing is.
func readTargets(text string, n *names, selfToo bool, also []string) (t Targets, at int, wrong string) {
	r := &targetReader{names: n, self: selfToo, also: also, text: text}
	t = r.list()
	if r.wrong == "" && r.at < len(text) {
		r.fail(r.at, "%q is left over after the peers", text[r.at:])
	}
	return t, r.at, r.wrong
}

func (r *targetReader) fail(at int, format string, args ...any) {
	if r.wrong == "" {
		r.at, r.wrong = at, fmt.Sprintf(format, args...)
	}
}

func (r *targetReader) list() Targets {
	from := r.at
	var t Targets
	for r.wrong == "" {
		t.Terms = append(t.Terms, r.term()...)
		if r.wrong != "" || r.at == len(r.text) || r.text[r.at] != ',' {
			break
		}
		r.at++
	}
	if r.wrong == "" {
		t.Text = r.text[from:r.at]
	}
	return t
}

// term reads one part of a list; a range is several.
func (r *targetReader) term() []Target {
	from := r.at
	n := strings.IndexAny(r.text[from:]+",", ",()")
	word := r.text[from : from+n]
	r.at += n
	call := r.at < len(r.text) && r.text[r.at] == '('
	if r.terms++; r.terms > maxPeers {
		r.fail(from, "more than %d peers in one line: make a group of them", maxPeers)
		return nil
	}
	switch {
	case call && (word == "others" || word == "any"):
		return r.call(from, word)
	case call:
		r.fail(from, "%q takes no parentheses: others(NAME) and any(N, NAME) do%s", word, didYouMean(word, []string{"others", "any"}))
	case word == "all":
		return []Target{{Kind: All}}
	case word == "others" || word == "any":
		r.fail(from, "whom does %q mean? write others(alice), or any(2, all)", word)
	case word == "":
		r.fail(from, "the name of a peer is missing")
	default:
		return r.name(from, word)
	}
	return nil
}

// name reads the name of a peer or a group, or a range.
func (r *targetReader) name(from int, word string) []Target {
	if word == "$"+self || word == "${"+self+"}" {
		if !r.self {
			r.fail(from, "$self stands for the name of each target: it cannot be a target")
		}
		return []Target{{Kind: Named, Name: "$" + self}}
	}
	if _, ok := r.names.groups[word]; ok {
		return []Target{{Kind: Grouped, Name: word}}
	}
	all, wrong, ok := rangeNames(word)
	if !ok {
		all = []string{word}
	}
	if r.terms += len(all); wrong != "" {
		r.fail(from, "%s", wrong)
	}
	terms := make([]Target, 0, len(all))
	for _, name := range all {
		if _, ok := r.names.peers[name]; !ok {
			r.undeclared(from, name)
			break
		}
		terms = append(terms, Target{Kind: Named, Name: name})
	}
	return terms
}

func (r *targetReader) undeclared(at int, name string) {
	if !validGroup.MatchString(name) {
		r.fail(at, "%s", wrongName(name, r.names.order))
		return
	}
	known := slices.Concat(r.names.order, []string{"all", "others", "any"}, r.also)
	r.fail(at, "no peer and no group is called %s%s", name, orElse(didYouMean(name, known), ": add it to the peers line"))
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// call reads what stands in the parentheses of others and any.
func (r *targetReader) call(from int, word string) []Target {
	if r.depth++; r.depth > maxDepth {
		r.fail(from, "parentheses are nested more than %d deep", maxDepth)
		return nil
	}
	r.at++
	t := Target{Kind: Others}
	if word == "any" {
		t.Kind = Any
		t.N = r.number()
	}
	of := r.list()
	t.Of = &of
	if r.wrong == "" && (r.at == len(r.text) || r.text[r.at] != ')') {
		r.fail(r.at, "a ) is missing after %s(", word)
	}
	if r.wrong != "" {
		return nil
	}
	r.at++
	r.depth--
	return []Target{t}
}

// number reads the "2," of "any(2, all)".
func (r *targetReader) number() int {
	n := strings.IndexAny(r.text[r.at:]+",", ",)")
	digits := r.text[r.at : r.at+n]
	value, err := strconv.Atoi(digits)
	if err != nil || value < 1 || value > maxPeers || r.at+n == len(r.text) || r.text[r.at+n] != ',' {
		r.fail(r.at, "any takes a number up to %d and whom to draw from, as in any(2, all)", maxPeers)
		return 0
	}
	r.at += n + 1
	return value
}
