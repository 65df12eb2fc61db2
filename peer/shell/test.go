package shell

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/peerlab/peerlab/internal/testlink"
	"github.com/peerlab/peerlab/repl"
)

var errNoHarness = errors.New("this peer takes part in no test: write a scenario and use `testserver run FILE`")

// test are the commands of the run that the peer takes part in.
func (p *peer) test() []repl.Command {
	return []repl.Command{
		{
			Name: "testfilter", Group: "test", MinArgs: 3, MaxArgs: repl.Any,
			Usage:   "STREAM COUNT PATTERN",
			Summary: "expect exactly COUNT lines that begin with PATTERN",
			Help:    "It is judged at the end of the run.\nExample: testfilter messagesView 1 <bob> hello",
			Run:     p.testFilter,
		},
		{
			Name: "testfilters", Group: "test", Query: true,
			Summary: "all filters of the run, and what they have seen",
			Run:     p.testFilters,
		},
		{
			Name: "testsummary", Group: "test", Query: true,
			Summary: "the results of the run so far",
			Run:     p.testSummary,
		},
	}
}

func (p *peer) testFilter(ctx context.Context, c *repl.Call) error {
	n, err := strconv.Atoi(c.Args[1])
	if err != nil || n < 0 {
		return repl.Usagef("%q is no count", c.Args[1])
	}
	if p.Harness == nil {
		return errNoHarness
	}
	return p.Harness.Register(ctx, testlink.Filter{Stream: c.Args[0], Count: n, Pattern: strings.Join(c.Args[2:], " ")})
}

func (p *peer) ask(ctx context.Context, question string) (testlink.Answer, error) {
	if p.Harness == nil {
		return testlink.Answer{}, errNoHarness
	}
	return p.Harness.Ask(ctx, question)
}

func (p *peer) testFilters(ctx context.Context, c *repl.Call) error {
	a, err := p.ask(ctx, testlink.AskFilters)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(c.Out, append([]testlink.FilterStatus{}, a.Filters...))
	}
	var rows [][]string
	for _, f := range a.Filters {
		rows = append(rows, []string{f.Peer, f.Filter.Stream, strconv.Itoa(f.Filter.Count), strconv.Itoa(f.Seen), f.Filter.Pattern})
	}
	return printTable(c.Out, []string{"PEER", "STREAM", "EXPECTED", "SEEN", "PATTERN"}, rows)
}

func (p *peer) testSummary(ctx context.Context, c *repl.Call) error {
	a, err := p.ask(ctx, testlink.AskSummary)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(c.Out, append([]testlink.Row{}, a.Rows...))
	}
	for _, r := range a.Rows {
		fmt.Fprintf(c.Out, "%s %q %s\n", r.Kind, repl.Neutral(r.Text), r.Status)
	}
	return nil
}
