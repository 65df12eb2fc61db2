package language

import (
	"regexp"
	"strings"
)

// self is the variable that stands for the name of each target.
const self = "self"

var (
	validVariable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	variableAt    = regexp.MustCompile(`^\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})`)
)

// Expand puts values in the place of variables: of $NAME and ${NAME}. "$$"
// becomes "$". A variable without a value, and any other dollar sign, stays
// as it is.
func Expand(text string, vars map[string]string) string {
	return expand(text, func(part, name string) string {
		if name == "" {
			return "$"
		}
		if value, ok := vars[name]; ok {
			return value
		}
		return part
	})
}

// expand puts what with returns in the place of each variable in a text, and
// of each "$$", for which name is empty. part is how it stands in the text.
func expand(text string, with func(part, name string) string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 {
			break
		}
		b.WriteString(text[:i])
		text = text[i:]
		part := variableAt.FindString(text)
		switch {
		case strings.HasPrefix(text, "$$"):
			part = "$$"
			b.WriteString(with(part, ""))
		case part == "":
			part = "$"
			b.WriteString(part)
		default:
			b.WriteString(with(part, strings.Trim(part, "${}")))
		}
		text = text[len(part):]
	}
	b.WriteString(text)
	return b.String()
}

// doubled is a text that Expand makes into this one.
func doubled(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// groupNames are the variables that an expression defines: its named groups.
func groupNames(t Term) []string {
	if t.Kind != Regexp {
		return nil
	}
	re, err := regexp.Compile(t.Text)
	if err != nil {
		return nil
	}
	var names []string
	for _, name := range re.SubexpNames() {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Resolve puts values in the place of the variables of a deferred statement,
// and returns it with its Do; its body stays as it is. A statement that is not
// deferred comes back unchanged. The error is an *Error: a variable has no
// value, or the value does not fit where it stands.
//
// It may be called by several goroutines at once.
func Resolve(s *Script, st Statement, vars map[string]string) (Statement, error) {
	if !st.Deferred {
		return st, nil
	}
	lookup := func(name string) (string, bool, bool) {
		value, ok := vars[name]
		return value, true, ok
	}
	r := &reader{pos: st.Pos, text: st.Text, names: namesOf(s), vars: lookup}
	st.Do = r.read().withBlock(st.Body != nil).Do
	if r.wrong != nil {
		return st, r.wrong
	}
	st.Deferred = false
	return st, nil
}
