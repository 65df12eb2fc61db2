package coordinator

import (
	"github.com/peerlab/peerlab/testserver/language"
	"github.com/peerlab/peerlab/testserver/report"
)

func (b *branch) check(do language.Check, row *report.Row) { fail(row, "not yet: "+string(do.What)) }

func (b *branch) nemesis(_ language.Statement, _ language.Nemesis, row *report.Row) {
	fail(row, "not yet")
}
