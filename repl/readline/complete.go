package readline

import (
	"fmt"
	"strings"

	"github.com/peerlab/peerlab/repl"
	"github.com/rivo/uniseg"
)

// maxWithHelp is the longest table of candidates that has a row for each.
const maxWithHelp = 16

// choose decides what Tab does: insert is what is to be typed at the cursor,
// and table what is to be shown if the candidates leave a choice. typed is the
// part of the word before the cursor; next is what stands after it.
func choose(list []repl.Candidate, typed, next string, columns, rows int) (insert, table string) {
	var fitting []repl.Candidate
	for _, c := range list {
		if strings.HasPrefix(c.Text, typed) {
			fitting = append(fitting, c)
		}
	}
	switch len(fitting) {
	case 0:
		return "", ""
	case 1:
		insert = fitting[0].Text[len(typed):]
		if next == "" && !fitting[0].Part {
			insert += " "
		}
		return insert, ""
	}
	if common := commonPrefix(fitting)[len(typed):]; common != "" {
		return common, ""
	}
	return "", bounded(tableOf(below(fitting, typed), columns), columns, rows-2)
}

// otherwise is how what is typed is to be written, if no candidate begins with
// it, but some do when capital letters do not matter: as far as those agree.
func otherwise(list []repl.Candidate, typed string) string {
	var fitting []repl.Candidate
	for _, c := range list {
		switch {
		case strings.HasPrefix(c.Text, typed):
			return ""
		case len(c.Text) >= len(typed) && strings.EqualFold(c.Text[:len(typed)], typed):
			fitting = append(fitting, c)
		}
	}
	if len(fitting) == 0 {
		return ""
	}
	common := commonPrefix(fitting)
	if len(common) < len(typed) {
		return ""
	}
	return common
}

// below leaves out of names what is typed of them up to their folder.
func below(list []repl.Candidate, typed string) []repl.Candidate {
	folder := strings.LastIndexByte(typed, '/') + 1
	if folder <= 1 { // of a command, or of the root
		return list
	}
	var names []repl.Candidate
	for _, c := range list {
		names = append(names, repl.Candidate{Text: c.Text[folder:], Help: c.Help})
	}
	return names
}

// commonPrefix is the longest text, in whole characters, with which all begin.
func commonPrefix(list []repl.Candidate) string {
	common := []rune(list[0].Text)
	for _, c := range list[1:] {
		text := []rune(c.Text)
		n := 0
		for n < len(common) && n < len(text) && common[n] == text[n] {
			n++
		}
		common = common[:n]
	}
	return string(common)
}

// tableOf lists a few candidates with what they are, and many in columns.
func tableOf(list []repl.Candidate, columns int) string {
	widest := 0
	for _, c := range list {
		widest = max(widest, uniseg.StringWidth(repl.Neutral(c.Text)))
	}
	if len(list) > maxWithHelp {
		return inColumns(list, widest+2, max(1, columns/(widest+2)))
	}
	var b strings.Builder
	for _, c := range list {
		row := pad(repl.Neutral(c.Text), widest) + "  " + repl.Neutral(c.Help)
		fmt.Fprintf(&b, "  %s\n", strings.TrimRight(row, " "))
	}
	return b.String()
}

// bounded keeps at most that many rows of a table, and of each what fits into
// the columns. It says how many rows are left out.
func bounded(table string, columns, rows int) string {
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	if rows = max(rows, 2); len(lines) > rows {
		lines = append(lines[:rows-1], fmt.Sprintf("  (%d more rows: type on)", len(lines)-rows+1))
	}
	for i, l := range lines {
		lines[i] = join(cutRight(cells([]rune(l)), columns-1))
	}
	return strings.Join(lines, "\n") + "\n"
}

func inColumns(list []repl.Candidate, width, perRow int) string {
	var b strings.Builder
	for i, c := range list {
		last := i%perRow == perRow-1 || i == len(list)-1
		if last {
			b.WriteString(repl.Neutral(c.Text) + "\n")
		} else {
			b.WriteString(pad(repl.Neutral(c.Text), width))
		}
	}
	return b.String()
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-uniseg.StringWidth(s)))
}
