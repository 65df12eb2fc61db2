package cli

import (
	"context"
	"encoding/json"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/peerlab/peerlab/testserver/coordinator"
	"github.com/peerlab/peerlab/testserver/report"
)

// text is where the report goes.
func (o *options) text(p Process) io.Writer {
	if o.json {
		return p.Stderr
	}
	return p.Stdout
}

// show prints the report of a run, on GitHub Actions with its annotations,
// and with --json the result as one line.
func (o *options) show(p Process, r *report.Result, list report.Rows) error {
	out := o.text(p)
	if err := report.Print(out, r, report.Look{Rows: list, Colour: report.Colours(out, p.env)}); err != nil {
		return err
	}
	if p.env("GITHUB_ACTIONS") == "true" {
		if err := report.Annotate(out, r); err != nil {
			return err
		}
	}
	if o.json {
		return json.NewEncoder(p.Stdout).Encode(r)
	}
	return nil
}

// watched makes a run with a live table of it, if somebody watches at a
// terminal. run gets where its lines go while the table stands, and whom to
// tell how things stand; that is nil without a table.
func (o *options) watched(p Process, run func(out io.Writer, observe func(coordinator.Snapshot)) (*report.Result, error)) (*report.Result, error) {
	out := o.text(p)
	if !report.IsTerminal(out) || p.env("TERM") == "dumb" {
		return run(out, nil)
	}
	live := report.NewLive(report.LiveConfig{Terminal: out, Size: sizeOf(out), Colour: report.Colours(out, p.env)})
	ctx, cancel := context.WithCancel(context.Background())
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		_ = live.Run(ctx) // the terminal is gone; the run goes on, and is recorded
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
