package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/peerlab/peerlab/peer/membership"
	"github.com/peerlab/peerlab/repl"
)

// savedName is where the configuration is saved that nobody named.
const savedName = "memberlist.json"

// configuration are the commands that show, save and load the membership's
// configuration; memberlistconfigure makes it.
func (p *peer) configuration() []repl.Command {
	return []repl.Command{
		{
			Name: "showconfig", Group: "memberlist", Query: true,
			Summary: "the configuration of the next member",
			Run:     p.showConfig,
		},
		{
			Name: "saveconfig", Group: "memberlist", Usage: "[FILE]", MaxArgs: 1, File: first,
			Summary: "save that configuration as JSON",
			Help:    "Without FILE it goes to " + savedName + ". Names, addresses, keys and tokens\nare not in it. A file that is something else is not replaced.\n\n\tsaveconfig quick.json",
			Run:     p.saveConfig,
		},
		{
			Name: "loadconfig", Group: "memberlist", Usage: "FILE", MinArgs: 1, MaxArgs: 1, File: first,
			Summary: "load a configuration that was saved",
			Help:    "It takes the place of the present one, and holds from the next\nmemberlistcreate on. A file that is damaged or of another version\nchanges nothing.\n\n\tloadconfig quick.json",
			Run:     p.loadConfig,
		},
	}
}

// first tells that the first argument is a file.
func first(args []string) bool { return len(args) == 0 }

func (p *peer) showConfig(_ context.Context, c *repl.Call) error {
	if c.JSON {
		return printJSON(c.Out, p.Node.Settings())
	}
	return p.printSettings(c)
}

// printSettings prints the configuration, with what differs from the profile.
func (p *peer) printSettings(c *repl.Call) error {
	var rows [][]string
	for _, s := range p.Node.Settings() {
		mark := ""
		if s.Changed {
			mark = "changed"
		}
		rows = append(rows, []string{s.Name, s.Value, mark})
	}
	return printTable(c.Out, []string{"FIELD", "VALUE", ""}, rows)
}

func (p *peer) saveConfig(_ context.Context, c *repl.Call) error {
	name := savedName
	if len(c.Args) == 1 {
		name = c.Args[0]
	}
	if err := p.mayReplace(name); err != nil {
		return fmt.Errorf("saveconfig: %w", err)
	}
	raw, err := p.Node.SavedSettings()
	if err != nil {
		return err
	}
	path, err := p.write(name, raw)
	if err != nil {
		return fmt.Errorf("saveconfig: %w", err)
	}
	fmt.Fprintln(c.Out, "saved to", repl.Neutral(path))
	return nil
}

// mayReplace refuses a file that holds anything but a configuration.
func (p *peer) mayReplace(name string) error {
	if p.Open == nil {
		return errNoFiles
	}
	f, err := p.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxSaved))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if _, err := membership.DecodeSettings(raw); err != nil && len(raw) > 0 {
		return fmt.Errorf("%s is there and is %w: remove it, or give another name", name, membership.ErrCorrupt)
	}
	return nil
}

// write makes a file that a person named, and returns where it lies.
func (p *peer) write(name string, raw []byte) (path string, err error) {
	if p.Place == nil {
		return "", errNoFiles
	}
	dir, base, err := p.Place(name)
	if err != nil {
		return "", err
	}
	return dir.Path(base), dir.WriteFile(base, raw, 0o600)
}

var errNoFiles = errors.New("this peer has no files")

// maxSaved bounds what is read of a file, in bytes.
const maxSaved = 1 << 20

func (p *peer) loadConfig(_ context.Context, c *repl.Call) error {
	if p.Open == nil {
		return errNoFiles
	}
	f, err := p.Open(c.Args[0])
	if err != nil {
		return fmt.Errorf("loadconfig: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxSaved))
	if err != nil {
		return fmt.Errorf("loadconfig: read %s: %w", c.Args[0], err)
	}
	s, err := membership.DecodeSettings(raw)
	if err != nil {
		return fmt.Errorf("loadconfig: %s is %w: save one with saveconfig FILE", c.Args[0], err)
	}
	p.Node.SetSettings(s)
	p.sayForNext(c)
	fmt.Fprintln(c.Out, "loaded", repl.Neutral(c.Args[0]))
	return nil
}

// sayForNext says, if there is a member, that a change is not for it.
func (p *peer) sayForNext(c *repl.Call) {
	if p.Node.Status().Created {
		fmt.Fprintln(c.Out, "the member that is there keeps its configuration; this is for the next one")
	}
}
