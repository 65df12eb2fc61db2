package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/internal/testlink"
)

// maxFilters bounds the filters of a run.
const maxFilters = 100_000

type filter struct {
	testlink.FilterStatus
	stream string // without its other name
}

// takes tells whether a line counts.
func (f *filter) takes(stream, line string) bool {
	return stream == f.stream && strings.HasPrefix(line, f.Filter.Pattern)
}

// Stream is the event type that people's name of a stream stands for.
func Stream(name string) string {
	if name == "messagesView" {
		return "view"
	}
	return name
}

// AddFilter takes a filter of the peer and returns its number. What the peer
// recorded before counts too. The error matches ErrFilter.
func (j *Judge) AddFilter(name string, f testlink.Filter) (int, error) {
	switch {
	case f.Count < 0:
		return 0, fmt.Errorf("%w: a count of %d can never be reached", ErrFilter, f.Count)
	case f.Stream == "" || f.Pattern == "":
		return 0, fmt.Errorf("%w: a stream and a pattern are needed, as in `testfilter messagesView 1 <bob> hello`", ErrFilter)
	case len(j.filters) >= maxFilters:
		return 0, fmt.Errorf("%w: a run has at most %d", ErrFilter, maxFilters)
	}
	added := &filter{FilterStatus: testlink.FilterStatus{Peer: name, Filter: f}, stream: Stream(f.Stream)}
	for _, line := range j.peers[name].lines[added.stream] {
		if added.takes(added.stream, line) {
			added.Seen++
		}
	}
	j.filters = append(j.filters, added)
	return len(j.filters) - 1, nil
}

// Filters are all filters, in the order of their numbers.
func (j *Judge) Filters() []testlink.FilterStatus {
	all := make([]testlink.FilterStatus, 0, len(j.filters))
	for _, f := range j.filters {
		if f != nil {
			all = append(all, f.FilterStatus)
		}
	}
	return all
}

// Filter is the filter with that number, which must not be forgotten.
func (j *Judge) Filter(number int) testlink.FilterStatus { return j.filters[number].FilterStatus }

// Forget forgets the filters of a peer, and the lines that it has recorded: a
// filter that is added later begins to count then. It returns the numbers of
// the filters.
func (j *Judge) Forget(name string) []int {
	var forgotten []int
	for n, f := range j.filters {
		if f != nil && f.Peer == name {
			j.filters[n] = nil
			forgotten = append(forgotten, n)
		}
	}
	clear(j.peers[name].lines)
	return forgotten
}

// Decided tells whether waiting for more lines is of no use: each filter has
// its count, or its peer will not record any more.
func (j *Judge) Decided() bool {
	for _, f := range j.filters {
		if f != nil && f.Seen < f.Filter.Count && !j.peers[f.Peer].gone {
			return false
		}
	}
	return true
}

// Closest are up to n lines that the filter's peer recorded on the filter's
// stream, those most like the pattern first, each with how often it came.
// Without any, it says which streams the peer has recorded on.
func (j *Judge) Closest(number, n int) []string {
	f := j.filters[number]
	lines := j.peers[f.Peer].lines
	times := map[string]int{}
	for _, l := range lines[f.stream] {
		times[l]++
	}
	if len(times) == 0 {
		streams := slices.Sorted(maps.Keys(lines))
		if len(streams) == 0 {
			return []string{fmt.Sprintf("%s recorded nothing at all", f.Peer)}
		}
		return []string{fmt.Sprintf("nothing on %s; %s recorded on: %s", f.stream, f.Peer, strings.Join(streams, ", "))}
	}
	found := slices.SortedFunc(maps.Keys(times), func(a, b string) int {
		return cmp.Or(likeness(b, f.Filter.Pattern)-likeness(a, f.Filter.Pattern), cmp.Compare(a, b))
	})
	var shown []string
	for _, l := range found[:min(n, len(found))] {
		shown = append(shown, fmt.Sprintf("%d x %s", times[l], l))
	}
	if rest := len(found) - len(shown); rest > 0 {
		shown = append(shown, fmt.Sprintf("and %d other lines", rest))
	}
	return shown
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
