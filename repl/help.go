package repl

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// The screen that the overview must fit, prompt included.
const (
	screenWidth  = 80
	screenHeight = 24
)

func (s *Shell) helpCommand() Command {
	return Command{
		Name: "help", Aliases: []string{"?"}, Group: "cli", MaxArgs: 2,
		Usage:    "[groups [GROUP] | commands | COMMAND]",
		Summary:  "say what there is to say to this shell",
		Help:     "help groups       the groups, and how many commands each has\nhelp groups cli   the commands of a group\nhelp commands     all commands\nhelp sleep        one command",
		Complete: func(args []string) []Candidate { return s.table.topics(args) },
		Run: func(_ context.Context, c *Call) error {
			text, err := s.helpText(c.Args, c.Interactive)
			if err != nil {
				return err
			}
			_, err = io.WriteString(c.Out, text)
			return err
		},
	}
}

func (s *Shell) helpText(args []string, keyboard bool) (string, error) {
	switch {
	case len(args) == 0:
		return s.table.overview(s.cfg.Intro), nil
	case args[0] == "groups" && len(args) == 2:
		return s.table.groupHelp(args[1])
	case len(args) == 2:
		return "", Usagef("%d too many arguments", 1)
	case args[0] == "groups":
		return s.table.groupList(), nil
	case args[0] == "commands":
		return s.table.allHelp(), nil
	}
	return s.table.topic(strings.TrimPrefix(args[0], "/"), keyboard)
}

// topic is the help of a command, or of a group if no command has its name.
// At a keyboard a unique prefix will do.
func (t *Table) topic(word string, keyboard bool) (string, error) {
	if c, ok := t.Lookup(word); ok {
		return c.help(), nil
	}
	if text, err := t.groupHelp(word); err == nil {
		return text, nil
	}
	c, err := t.Match(word)
	switch {
	case err == nil && keyboard:
		return c.help(), nil
	case err == nil:
		return "", t.unknown(word)
	}
	return "", err
}

// help is everything that the command says of itself.
func (c *Command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  %s\n", usageLine(c), c.Summary)
	if c.Help != "" {
		b.WriteString("\n")
		for line := range strings.Lines(strings.TrimRight(c.Help, "\n") + "\n") {
			b.WriteString(strings.TrimRight("  "+line, " \n") + "\n")
		}
	}
	if c.Query {
		b.WriteString("\n  --json prints JSON\n")
	}
	if len(c.Aliases) > 0 {
		fmt.Fprintf(&b, "\n  also: %s\n", strings.Join(c.Aliases, ", "))
	}
	return b.String()
}

// overview is what fits one screen: the intro, and each group's commands.
// Groups are cut to one line each if they would not fit otherwise.
func (t *Table) overview(intro []string) string {
	head := strings.Join(intro, "\n")
	if head != "" {
		head += "\n\n"
	}
	foot := "\nhelp COMMAND, help groups [GROUP] and help commands say more.\n"
	body := t.groupLines(wrapWords)
	if strings.Count(head+body+foot, "\n") >= screenHeight {
		body = t.groupLines(cutWords)
	}
	return head + body + foot
}

// groupLines lists the commands by groups; layout brings those of one group
// into lines of the given width.
func (t *Table) groupLines(layout func(words []string, width int) []string) string {
	groups := t.Groups()
	column := 0
	for _, g := range groups {
		column = max(column, len(g.Name)+4)
	}
	var b strings.Builder
	for _, g := range groups {
		name := g.Name
		for _, line := range layout(g.names(), screenWidth-column) {
			fmt.Fprintf(&b, "  %-*s%s\n", column-2, name, line)
			name = ""
		}
	}
	return b.String()
}

func (g Group) names() []string {
	var names []string
	for _, c := range g.Commands {
		names = append(names, c.Name)
	}
	return names
}

// wrapWords fills lines with words.
func wrapWords(words []string, width int) []string {
	var lines []string
	line := ""
	for _, w := range words {
		if line != "" && len(line)+1+len(w) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+w, " ")
	}
	return append(lines, line)
}

// cutWords fills one line, and says how many words did not fit.
func cutWords(words []string, width int) []string {
	const more = len(" +100")
	line := wrapWords(words, width-more)[0]
	if left := len(words) - len(strings.Fields(line)); left > 0 {
		line += fmt.Sprintf(" +%d", left)
	}
	return []string{line}
}

func (t *Table) groupList() string {
	var b strings.Builder
	for _, g := range t.Groups() {
		fmt.Fprintf(&b, "%-16s %d\n", g.Name, len(g.Commands))
	}
	return b.String()
}

func (t *Table) groupHelp(name string) (string, error) {
	var names []string
	for _, g := range t.Groups() {
		if g.Name == name {
			return g.help(), nil
		}
		names = append(names, g.Name)
	}
	return "", fmt.Errorf("no group %q: there are %s", name, strings.Join(names, ", "))
}

// help lists the group's commands with what they do.
func (g Group) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", g.Name)
	for _, c := range g.Commands {
		usage := usageLine(c)
		if len(usage) > 17 {
			fmt.Fprintf(&b, "  %s\n", usage)
			usage = ""
		}
		fmt.Fprintf(&b, "  %-17s %s\n", usage, c.Summary)
	}
	return b.String()
}

func (t *Table) allHelp() string {
	var parts []string
	for _, g := range t.Groups() {
		parts = append(parts, g.help())
	}
	return strings.Join(parts, "\n")
}

// topics proposes the arguments of help.
func (t *Table) topics(args []string) []Candidate {
	var list []Candidate
	switch {
	case len(args) == 0:
		list = append(list, Candidate{Text: "groups", Help: "the groups of commands"}, Candidate{Text: "commands", Help: "all commands"})
		for _, c := range t.commands {
			list = append(list, Candidate{Text: c.Name, Help: c.Summary})
		}
	case len(args) == 1 && args[0] == "groups":
		for _, g := range t.Groups() {
			list = append(list, Candidate{Text: g.Name})
		}
	}
	return list
}
