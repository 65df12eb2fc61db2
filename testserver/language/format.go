package language

import (
	"slices"
	"strings"
)

// Format lays a scenario out in the canonical way: blocks indented by two
// blanks, one blank between words, at most one blank line. Comments, texts,
// lines for shells and attached files stay as they are. What it returns says
// the same as source, and formatting it again changes nothing. The error is
// that of Parse, without the name of a file.
func Format(source []byte) ([]byte, error) {
	if _, err := Parse("", source); err != nil {
		return nil, err
	}
	whole := strings.TrimPrefix(string(source), "\ufeff")
	text, _ := splitFiles(whole)
	f := &formatter{}
	if declaresPeers(text) {
		root, _ := scan("", text, &errorList{})
		f.block(root, "")
	} else {
		f.original(text)
	}
	if attached := whole[len(text):]; attached != "" {
		if f.out.Len() > 0 {
			f.out.WriteString("\n")
		}
		f.out.WriteString(attached)
	}
	return []byte(f.out.String()), nil
}

// String is the statement in canonical form, without its body and comment.
func (s Statement) String() string { return canonical(s.Text) }

// Walk visits statements and, where visit returns true, those of their
// bodies, in the order of the file.
func Walk(body []Statement, visit func(*Statement) bool) {
	for i := range body {
		if visit(&body[i]) {
			Walk(body[i].Body, visit)
		}
	}
}

// formatter writes a file in canonical form.
type formatter struct {
	out   strings.Builder
	blank bool // a blank line is due before the next line
	begun bool // something was written in this block
}

// line writes a line with its comment.
func (f *formatter) line(indent, text, comment string) {
	if f.blank && f.begun {
		f.out.WriteString("\n")
	}
	f.blank, f.begun = false, true
	f.out.WriteString(indent + text)
	if comment = strings.TrimRight(comment, " \t\r"); comment != "" {
		if text != "" {
			f.out.WriteString(" ")
		}
		f.out.WriteString(comment)
	}
	f.out.WriteString("\n")
}

func (f *formatter) block(b *block, indent string) {
	f.blank, f.begun = false, false
	for _, it := range b.items {
		switch {
		case it.text == "" && it.comment == "":
			f.blank = true
		case it.text == "":
			f.line(indent, "", it.comment)
		case it.block == nil:
			f.line(indent, canonical(it.text), it.comment)
		case onOneLine(it):
			f.line(indent, oneLine(it), it.block.after)
		default:
			f.line(indent, canonical(it.text)+" {", it.comment)
			f.block(it.block, indent+"  ")
			f.blank = false
			f.line(indent, "}", it.block.after)
		}
	}
}

// onOneLine tells whether a statement and its block begin and end on one
// line.
func onOneLine(it item) bool { return it.block == nil || it.block.lines == 1 }

// oneLine is a statement that begins and ends on one line, with its block.
func oneLine(it item) string {
	if it.block == nil {
		return canonical(it.text)
	}
	parts := []string{canonical(it.text), "{"}
	for _, in := range it.block.items { // not more than one: each needs a line
		parts = append(parts, oneLine(in))
	}
	return strings.Join(append(parts, "}"), " ")
}

// original writes a text of the original form.
func (f *formatter) original(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Trim(line, " \t\r")
		switch {
		case line == "":
			f.blank = true
		case line[0] == '#':
			f.line("", "", line)
		default:
			peer, rest := splitWord(line)
			f.line("", peer+" "+rest, "")
		}
	}
}

// canonical is the text of a statement with one blank between its words. What
// it cannot take apart it leaves as it is.
func canonical(text string) string {
	sh := shapeOf(text)
	parts := canonicalPrefixes(&sh, text)
	switch {
	case sh.inner > 0:
		name := strings.TrimSuffix(strings.TrimSpace(text[sh.body:sh.inner]), ":")
		return strings.Join(append(parts, "bg", strings.TrimSpace(name)+":", canonical(text[sh.inner:])), " ")
	case sh.let != "":
		parts = append(parts, "let", sh.let, "=")
	}
	if sh.target.to > sh.target.from {
		parts = append(parts, canonicalTargets(withoutBlanks(sh.target.of(text))))
	}
	if sh.isCommand() {
		return strings.Join(append(parts, text[sh.body:]), " ")
	}
	all, _, wrong := tokens(text, span{sh.body, len(text)})
	if wrong != "" {
		return text
	}
	parts = append(parts, sh.word)
	for _, t := range all {
		if t.kind == wordToken {
			parts = append(parts, canonicalTargets(t.text))
		} else {
			parts = append(parts, t.of(text))
		}
	}
	return strings.Join(parts, " ")
}

// canonicalPrefixes are conditions, then "!" or "?", then "$".
func canonicalPrefixes(sh *shape, text string) []string {
	var parts []string
	for _, p := range sh.prefixes {
		part := p.of(text)
		if part[0] == '[' {
			part = "[" + strings.Join(strings.Fields(strings.Trim(part, "[]")), " ") + "]"
		}
		parts = append(parts, part)
	}
	rank := func(part string) int { return strings.Index("[!?$", part[:1]) }
	slices.SortStableFunc(parts, func(a, b string) int { return rank(a) - rank(b) })
	return parts
}

// canonicalTargets are targets with one blank after the number of any(2, all).
func canonicalTargets(text string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, "any(")
		if i < 0 {
			break
		}
		i += strings.Index(text[i:]+",", ",") + 1
		b.WriteString(text[:min(i, len(text))])
		text = text[min(i, len(text)):]
		if text != "" {
			b.WriteString(" ")
		}
	}
	return b.String() + text
}
