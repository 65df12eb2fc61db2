package shell

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
			Help:    "It is judged at the end of the run.\n\n\ttestfilter messagesView 1 <bob> hello",
			Run:     p.testFilter,
		},
		{
			Name: "testfilters", Group: "test", Query: true,
			Summary: "all filters of the run, and what they have seen",
			Run:     p.testFilters,
		},
		{
			Name: "testlocalfilters", Group: "test", Query: true,
			Summary: "the filters that this peer has registered",
			Run:     p.testLocalFilters,
		},
		{
			Name: "testrun", Group: "test", Query: true,
			Summary: "the run this peer takes part in, and what is left of it",
			Run:     p.testRun,
		},
		{
			Name: "testreset", Group: "test",
			Summary: "start over: forget this peer's filters",
			Help:    "Filters that are registered later count what comes from then on. Without any\nfilter, the run has asserted nothing, and does not pass.",
			Run:     p.testReset,
		},
		{
			Name: "testsummaryprepare", Group: "test",
			Summary: "wait for the filters; testsummary then has results",
			Help:    "It returns when each filter has its count, or will not get it any more. The\nrun is judged at its end all the same.",
			Run:     p.testSummaryPrepare,
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
	return printFilters(c, a.Filters)
}

func (p *peer) testLocalFilters(ctx context.Context, c *repl.Call) error {
	a, err := p.ask(ctx, testlink.AskFilters)
	if err != nil {
		return err
	}
	return printFilters(c, slices.DeleteFunc(a.Filters, func(f testlink.FilterStatus) bool { return f.Peer != p.Node.Name() }))
}

func printFilters(c *repl.Call, filters []testlink.FilterStatus) error {
	if c.JSON {
		return printJSON(c.Out, append([]testlink.FilterStatus{}, filters...))
	}
	var rows [][]string
	for _, f := range filters {
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

// progress is how far a run is.
type progress struct {
	Scenario  string `json:"scenario"`
	Rows      int    `json:"rows"`      // lines of the run, those of filters excepted
	Done      int    `json:"done"`      // of them
	Filters   int    `json:"filters"`   // of all peers
	Satisfied int    `json:"satisfied"` // of them: they have their counts now
	Left      []left `json:"left"`      // the lines that have not ended
}

type left struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

func (p *peer) testRun(ctx context.Context, c *repl.Call) error {
	a, err := p.ask(ctx, testlink.AskRun)
	if err != nil {
		return err
	}
	run := progressOf(a)
	if c.JSON {
		return printJSON(c.Out, run)
	}
	fmt.Fprintf(c.Out, "scenario  %s\nlines     %d of %d done\nfilters   %d of %d have their counts\n",
		repl.Neutral(run.Scenario), run.Done, run.Rows, run.Satisfied, run.Filters)
	for _, l := range run.Left {
		fmt.Fprintf(c.Out, "left      %s\n", repl.Neutral(l.Text))
	}
	return nil
}

func progressOf(a testlink.Answer) progress {
	run := progress{Scenario: a.Scenario, Filters: len(a.Filters), Left: []left{}}
	for _, r := range a.Rows {
		if r.Kind == "event" {
			continue
		}
		run.Rows++
		if r.Status != "" {
			run.Done++
			continue
		}
		run.Left = append(run.Left, left{r.Kind, r.Text})
	}
	for _, f := range a.Filters {
		if f.Seen == f.Filter.Count {
			run.Satisfied++
		}
	}
	return run
}

func (p *peer) testReset(ctx context.Context, c *repl.Call) error {
	a, err := p.ask(ctx, testlink.AskReset)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "forgot %s\n", count(len(a.Filters), "filter"))
	return nil
}

func (p *peer) testSummaryPrepare(ctx context.Context, c *repl.Call) error {
	a, err := p.ask(ctx, testlink.AskPrepare)
	if err != nil {
		return err
	}
	n := 0
	for _, f := range a.Filters {
		if f.Seen == f.Filter.Count {
			n++
		}
	}
	fmt.Fprintf(c.Out, "%d of %s as expected; testsummary has the results\n", n, count(len(a.Filters), "filter"))
	return nil
}
