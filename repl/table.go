package repl

import (
	"fmt"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSummary is the widest Summary, in characters: with the name beside it a
// line of help still fits a screen of 80 columns.
const maxSummary = 60

// Table is the set of a shell's commands. It does not change after NewTable,
// and may be used from several goroutines.
type Table struct {
	words    map[string]*Command // names and aliases
	sorted   []string            // the keys of words
	commands []*Command          // in the order in which they were given
}

// Group is one heading of the help, with its commands.
type Group struct {
	Name     string
	Commands []*Command // in the order of the table; not to be modified
}

// NewTable makes a table. It refuses a command that lacks its name, group,
// summary or Run, whose bounds cannot be met, or one of whose names is taken.
func NewTable(cmds ...Command) (*Table, error) {
	t := &Table{words: make(map[string]*Command)}
	for _, c := range cmds {
		if err := t.add(&c); err != nil {
			return nil, err
		}
	}
	sort.Strings(t.sorted)
	return t, nil
}

func (t *Table) add(c *Command) error {
	if err := checkCommand(c); err != nil {
		return err
	}
	for _, w := range append([]string{c.Name}, c.Aliases...) {
		if err := checkName(w); err != nil {
			return fmt.Errorf("command %q: %w", c.Name, err)
		}
		if other, taken := t.words[w]; taken {
			return fmt.Errorf("command %q: the name %q is taken by command %q", c.Name, w, other.Name)
		}
		t.words[w] = c
		t.sorted = append(t.sorted, w)
	}
	t.commands = append(t.commands, c)
	return nil
}

func checkCommand(c *Command) error {
	problem := ""
	switch {
	case c.Group == "":
		problem = "has no group"
	case strings.TrimSpace(c.Summary) == "":
		problem = "has no summary"
	case strings.Contains(c.Summary, "\n"):
		problem = "has a summary of more than one line"
	case utf8.RuneCountInString(c.Summary) > maxSummary:
		problem = fmt.Sprintf("has a summary of more than %d columns", maxSummary)
	case c.Run == nil:
		problem = "has no Run"
	case c.MinArgs < 0, c.MaxArgs < Any:
		problem = "has negative bounds"
	case c.Raw && c.MinArgs > 1:
		problem = "is raw and can take one argument at most"
	case c.Raw && c.Query:
		problem = "is raw and cannot take --json"
	case !c.Raw && c.MaxArgs != Any && c.MaxArgs < c.MinArgs:
		problem = "takes fewer arguments than it needs"
	default:
		return nil
	}
	return fmt.Errorf("command %q %s", c.Name, problem)
}

// checkName refuses names that could not be typed as one plain word.
func checkName(name string) error {
	if name == "" {
		return fmt.Errorf("empty name")
	}
	for i, r := range name {
		switch {
		case unicode.IsSpace(r), unicode.IsUpper(r), !unicode.IsPrint(r),
			strings.ContainsRune(`;'"\`, r), i == 0 && (r == '/' || r == '#' || r == '-'):
			return fmt.Errorf("%q is not a plain lower-case word", name)
		}
	}
	return nil
}

// Commands returns all commands in the order in which they were given. They
// must not be modified.
func (t *Table) Commands() []*Command {
	return append([]*Command(nil), t.commands...)
}

// Lookup finds the command whose name or alias is exactly word.
func (t *Table) Lookup(word string) (*Command, bool) {
	c, ok := t.words[word]
	return c, ok
}

// Match finds the command that a person means by word: its name, an alias, or
// a prefix that begins the names of one command only. The error matches
// ErrUnknown and names what comes near.
func (t *Table) Match(word string) (*Command, error) {
	if c, ok := t.words[word]; ok {
		return c, nil
	}
	names := t.withPrefix(word)
	if len(names) == 0 || word == "" {
		return nil, t.unknown(word)
	}
	first := t.words[names[0]]
	for _, n := range names[1:] {
		if t.words[n] != first {
			return nil, fmt.Errorf("%w %q: it could be %s", ErrUnknown, word, few(names, 6))
		}
	}
	return first, nil
}

func (t *Table) unknown(word string) error {
	if near := t.Nearest(word); near != "" {
		return fmt.Errorf("%w %q: did you mean %s?", ErrUnknown, word, near)
	}
	return fmt.Errorf("%w %q: /help lists them", ErrUnknown, word)
}

// withPrefix returns the names and aliases that begin with prefix, sorted.
func (t *Table) withPrefix(prefix string) []string {
	from := sort.SearchStrings(t.sorted, prefix)
	to := from
	for to < len(t.sorted) && strings.HasPrefix(t.sorted[to], prefix) {
		to++
	}
	return t.sorted[from:to]
}

// Groups returns the groups in order of first appearance.
func (t *Table) Groups() []Group {
	var groups []Group
	index := make(map[string]int)
	for _, c := range t.commands {
		i, ok := index[c.Group]
		if !ok {
			i = len(groups)
			index[c.Group] = i
			groups = append(groups, Group{Name: c.Group})
		}
		groups[i].Commands = append(groups[i].Commands, c)
	}
	return groups
}

// Nearest returns the name or alias that is most like word: one that it is a
// prefix of, or one that a typing slip or two away. It is empty if none is.
func (t *Table) Nearest(word string) string {
	return nearest(strings.ToLower(word), t.sorted)
}

// few lists at most n of the names.
func few(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s or %d more", strings.Join(names[:n], ", "), len(names)-n)
}
