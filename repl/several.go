package repl

import (
	"context"
	"fmt"
	"strings"
)

// several runs a text of several lines, up to the first that fails. Each line
// is read as if it were typed, but for commands whose quotes go over lines,
// and for a Verbatim mode: there the text belongs together from the first bare
// line on.
func (k *keyboard) several(ctx context.Context, text string, confirmed bool) error {
	if n := k.bareLines(text); n > 0 && !confirmed {
		k.held = text
		k.r.Print(askSeveral(n))
		return nil
	}
	for text != "" {
		line := k.first(text)
		text = strings.TrimPrefix(text[len(line):], "\n")
		k.failed = false
		if err := k.single(ctx, line, true); err != nil {
			return err
		}
		if k.failed {
			if left := notRun(text); left != "" {
				k.r.Print(left)
			}
			return nil
		}
	}
	return nil
}

// first is the part of text that is to be read as one.
func (k *keyboard) first(text string) string {
	mode := k.s.Mode()
	if mode.Run == nil || isCommand(strings.TrimLeft(firstLine(text), " \t")) {
		return k.s.commandLine(text)
	}
	if mode.Verbatim {
		return text
	}
	return firstLine(text)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// commandLine is text up to the first line break that is not in quotes. A
// quote without an end goes no further than its line.
func (s *Shell) commandLine(text string) string {
	x := lexer{src: text}
	for x.statementBegins() {
		w := x.word()
		if c, err := s.Table().Match(strings.TrimPrefix(w.text, "/")); err == nil && c.Raw {
			break
		}
		for x.wordBegins() {
			w = x.word()
		}
		if w.open != 0 {
			return firstLine(text)
		}
	}
	return text[:x.pos] + firstLine(text[x.pos:])
}

// bareLines counts the lines of text, which is not Verbatim, that are no
// commands.
func (k *keyboard) bareLines(text string) int {
	n := 0
	mode := k.s.Mode()
	for text != "" && mode.Run != nil && !mode.Verbatim {
		line := k.first(text)
		text = strings.TrimPrefix(text[len(line):], "\n")
		if strings.TrimSpace(line) != "" && !isCommand(strings.TrimLeft(line, " \t")) {
			n++
		}
	}
	return n
}

// askSeveral asks back about n lines that everybody would see.
func askSeveral(n int) string {
	if n == 1 {
		return "send 1 line? press Enter again"
	}
	return fmt.Sprintf("send %d lines, one by one? press Enter again", n)
}

// notRun says how many lines a failure has left.
func notRun(text string) string {
	n := 0
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			n++
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return "(1 line after it was not run)"
	}
	return fmt.Sprintf("(%d lines after it were not run)", n)
}
