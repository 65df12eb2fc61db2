package scenario

import (
	"fmt"
	"slices"
)

// Lint looks for what is allowed and probably not meant, in the order of the
// file.
func Lint(s *Script) []*Error {
	var found []*Error
	warn := func(pos Pos, format string, args ...any) {
		found = append(found, &Error{pos, fmt.Sprintf(format, args...)})
	}
	mentions := map[string]int{}
	filters := 0
	for _, st := range s.Statements {
		for _, peer := range st.Targets {
			mentions[peer]++
		}
		if st.IsFilter() {
			filters++
		}
	}
	for _, st := range s.Statements {
		if st.Kind != Command {
			continue
		}
		peer := st.Targets[0]
		others := slices.DeleteFunc(slices.Clone(s.Peers), func(p string) bool { return p == peer || mentions[p] == 1 })
		if near := nearest(peer, others); mentions[peer] == 1 && near != "" {
			warn(st.Pos, "%s is mentioned only here; is %s meant?", peer, near)
		}
		if slices.Contains([]string{"init", "msg", "testfilter", "quit", "exit"}, peer) {
			warn(st.Pos, "%q is taken for a peer's name; begin the line with the peer that shall run it", peer)
		}
		if st.Word() == "sleep" {
			warn(st.Pos, "a sleep guesses how long something takes; a testfilter waits for it")
		}
	}
	if filters == 0 {
		warn(Pos{s.Path, 1, 1}, "nothing is asserted, so a run ends as unknown: add a testfilter line")
	}
	return found
}

// nearest is the word that is at most two letters away from w, and less than
// half of it; empty if there is none.
func nearest(w string, words []string) string {
	best, at := "", min(2, (len(w)-1)/2)+1
	for _, c := range words {
		if d := distance(w, c); d < at {
			best, at = c, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace to turn a
// into b; two neighbours that changed places count as one.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
