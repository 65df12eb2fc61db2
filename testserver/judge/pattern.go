package judge

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/language"
)

// Match tells whether an event counts.
type Match func(*journal.Event) bool

// Compile makes a Match of a pattern: all its terms hold. expand is applied
// to the texts and values of the terms; nil leaves them as they are. The
// error is that of an expression.
func Compile(p language.Pattern, expand func(string) string) (Match, error) {
	var terms []Match
	for _, t := range p.Terms {
		if expand != nil {
			t.Text = expand(t.Text)
		}
		m, err := term(t)
		if err != nil {
			return nil, err
		}
		terms = append(terms, m)
	}
	return func(e *journal.Event) bool {
		for _, m := range terms {
			if !m(e) {
				return false
			}
		}
		return true
	}, nil
}

func term(t language.Term) (Match, error) {
	switch t.Kind {
	case language.Regexp:
		re, err := regexp.Compile(t.Text)
		if err != nil {
			return nil, fmt.Errorf("/%s/ is no regular expression: %w", t.Text, err)
		}
		return func(e *journal.Event) bool { return re.MatchString(e.Text) }, nil
	case language.Field:
		return func(e *journal.Event) bool {
			v, there := e.Fields[t.Field]
			return there && FieldText(v) == t.Text
		}, nil
	case language.Exact:
		return func(e *journal.Event) bool { return e.Text == t.Text }, nil
	}
	return nil, fmt.Errorf("a pattern has a term of kind %d, which is none", t.Kind)
}

// FieldText is the value of an event's field as patterns compare it: numbers
// without exponent and needless zeros, true and false, texts as they are.
func FieldText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// Closest are up to n texts that the peer recorded on the stream from
// position since on, those most like the pattern first, each with how often
// it came. Without any, it says on which streams the peer recorded.
func (s *Store) Closest(peer, stream string, since int, pattern string, n int) []string {
	times := map[string]int{}
	for _, p := range s.between(peer, stream, since, -1) {
		times[s.all[p.index].Text]++
	}
	if len(times) == 0 {
		return []string{s.recordedOn(peer, stream, since)}
	}
	found := slices.SortedFunc(maps.Keys(times), func(a, b string) int {
		return cmp.Or(likeness(b, pattern)-likeness(a, pattern), cmp.Compare(a, b))
	})
	var shown []string
	for _, l := range found[:min(n, len(found))] {
		shown = append(shown, fmt.Sprintf("%d x %s", times[l], l))
	}
	if rest := len(found) - len(shown); rest > 0 {
		shown = append(shown, fmt.Sprintf("and %d other texts", rest))
	}
	return shown
}

// recordedOn says what there is instead of a stream that is empty.
func (s *Store) recordedOn(peer, stream string, since int) string {
	var streams []string
	earlier := len(s.between(peer, stream, 0, since))
	if l := s.peers[peer]; l != nil {
		for name := range l.streams {
			if len(s.between(peer, name, since, -1)) > 0 {
				streams = append(streams, name)
			}
		}
	}
	slices.Sort(streams)
	what := fmt.Sprintf("nothing on %s", stream)
	if earlier > 0 {
		what += fmt.Sprintf(" (%d before that)", earlier)
	}
	if len(streams) == 0 {
		return fmt.Sprintf("%s; %s recorded nothing at all", what, peer)
	}
	return fmt.Sprintf("%s; %s recorded on: %s", what, peer, strings.Join(streams, ", "))
}

// Stream is the event type that people's name of a stream stands for.
func Stream(name string) string {
	if name == "messagesView" {
		return "view"
	}
	return name
}

// likeness is larger the more of the pattern a line begins with; a line that
// has it elsewhere comes next.
func likeness(line, pattern string) int {
	n := 0
	for n < min(len(line), len(pattern)) && line[n] == pattern[n] {
		n++
	}
	if strings.Contains(line, pattern) {
		n = max(n, len(pattern)-1)
	}
	return n
}
