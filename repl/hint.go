package repl

import "strings"

// Hint is what could follow a line at the keyboard, for a reader to show after
// the cursor: the rest of a command's name that is clear already, and its
// arguments as its usage line names them; for bare text what the mode says. It
// is empty inside a word, and where there is no more to say.
func (s *Shell) Hint(line string) string {
	mode := s.Mode()
	switch bare := mode.Run != nil && !isCommand(strings.TrimLeft(line, " \t")); {
	case bare && mode.Hint != nil:
		return mode.Hint(line)
	case bare, strings.Contains(line, "\n"):
		return ""
	}
	x := lexer{src: line}
	for x.statementBegins() {
		name := x.word()
		c, err := s.Table().Match(strings.TrimPrefix(name.text, "/"))
		switch {
		case err != nil:
			return ""
		case x.pos == len(line):
			return hintName(c, strings.TrimPrefix(name.text, "/"))
		case c.Raw:
			return hintText(c, line[x.pos:])
		}
		given := 0
		for x.wordBegins() {
			if x.word(); x.pos == len(line) {
				return ""
			}
			given++
		}
		if x.pos == len(line) {
			return hintArgs(c, given)
		}
	}
	return ""
}

// hintName goes on where a name ends that is typed in part, or as a whole.
func hintName(c *Command, typed string) string {
	rest := strings.TrimPrefix(c.Name, typed)
	if rest == c.Name {
		rest = "" // an alias
	}
	if c.Usage == "" {
		return rest
	}
	return rest + " " + c.Usage
}

func hintText(c *Command, typed string) string {
	switch text := strings.TrimLeft(typed, " \t"); {
	case typed == " ":
		return c.Usage
	case c.HintText != nil && text != "":
		return c.HintText(text)
	}
	return ""
}

// hintArgs is the usage without the arguments that are given. A usage with
// choices is shown only as a whole.
func hintArgs(c *Command, given int) string {
	words := strings.Fields(c.Usage)
	switch {
	case given == 0:
		return c.Usage
	case given >= len(words), strings.ContainsAny(c.Usage, "[]|."):
		return ""
	}
	return strings.Join(words[given:], " ")
}
