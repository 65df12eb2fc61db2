package coordinator

import (
	"errors"
	"fmt"

	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

// check runs a checker over the whole journal. What is only missing yet is
// waited for.
func (b *branch) check(do language.Check, row *report.Row) {
	m := b.m
	within := m.within(0)
	row.Expected = fmt.Sprintf("%s, within %s", meaning(do.What), within)
	checker, err := judge.NewChecker(do.What)
	if err != nil {
		fail(row, err.Error())
		return
	}
	b.fence(m.names)
	read := 0
	var out judge.Outcome
	look := func() {
		all := m.store.Events()
		if read == len(all) && read > 0 {
			return
		}
		for _, e := range all[read:] {
			checker.Add(e)
		}
		read = len(all)
		out = checker.Outcome()
	}
	err = b.wait(m.now.Add(within), func() bool { look(); return len(out.Open) == 0 || len(out.Wrong) > 0 })
	if err != nil && !errors.Is(err, errTime) {
		return
	}
	b.fence(m.names)
	look()
	wrong := append(out.Wrong, out.Open...)
	switch {
	case len(wrong) > 0:
		fail(row, wrong[0])
		if rest := len(wrong) - 1; rest > 0 {
			row.Wrong += fmt.Sprintf("; and %d more", rest)
		}
		row.Seen = wrong[:min(len(wrong), 2*shown)]
	case out.Looked == 0:
		row.Status, row.Wrong = report.Miss, "nothing to check: the journals have nothing that this checker looks at"
	default:
		row.Status = report.OK
	}
}

// meaning is what a checker wants, in words.
func meaning(c language.Checker) string {
	switch c {
	case language.CheckDelivery:
		return "every message is shown once by all that were connected with its sender"
	case language.CheckOrder:
		return "messages of one sender are shown in the order in which they were sent"
	case language.CheckCausal:
		return "no message is shown before those that its sender knew"
	}
	return "nobody is called dead without a reason"
}
