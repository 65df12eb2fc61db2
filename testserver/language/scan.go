package language

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// item is a part of a file that stands on lines of its own, or in a block:
// a statement with its block, a comment, or a blank line.
type item struct {
	pos     Pos
	text    string // of a statement, without comment and block; empty for none
	comment string // "# ..." behind it on its line, or alone; without one and without text it is a blank line
	block   *block
	shape   shape
}

// block is what stands between braces.
type block struct {
	pos    Pos // of "{"
	items  []item
	lines  int    // that it goes over; 1 if it begins and ends on one line
	indent int    // column in which the line of "{" begins
	after  string // the comment behind "}"
}

// The bounds of a file.
const (
	maxSource = 1 << 20  // bytes of a file
	maxLine   = 64 << 10 // bytes of a line
	maxDepth  = 32       // blocks in blocks
)

// scanner takes the text of a file in the full form apart, down to its
// statements.
type scanner struct {
	file    string
	errs    *errorList
	root    *block
	open    []*block // the root, and the blocks that are open
	ended   *block   // the last one that was closed
	endPos  Pos
	crooked *ending // the first one whose brace is not below its statement
	last    int     // line that is not blank
}

// ending is where a block is closed.
type ending struct {
	block *block
	pos   Pos
}

// scan reads the lines of a file into a block. ok is false if the braces are
// wrong.
func scan(file, text string, errs *errorList) (root *block, ok bool) {
	before := len(errs.all)
	s := &scanner{file: file, errs: errs, root: &block{}}
	s.open = []*block{s.root}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		if errs.full() {
			break
		}
		s.line(n, strings.TrimRight(line, " \t\r"))
	}
	for _, b := range s.open[1:] {
		hint := ""
		if c := s.crooked; c != nil && c.block.pos.Line > b.pos.Line {
			hint = fmt.Sprintf("; the } on line %d, which closes the block of line %d, may be meant for it", c.pos.Line, c.block.pos.Line)
		}
		errs.add(b.pos, "the block that begins here is not closed: a } is missing by the end of the file, line %d%s", s.last, hint)
	}
	return s.root, len(errs.all) == before
}

// at is the place of a byte of a line.
func (s *scanner) at(n int, line string, offset int) Pos {
	return Pos{s.file, n, 1 + utf8.RuneCountInString(line[:offset])}
}

func (s *scanner) add(it item) *item {
	b := s.open[len(s.open)-1]
	b.items = append(b.items, it)
	return &b.items[len(b.items)-1]
}

// line reads one line: statements, the braces around them, a comment.
func (s *scanner) line(n int, line string) {
	if len(line) > maxLine {
		s.errs.add(Pos{s.file, n, 1}, "the line has %d bytes, at most %d are allowed", len(line), maxLine)
		return
	}
	if line != "" {
		s.last = n
	}
	opened, closed := 0, false
	var last *string // where a comment goes that comes next
	for at := skipBlanks(line, 0); at < len(line); at = skipBlanks(line, at) {
		pos := s.at(n, line, at)
		switch {
		case line[at] == '#':
			if last == nil {
				s.add(item{pos: pos, comment: line[at:]})
			} else {
				*last = line[at:]
			}
			return
		case line[at] == '}':
			last = s.closeBlock(pos, at == skipBlanks(line, 0))
			opened, closed = max(0, opened-1), true
			at++
		case closed:
			s.errs.add(pos, "begin a new line after }")
			return
		case line[at] == '{':
			s.errs.add(pos, "a { stands at the end of the line of its statement, as in `par {`")
			return
		default:
			var block bool
			last, at, block = s.statement(n, line, at, opened)
			if block {
				opened++
			}
		}
	}
	if skipBlanks(line, 0) == len(line) {
		s.add(item{pos: Pos{s.file, n, 1}})
	}
}

// statement reads a statement, and the brace behind it if one opens. It
// returns where a comment behind it goes, and where the line goes on.
func (s *scanner) statement(n int, line string, at, opened int) (comment *string, end int, opens bool) {
	text := line[at:]
	sh := shapeOf(text)
	if sh.raw >= 0 {
		sh.end = rawEnd(text, sh.raw, opened)
	}
	end = at + sh.end
	text = strings.TrimRight(text[:sh.end], " \t")
	it := s.add(item{pos: s.at(n, line, at), text: text, shape: shapeOf(text)})
	if end == len(line) || line[end] != '{' {
		return &it.comment, end, false
	}
	it.block = &block{pos: s.at(n, line, end), indent: 1 + skipBlanks(line, 0)}
	if len(s.open) > maxDepth {
		s.errs.add(it.block.pos, "blocks are nested more than %d deep", maxDepth)
	}
	s.open = append(s.open, it.block)
	return &it.comment, end + 1, true
}

// rawEnd finds where text that is taken as it is ends: before the closing
// braces of the blocks that were opened on the same line, behind which there
// may be a comment.
func rawEnd(text string, from, opened int) int {
	end := len(text)
	if last := strings.LastIndexByte(text, '}'); opened > 0 && last > from {
		if behind := text[last+1:]; strings.HasPrefix(strings.TrimLeft(behind, " \t"), "#") && blank(behind[0]) {
			end = last + 1
		}
	}
	whole := end
	for ; opened > 0 && end > from; opened-- {
		shorter, ok := strings.CutSuffix(strings.TrimRight(text[:end], " \t"), "}")
		if !ok || shorter == "" || !blank(shorter[len(shorter)-1]) {
			break
		}
		end = max(from, len(shorter))
	}
	if end == whole {
		return len(text) // no brace: the comment is text too
	}
	return end
}

// closeBlock ends the innermost block and returns where a comment behind the
// brace goes. first tells that the brace begins its line.
func (s *scanner) closeBlock(pos Pos, first bool) *string {
	if len(s.open) == 1 {
		if s.ended == nil {
			s.errs.add(pos, "this } closes nothing: no block is open")
		} else {
			s.errs.add(pos, "this } closes nothing: the last block, begun on line %d, was closed on line %d", s.ended.pos.Line, s.endPos.Line)
		}
		return new(string)
	}
	b := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	b.lines = 1 + pos.Line - b.pos.Line
	s.ended, s.endPos = b, pos
	if first && pos.Col != b.indent && s.crooked == nil {
		s.crooked = &ending{b, pos}
	}
	return &b.after
}
