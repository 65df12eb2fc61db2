package suite

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/peerlab/peerlab/testserver/language"
)

// Source is a script as the text of one file, with all that was put together
// in it. It says the same as the files that the script was read from, but for
// what they say of skipping and of expected failures.
func Source(s *language.Script) string {
	p := &printer{}
	if !s.Original {
		p.line("", "peers "+strings.Join(ranges(s.Peers), " "))
		if s.Timeout != language.DefaultTimeout {
			p.line("", "timeout "+s.Timeout.String())
		}
		for _, g := range s.Groups {
			p.line("", "group "+g.Name+" = "+strings.Join(ranges(g.Peers), ","))
		}
		p.line("", "")
	}
	p.body("", s.Body)
	if len(s.Cleanup) > 0 {
		p.line("", "cleanup {")
		p.body("  ", s.Cleanup)
		p.line("", "}")
	}
	for _, f := range s.Files {
		fmt.Fprintf(p, "-- %s --\n%s", f.Name, f.Data)
	}
	return p.String()
}

type printer struct{ strings.Builder }

func (p *printer) line(indent, text string) { p.WriteString(indent + text + "\n") }

func (p *printer) body(indent string, body []language.Statement) {
	for _, st := range body {
		if st.Inserted {
			continue
		}
		for _, c := range st.Comment {
			p.line(indent, strings.TrimRight("# "+c, " "))
		}
		block := *inner(&st)
		if block == nil {
			p.line(indent, st.Text)
			continue
		}
		p.line(indent, st.Text+" {")
		p.body(indent+"  ", block)
		p.line(indent, "}")
	}
}

// inner is the block that stands in braces behind the statement's text; nil
// for none. What "bg NAME:" runs belongs to the text, its block does not.
func inner(st *language.Statement) *[]language.Statement {
	if isBackground(st) {
		return inner(&st.Body[0])
	}
	return &st.Body
}

func isBackground(st *language.Statement) bool {
	if len(st.Body) != 1 {
		return false
	}
	in := st.Body[0]
	return in.Pos.Line == st.Pos.Line && in.Pos.Col > st.Pos.Col && strings.HasSuffix(st.Text, in.Text)
}

var numbered = regexp.MustCompile(`^([a-z][a-z0-9_-]*?)(0|[1-9][0-9]{0,6})$`)

// ranges writes names shorter: p1, p2, p3 as p[1..3]. Their order stays.
func ranges(names []string) []string {
	var all []string
	for i := 0; i < len(names); {
		n := run(names[i:])
		if n < 3 {
			all, i = append(all, names[i]), i+1
			continue
		}
		m := numbered.FindStringSubmatch(names[i])
		last := numbered.FindStringSubmatch(names[i+n-1])
		all, i = append(all, fmt.Sprintf("%s[%s..%s]", m[1], m[2], last[2])), i+n
	}
	return all
}

// run is how many names, from the first one on, are numbered one after
// another.
func run(names []string) int {
	first := numbered.FindStringSubmatch(names[0])
	if first == nil {
		return 1
	}
	from, _ := strconv.Atoi(first[2])
	n := 1
	for n < len(names) && names[n] == first[1]+strconv.Itoa(from+n) {
		n++
	}
	return n
}

var (
	listed    = regexp.MustCompile(`^[a-z][a-z0-9_-]*(\[\d{1,7}\.\.\d{1,7}\])?$`)
	nameRange = regexp.MustCompile(`^([a-z][a-z0-9_-]*)\[(\d{1,7})\.\.(\d{1,7})\]$`)
	word      = regexp.MustCompile(`[a-zA-Z0-9_-]+`)
	field     = regexp.MustCompile(`\S+`)
)

// without is a text without some peers. Lists lose them; ok is false if one is
// named otherwise, or alone.
func without(text string, gone map[string]bool) (rest string, ok bool) {
	ok = true
	rest = field.ReplaceAllStringFunc(text, func(f string) string {
		parts := strings.Split(f, ",")
		if slices.ContainsFunc(parts, func(p string) bool { return !listed.MatchString(p) }) {
			ok = ok && !slices.ContainsFunc(word.FindAllString(f, -1), func(w string) bool { return gone[w] })
			return f
		}
		left := remaining(parts, gone)
		ok = ok && len(left) > 0
		return strings.Join(left, ",")
	})
	return rest, ok
}

// remaining are the names and ranges of a list without those that are gone.
func remaining(parts []string, gone map[string]bool) []string {
	var left []string
	for _, p := range parts {
		m := nameRange.FindStringSubmatch(p)
		if m == nil {
			if !gone[p] {
				left = append(left, p)
			}
			continue
		}
		from, _ := strconv.Atoi(m[2])
		to, _ := strconv.Atoi(m[3])
		var names []string
		for n := from; n <= to && n-from < 10_000; n++ {
			if name := fmt.Sprintf("%s%0*d", m[1], len(m[2]), n); !gone[name] {
				names = append(names, name)
			}
		}
		if len(names) == to-from+1 {
			left = append(left, p)
			continue
		}
		left = append(left, ranges(names)...)
	}
	return left
}
