package report

import (
	"fmt"
	"slices"
	"strings"
)

// Sight is how one peer sees another one.
type Sight struct {
	State string // alive, suspect, dead; anything else is unknown
	Chat  bool   // it has the other in its chat
	Blind bool   // nothing is known of what the peer sees: it is gone, or silent
}

// maxGrid is how many peers a grid has room for.
const maxGrid = 20

// Matrix is who sees whom as lines of text, for Result.Matrix: a grid with a
// row for each viewer and a column for each peer that may be seen, if there
// are no more than 20 peers; a line for each viewer that does not see all
// alive and in its chat, otherwise; nothing if nothing is known of anybody.
//
//	             alice bob charly   + alive, in chat   - alive, not in chat
//	alice          .    +    X      ? suspect  X dead  (blank) unknown
func Matrix(peers []string, sees func(viewer, other string) Sight) []string {
	blind := func(viewer string) bool {
		return !slices.ContainsFunc(peers, func(other string) bool { return other != viewer && !sees(viewer, other).Blind })
	}
	if !slices.ContainsFunc(peers, func(p string) bool { return !blind(p) }) {
		return nil
	}
	if len(peers) > maxGrid {
		return exceptions(peers, sees)
	}
	wide := 0
	for _, p := range peers {
		wide = max(wide, len(p))
	}
	// Names stand above their columns if there is room, letters otherwise.
	heads := slices.Clone(peers)
	if total := wide + 1; total+len(strings.Join(heads, " ")) > 74 {
		for i := range heads {
			heads[i] = string(rune('a' + i))
		}
	}
	lines := []string{fmt.Sprintf("%-*s %s", wide+lettered(heads, peers), "", strings.Join(heads, " "))}
	for i, viewer := range peers {
		name := fmt.Sprintf("%-*s", wide, viewer)
		if heads[i] != viewer {
			name = heads[i] + " " + name
		}
		lines = append(lines, strings.TrimRight(name+" "+marks(peers, heads, viewer, sees), " "))
	}
	return append(lines, "(+ alive and in the chat, - alive only, ? suspect, X dead, blank unknown)")
}

// lettered is how much room letters before names need.
func lettered(heads, peers []string) int {
	if slices.Equal(heads, peers) {
		return 0
	}
	return 2
}

func marks(peers, heads []string, viewer string, sees func(viewer, other string) Sight) string {
	var b strings.Builder
	for i, other := range peers {
		m := "."
		if other != viewer {
			s := sees(viewer, other)
			if s.Blind {
				return "(no sign of life)"
			}
			m = s.mark()
		}
		room := len(heads[i])
		left := (room - 1) / 2
		fmt.Fprintf(&b, "%s%s%s ", strings.Repeat(" ", left), m, strings.Repeat(" ", room-1-left))
	}
	return b.String()
}

func (s Sight) mark() string {
	switch {
	case s.State == "alive" && s.Chat:
		return "+"
	case s.State == "alive":
		return "-"
	case s.State == "suspect":
		return "?"
	case s.State == "dead":
		return "X"
	}
	return " "
}

// exceptions are the viewers that do not see everybody, a line each.
func exceptions(peers []string, sees func(viewer, other string) Sight) []string {
	var lines []string
	fine := 0
	for _, viewer := range peers {
		by := map[string][]string{}
		blind := false
		for _, other := range peers {
			if other == viewer {
				continue
			}
			s := sees(viewer, other)
			blind = blind || s.Blind
			if word := s.word(); word != "" {
				by[word] = append(by[word], other)
			}
		}
		switch {
		case blind:
			lines = append(lines, viewer+": no sign of life")
		case len(by) == 0:
			fine++
		default:
			lines = append(lines, viewer+": "+listed(by))
		}
	}
	if fine > 0 {
		lines = append(lines, fmt.Sprintf("%d of %d see all others alive and in the chat", fine, len(peers)))
	}
	return lines
}

// word is what is not as it should be.
func (s Sight) word() string {
	switch s.mark() {
	case "+":
		return ""
	case "-":
		return "not in chat"
	case "?":
		return "suspect"
	case "X":
		return "dead"
	}
	return "unknown"
}

// listed names a few peers of each kind and counts the others.
func listed(by map[string][]string) string {
	var parts []string
	for _, word := range []string{"dead", "suspect", "unknown", "not in chat"} {
		names := by[word]
		if len(names) == 0 {
			continue
		}
		part := word + " " + strings.Join(names[:min(4, len(names))], ",")
		if len(names) > 4 {
			part += fmt.Sprintf(" and %d more", len(names)-4)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}
