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
		Help:     "\thelp groups       the groups, and how many commands each has\n\thelp groups cli   the commands of a group\n\thelp commands     all commands\n\thelp sleep        one command",
		Complete: func(args []string) []Candidate { return s.Table().topics(args) },
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
		return s.Table().overview(s.cfg.Intro, s.slash(keyboard)), nil
	case args[0] == "groups" && len(args) == 2:
		return s.Table().groupHelp(args[1])
	case len(args) == 2:
		return "", Usagef("%d too many arguments", 1)
	case args[0] == "groups":
		return s.Table().groupList(), nil
	case args[0] == "commands":
		return s.Table().allHelp(), nil
	}
	return s.Table().topic(strings.TrimPrefix(args[0], "/"), keyboard)
}

// slash is how a command begins: at a keyboard whose bare lines are something
// else, with a slash.
func (s *Shell) slash(keyboard bool) string {
	if keyboard && s.Mode().Run != nil {
		return "/"
	}
	return ""
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
// slash is how a command begins where it is read. What would be too tall loses
// its blank lines first, and then, as long as it must, the last commands of
// the tallest group.
func (t *Table) overview(intro []string, slash string) string {
	foot := fmt.Sprintf("%shelp COMMAND, %shelp groups [GROUP] and %shelp commands say more.", slash, slash, slash)
	groups := t.Groups()
	column := 0
	for _, g := range groups {
		column = max(column, len(g.Name)+4)
	}
	var bodies [][]string
	height := len(intro) + 1
	for _, g := range groups {
		lines := wrapWords(g.names(), screenWidth-column)
		bodies = append(bodies, lines)
		height += len(lines)
	}
	blank := "\n"
	if height+2 >= screenHeight {
		blank = ""
	}
	for height >= screenHeight {
		i := tallest(bodies)
		if len(bodies[i]) == 1 {
			break
		}
		bodies[i] = cutWords(groups[i].names(), screenWidth-column, len(bodies[i])-1)
		height--
	}
	head := ""
	if len(intro) > 0 {
		head = strings.Join(intro, "\n") + "\n" + blank
	}
	return head + inGroups(groups, bodies, column) + blank + foot + "\n"
}

// tallest is the index of the body with the most lines.
func tallest(bodies [][]string) int {
	best := 0
	for i, b := range bodies {
		if len(b) > len(bodies[best]) {
			best = i
		}
	}
	return best
}

// inGroups puts the names of groups before their bodies.
func inGroups(groups []Group, bodies [][]string, column int) string {
	var b strings.Builder
	for i, g := range groups {
		name := g.Name
		for _, line := range bodies[i] {
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

// cutWords fills that many lines, and says how many words did not fit.
func cutWords(words []string, width, lines int) []string {
	const more = len(" +100")
	cut := wrapWords(words, width)[:lines-1]
	taken := len(strings.Fields(strings.Join(cut, " ")))
	last := wrapWords(words[taken:], width-more)[0]
	if left := len(words) - taken - len(strings.Fields(last)); left > 0 {
		last += fmt.Sprintf(" +%d", left)
	}
	return append(cut, last)
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
