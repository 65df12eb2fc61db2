package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Term is a part of what Expect and Never look for. Several together must all
// hold.
type Term struct {
	after string // how it stands in a statement, behind a blank
	rank  int    // where
}

// The order of terms in a statement.
const (
	rankPattern = iota
	rankCount
	rankTime
	rankSince
)

// Text is an event's whole text.
func Text(s string) Term { return Term{" " + quoted(s), rankPattern} }

// Match is a regular expression that is searched in an event's text.
func Match(expr string) Term {
	return Term{" /" + dollars(strings.ReplaceAll(expr, "/", `\/`)) + "/", rankPattern}
}

// Field is the value of a field of the event: Field("from", "bob").
func Field(name, value string) Term { return Term{" " + name + ":" + quoted(value), rankPattern} }

// Count is how many there are, not one more for another half second.
func Count(n int) Term { return Term{fmt.Sprintf(" count == %d", n), rankCount} }

// AtLeast is how many there are, or more.
func AtLeast(n int) Term { return Term{fmt.Sprintf(" count >= %d", n), rankCount} }

// Within is how long to wait for them.
func Within(d time.Duration) Term { return Term{" within " + d.String(), rankTime} }

// Since counts from a mark on.
func Since(m Mark) Term { return Term{" since mark:" + string(m), rankSince} }

// SinceStart counts from the first step on.
func SinceStart() Term { return Term{" since start", rankSince} }

// SinceNow counts from this step on.
func SinceNow() Term { return Term{" since now", rankSince} }

// question is the terms in the order of the language.
func question(terms []Term) string {
	terms = slices.Clone(terms)
	slices.SortStableFunc(terms, func(a, b Term) int { return cmp.Compare(a.rank, b.rank) })
	var b strings.Builder
	for _, t := range terms {
		b.WriteString(t.after)
	}
	return b.String()
}

// quoted is a text in quotes of the language.
func quoted(s string) string {
	return `"` + dollars(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)) + `"`
}

// dollars keeps dollar signs from being variables.
func dollars(s string) string { return strings.ReplaceAll(s, "$", "$$") }
