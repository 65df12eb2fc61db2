package language

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Error is what is wrong at one place of a file, and what would be right.
type Error struct {
	Pos Pos
	Msg string
}

// Error is file:line:column and what is wrong there.
func (e *Error) Error() string { return e.Pos.String() + ": " + e.Msg }

// maxErrors bounds how many errors of a file are told at once.
const maxErrors = 10

// errorList collects what is wrong in a file.
type errorList struct{ all []*Error }

func (l *errorList) add(pos Pos, format string, args ...any) {
	l.all = append(l.all, &Error{pos, fmt.Sprintf(format, args...)})
}

// full tells that looking for more is of no use.
func (l *errorList) full() bool { return len(l.all) >= maxErrors }

// err joins the first errors in the order of the file; nil if there are none.
func (l *errorList) err() error {
	slices.SortStableFunc(l.all, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	var errs []error
	for _, e := range l.all[:min(len(l.all), maxErrors)] {
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// didYouMean is the end of a message about an unknown word, empty if no known
// one is near.
func didYouMean(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}

// nearest is the word that is at most two letters away from w, and less than
// half of it; empty if there is none.
func nearest(w string, words []string) string {
	best, at := "", min(2, (len(w)-1)/2)+1
	if len(w) > 2*maxName {
		return ""
	}
	for _, c := range words {
		if len(c) > len(w)+2 || len(c) < len(w)-2 || c == w {
			continue
		}
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
