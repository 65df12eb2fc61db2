package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/report"
)

// forms are the flags that say in which form a result is printed. They are
// the same wherever one is.
type forms struct {
	verbose bool
	events  bool
	results bool
}

func (f *forms) register(s *pflag.FlagSet) {
	s.BoolVar(&f.events, "json", false, "print what go test -json would, instead of the report")
	s.BoolVar(&f.results, "result-json", false, "print result.json, one line a run, instead of the report")
}

// forPrograms tells whether no report is wanted.
func (f forms) forPrograms() bool { return f.events || f.results }

// console is where a program says how runs end.
type console struct {
	forms
	words   io.Writer // what people read; nobody's text becomes a command of GitHub Actions
	raw     io.Writer // the same without that care
	data    io.Writer // what programs read
	colour  bool
	actions bool // GitHub Actions read it
	live    bool // a person watches at a terminal
	env     func(string) string
}

func (f forms) console(p Process) *console {
	c := &console{forms: f, raw: p.Stdout, data: p.Stdout, actions: p.env("GITHUB_ACTIONS") == "true", env: p.env}
	if f.forPrograms() {
		c.raw = p.Stderr
	}
	c.colour = report.Colours(c.raw, p.env)
	c.live = report.IsTerminal(c.raw) && p.env("TERM") != "dumb"
	c.guard()
	return c
}

func (c *console) guard() {
	if c.words = c.raw; c.actions {
		c.words = report.NoCommands(c.raw)
	}
}

// apart is a console for one of several runs at once. Nothing is seen of it
// before flush.
func (c *console) apart() (own *console, flush func()) {
	var words, data bytes.Buffer
	copied := *c
	own = &copied
	own.raw, own.data, own.live = &words, &data, false
	own.guard()
	return own, func() {
		_, _ = words.WriteTo(c.raw) // nobody reads it any more; the runs are recorded
		_, _ = data.WriteTo(c.data)
	}
}

// silent is a console of which nothing is seen.
func (c *console) silent() *console {
	own := *c
	own.forms, own.actions, own.live = forms{}, false, false
	own.raw, own.words, own.data = io.Discard, io.Discard, io.Discard
	return &own
}

func (c *console) look(rows report.Rows) report.Look {
	look := report.Look{Rows: rows, Colour: c.colour}
	if c.live {
		look.Width, _ = sizeOf(c.raw)()
	}
	return look
}

// show prints a run that has just ended. Its rows were seen already, if they
// were asked for.
func (c *console) show(r *report.Result) error {
	rows := report.Some
	if c.verbose {
		rows = report.None
	}
	return c.print(r, rows)
}

// print prints a run, on GitHub Actions with annotations.
func (c *console) print(r *report.Result, rows report.Rows) error {
	var err error
	switch {
	case c.events:
		err = report.Test2JSON(c.data, r)
	case c.results:
		err = json.NewEncoder(c.data).Encode(r)
	default:
		err = report.Print(c.words, r, c.look(rows))
	}
	if err == nil && c.actions {
		err = report.Annotate(c.raw, r)
	}
	return err
}

// watched makes a run with a live table of it, if somebody watches at a
// terminal. run gets where its lines go while the table stands, and whom to
// tell how things stand; that is nil without a table.
func (c *console) watched(ctx context.Context, run func(out io.Writer, observe func(coordinator.Snapshot)) (*report.Result, error)) (*report.Result, error) {
	if !c.live {
		return run(c.words, nil)
	}
	live := report.NewLive(report.LiveConfig{Terminal: c.words, Size: sizeOf(c.raw), Colour: c.colour})
	defer context.AfterFunc(ctx, func() { _, _ = io.WriteString(live, interrupting+"\n") })()
	drawing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		_ = live.Run(drawing) // the terminal is gone; the run goes on, and is recorded
	}()
	r, err := run(live, func(s coordinator.Snapshot) { live.Show(asShown(s)) })
	cancel()
	<-drawn
	return r, err
}

// sizeOf asks a terminal for its size.
func sizeOf(out io.Writer) func() (columns, rows int) {
	return func() (columns, rows int) {
		if f, ok := out.(*os.File); ok {
			columns, rows, _ = term.GetSize(int(f.Fd())) // zeros stand for what is not known
		}
		return columns, rows
	}
}

func asShown(s coordinator.Snapshot) report.Snapshot {
	shown := report.Snapshot{
		Scenario: s.Scenario, Phase: s.Phase, Statement: s.Line, Faults: s.Faults, Elapsed: s.Elapsed, Budget: s.Budget,
		Rows: s.Rows, Failed: s.Failed,
	}
	for _, peer := range s.Peers {
		shown.Peers = append(shown.Peers, report.PeerState(peer))
	}
	return shown
}
