package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/peerlab/peerlab/repl"
)

// Asker answers questions about Go that runs nothing.
type Asker interface {
	// Complete and Hint are those of repl.Mode, for an input. They do not wait.
	Complete(text string, pos int) (candidates []repl.Candidate, start int)
	Hint(text string) string
	// CompleteName and CompletePath complete what Doc and Import are given.
	CompleteName(text string, pos int) (candidates []repl.Candidate, start int)
	CompletePath(text string, pos int) (candidates []repl.Candidate, start int)
	// Type prints what an expression is.
	Type(ctx context.Context, expr string, out io.Writer) error
	// Doc prints the documentation of a name.
	Doc(ctx context.Context, query string, out io.Writer) error
}

// asking are the commands that ask about Go.
func (p *peer) asking() []repl.Command {
	return []repl.Command{
		p.development(repl.Command{
			Name: "type", Group: "go", Usage: "EXPRESSION", MinArgs: 1, MaxArgs: 1, Raw: true,
			Summary: "the type of an expression in Go, and its methods",
			Help:    "Nothing is run.\n\n\ttype members()",
			Run: func(ctx context.Context, c *repl.Call) error {
				return p.withGo(c.Out, func(e Explorer, out io.Writer) error {
					return paged(c, out, "/doc and the name of the type lists them", func(out io.Writer) error { return e.Type(ctx, strings.TrimSpace(c.Text), out) })
				})
			},
		}),
		p.development(repl.Command{
			Name: "doc", Group: "go", Usage: "[-all] NAME", MinArgs: 1, MaxArgs: 1, Raw: true,
			Summary: "what the documentation says about a name in Go",
			Help: "Of a package, by its name or its path, of what it declares, of a method, or of\nwhat a name here is; in the version that this peer runs with. At the prompt it\n" +
				"shows a screen of it, with -all everything.\n\n\tdoc strings.Cut\n\tdoc memberlist.Join\n\tdoc peer.Command",
			Run: p.goDoc,
		}),
	}
}

func (p *peer) goDoc(ctx context.Context, c *repl.Call) error {
	query, all := strings.CutPrefix(strings.TrimSpace(c.Text), "-all")
	if query = strings.TrimSpace(query); query == "" {
		return repl.Usagef("the name is missing")
	}
	return p.withGo(c.Out, func(e Explorer, out io.Writer) error {
		if all {
			return e.Doc(ctx, query, out)
		}
		return paged(c, out, "/doc -all "+query, func(out io.Writer) error { return e.Doc(ctx, query, out) })
	})
}

// completed gives the commands that take Go what completes it.
func (p *peer) completed(all []repl.Command) []repl.Command {
	if p.Go == nil || !p.Dev {
		return all
	}
	for i := range all {
		c := &all[i]
		switch c.Name {
		case "go", "type":
			c.CompleteText, c.HintText = p.Go.Complete, p.Go.Hint
		case "doc":
			c.CompleteText = p.Go.CompleteName
		case "import":
			c.CompleteText = p.Go.CompletePath
		}
	}
	return all
}

// pageRows is how many rows of an answer a prompt shows: most of a small
// screen.
const pageRows = 20

// paged prints what f prints: at a prompt only the beginning of much, and how to
// see the rest.
func paged(c *repl.Call, out io.Writer, more string, f func(io.Writer) error) error {
	if !c.Interactive {
		return f(out)
	}
	var all bytes.Buffer
	failed := f(&all)
	rows := strings.SplitAfter(all.String(), "\n")
	if left := len(rows) - 1 - pageRows; left > 1 {
		rows = append(rows[:pageRows], fmt.Sprintf("(%d more rows: %s)\n", left, more))
	}
	_, err := io.WriteString(out, strings.Join(rows, ""))
	return errors.Join(failed, err)
}

// importLine is an import that is typed as Go, or nearly: without quotes, or
// with a version.
var importLine = regexp.MustCompile("^\\s*import\\s+([\"`]?)([^\\s\"`();]+)([\"`]?)\\s*;?\\s*$")

// evaluate runs an input of Go. An import of a single path is the command of
// that name.
func (p *peer) evaluate(ctx context.Context, text string, out io.Writer, assert bool) error {
	return p.withGo(out, func(e Explorer, out io.Writer) error {
		if m := importLine.FindStringSubmatch(text); m != nil && m[1] == m[3] {
			return e.Import(ctx, m[2], out)
		}
		return e.Eval(ctx, text, out, assert)
	})
}

// remedy adds to an error for a name that Go does not know which one was meant,
// and to one for a command that it takes for Go, how that is typed.
func (p *peer) remedy(text string, err error) error {
	if err == nil {
		return nil
	}
	m := unknown.FindStringSubmatch(err.Error())
	var name string
	if m != nil {
		name = strings.Join(m[1:], "")
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	if _, ok := p.shell.Table().Lookup(word); ok && (word == name || endsBefore(rest, text, err)) {
		return fmt.Errorf("%w (the command is /%s)", err, word)
	}
	if m == nil {
		return err
	}
	if near := p.near(text, name, err); near != "" {
		return fmt.Errorf("%w: did you mean %s?", err, near)
	}
	return err
}

// endsBefore tells whether the error is that a statement should have ended
// before rest, with which text ends.
func endsBefore(rest, text string, err error) bool {
	line, column, ok := placeOf(text, err)
	rest = strings.TrimSpace(rest)
	return ok && line == 1 && rest != "" && strings.HasPrefix(text[column-1:], rest) && strings.Contains(err.Error(), ": expected ';', found ")
}

// near is the name that could stand where an error is, and is most like the
// one that does.
func (p *peer) near(text, name string, err error) string {
	line, column, ok := placeOf(text, err)
	if !ok {
		return ""
	}
	at := column - 1
	for i, l := range strings.SplitAfter(text, "\n") {
		if i < line-1 {
			at += len(l)
		}
	}
	var names []string
	list, _ := p.Go.Complete(text[:at], at)
	for _, c := range list {
		names = append(names, strings.TrimRight(c.Text, "(.): "))
	}
	return repl.Nearest(name, names)
}

// unknown is an error for a name, for a member, or for a field of a literal, that
// there is not; if there is one in other letters, Go says so itself.
var unknown = regexp.MustCompile(`undefined: (?:\pL[\pL\d_]*\.)?([\pL_][\pL\d_]*)|has no field or method ([\pL_][\pL\d_]*)\)|unknown field ([\pL_][\pL\d_]*) in struct literal of type [^,]*$`)

// place is where in an input an error is, as it begins.
var place = regexp.MustCompile(`^‹\d+›:(\d+):(\d+): `)

// placeOf reads where in a text an error is, from 1; columns are bytes.
func placeOf(text string, err error) (line, column int, ok bool) {
	m := place.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, 0, false
	}
	line, _ = strconv.Atoi(m[1]) // digits
	column, _ = strconv.Atoi(m[2])
	lines := strings.Split(text, "\n")
	ok = line >= 1 && line <= len(lines) && column >= 1 && column <= len(lines[line-1])+1
	return line, column, ok
}

// placed adds to an error in a text of several lines the line, and a mark below
// the place. One line is in sight anyway.
func placed(text string, err error) error {
	if err == nil || !strings.Contains(text, "\n") {
		return err
	}
	line, column, ok := placeOf(text, err)
	if !ok {
		return err
	}
	row := strings.ReplaceAll(strings.Split(text, "\n")[line-1], "\t", " ")
	before := strings.Repeat(" ", uniseg.StringWidth(repl.Neutral(row[:column-1]))) // as it is shown
	return fmt.Errorf("%w\n  %s\n  %s^", err, row, before)
}
