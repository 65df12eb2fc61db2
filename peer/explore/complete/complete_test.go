package complete_test

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/check/checktest"
	"github.com/peerlab/peerlab/peer/explore/complete"
)

var exports = checktest.Exports(check.ErrNotLoaded, "fmt", "net/url", "strings", "time")

func session(t testing.TB) *check.Session {
	t.Helper()
	e := exports(t)
	s, err := check.New(check.Config{
		Packages: e, Open: e.Open,
		Imports: map[string]string{"fmt": "fmt", "strings": "strings", "time": "time", "url": "net/url"},
		Bound:   map[string]reflect.Type{"link": reflect.TypeFor[*url.URL](), "wait": reflect.TypeFor[func(time.Duration, ...string) error](), "pause": reflect.TypeFor[time.Duration]()},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, src := range []string{"type pair struct { left, Right int; *strings.Builder }", "func (p pair) swap() pair { return pair{p.Right, p.left, nil} }", "var both pair", "count := 3", "func twice(n int) int { return 2 * n }", "func isSpace(r rune) bool { return r == 32 }"} {
		in, err := s.Parse(i+1, src)
		if err != nil {
			t.Fatal(err)
		}
		line, err := s.Check(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range line.Units {
			s.Commit(u)
		}
	}
	s.BindType(check.LastName, s.Lookup("pause").Object.Type())
	return s
}

func TestAt(t *testing.T) {
	s := session(t)
	for _, test := range []struct {
		name, text string // the cursor is at "|", or at the end
		want       string // candidates that must be there, in that order, with "=" and their help
		not        string // that must not
		start      int
	}{
		{"a package", "str|", "string strings=package struct=keyword", "fmt", 0},
		{"members of a package", "strings.Sp", "Split=func(s SplitAfter SplitN", "TrimSpace", 8},
		{"ignoring case", "strings.spl", "Split SplitN SplitSeq", "Trim", 8},
		{"a method", "link.Po", "Port=func()", "Host", 5},
		{"fields and methods", "link.", "Host=string Port String User=*url.Userinfo", "setPath", 5},
		{"a chain of calls", "link.User.Pass", "Password=func()", "", 10},
		{"the result of a call", "time.Now().Ye", "Year=func() YearDay", "wall", 11},
		{"lower-case members of the session", "both.", "left=int swap=func()", "buf", 5},
		{"promoted ones", "both.Wri", "WriteByte WriteRune WriteString", "", 5},
		{"locals", "for _, part := range strings.Fields(\"a\") { pa", "package=keyword pair panic=builtin part=string pause", "", 43},
		{"members of locals", "if u, err := url.Parse(\"x\"); err == nil { u.Ho", "Host=string Hostname", "", 44},
		{"within a function", "func f(u *url.URL) string { return u.Sch", "Scheme=string", "", 37},
		{"within a method", "func (p pair) sum() int { return p.le", "left=int", "", 35},
		{"within a literal", "func(p pair) int { return p.le", "left=int", "", 28},
		{"parameters", "func f(user *url.URL) string { return us", "user=*url.URL", "", 38},
		{"what fits first", "wait(", "pause=time.Duration append=builtin", "", 5},
		{"variadic", "wait(pause, link.", "EscapedPath Fragment AppendBinary", "", 17},
		{"in the middle", "link.Po| + 1", "Port", "", 5},
		{"in an index", "[]string{\"a\"}[cou", "count=int", "", 14},
		{"several statements", "x := link; x.Sch", "Scheme=string", "", 13},
		{"a function of the session", "twi", "twice=func(n", "", 0},
		{"a list of values", "count, link.Ho", "Host=string Hostname", "", 12},
		{"after go", "go link.Por", "Port=func()", "", 8},
		{"after defer", "defer twi", "twice=func(n", "", 6},
		{"what comes back from a call", "go func() { defer twice(link.Por", "Port", "", 29},
		{"deeper within calls", "for { go func(n int) { if n > 0 { defer func() { link.Por", "Port", "", 54},
		{"the last value", "_.Ab", "Abs", "", 2},
		{"the last value, within", "twice(len(_.Str", "String=func()", "", 12},
		{"a blank", "for _, x := range \"a\" { _ = x; cou", "count=int", "", 31},
		{"fields of a literal", "url.URL{Ho", "Host=string", "Hostname", 8},
		{"all fields of a literal", "pair{", "Builder=*strings.Builder Right=int left=int any=type", "", 5},
		{"more fields of a literal", "&url.URL{Host: \"a\", Pa", "Path=string", "", 20},
		{"fields of a literal in a list", "[]*url.URL{{Ho", "Host=string", "Hostname", 12},
		{"values of a literal", "url.URL{Host: li", "link=*url.URL", "Host", 14},
		{"values without fields", "url.URL{\"http\", li", "link=*url.URL", "Host", 16},
		{"elements", "[]string{li", "link", "Host", 9},
		{"within a string", "\"link.", "", "Host", 6},
		{"within a comment", "1 // li", "", "link", 7},
		{"nonsense", ")(", "", "Host", 2},
		{"nothing known", "what.", "", "Host", 5},
		{"nothing typed", "", "both count link", check.Mark, 0},
		{"letters of several bytes", "\"é\" + str", "strings", "", 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, pos := test.text, len(test.text)
			if i := strings.Index(text, "|"); i >= 0 {
				text, pos = strings.Replace(text, "|", "", 1), i
			}
			got, start := complete.At(s, text, pos)
			if start != test.start {
				t.Errorf("begins at %d, want %d", start, test.start)
			}
			at := -1
			for _, want := range strings.Split(test.want, " ") {
				at = expect(t, got, want, at)
			}
			if i := slices.IndexFunc(got, func(c complete.Candidate) bool { return test.not != "" && strings.HasPrefix(c.Text, test.not) }); i >= 0 {
				t.Errorf("proposes %v", got[i])
			}
		})
	}
}

// expect finds "name" or "name=beginning of its help" after index at.
func expect(t *testing.T, got []complete.Candidate, want string, at int) int {
	t.Helper()
	name, help, _ := strings.Cut(want, "=")
	i := slices.IndexFunc(got, func(c complete.Candidate) bool { return c.Text == name })
	switch {
	case want == "":
		return at
	case i <= at:
		t.Errorf("%s is at %d of %v, want it after %d", name, i, got, at)
	case !strings.HasPrefix(got[i].Help, help):
		t.Errorf("%s is %q, want %q", name, got[i].Help, help)
	}
	return max(i, at)
}

func TestDescribe(t *testing.T) {
	s := session(t)
	for src, want := range map[string]string{
		"link.Port()": "string", "count + 1": "int", "both.left": "int", "url.URL{}.Host": "string",
		"both": "pair; Cap() int, Grow(n int)", "link.User": "*url.Userinfo; Password() (string, bool), String() string, Username() string",
		"time.Second": "const time.Duration = 1000000000; Abs() time.Duration, Hours() float64", "time.Duration": "type time.Duration int64; Abs() time.Duration", "error": "type error interface{Error() string}",
		"_": "time.Duration; Abs() time.Duration", "_.Hours() + 1": "float64", "len": "builtin len", "strings": "package strings", "strings.Split": "func(s string, sep string) []string", "int": "type int", "both.swap()": "pair; Cap() int",
		"link.Nothing": "!link.Nothing undefined", "1 +": "!want an expression", "nope": "!undefined: nope",
	} {
		d, err := complete.Describe(s, src)
		got := d.Type
		if len(d.Methods) > 0 {
			got += "; " + strings.Join(d.Methods, ", ")
		}
		if wrong, ok := strings.CutPrefix(want, "!"); ok {
			if err == nil || !strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %q, %v, want one line with %q", src, got, err, wrong)
			}
		} else if err != nil || got != want && !(strings.Contains(want, ";") && strings.HasPrefix(got, want)) {
			t.Errorf("%s: %q, %v, want %q", src, got, err, want)
		}
	}
}

func TestRest(t *testing.T) {
	s := session(t)
	for text, want := range map[string]string{
		"strings.Split(":                      "s string, sep string) []string",
		"strings.Split(lin":                   ", sep string) []string",
		"strings.Split(link.":                 ", sep string) []string",
		"strings.Split(link.Ho":               ", sep string) []string",
		"strings.Split(link.Host, ":           "sep string) []string",
		"x := 1; strings.Split(link.Host, se": ") []string",
		"wait(":                               "time.Duration, ...string) error",
		"wait(pause, ":                        "...string) error",
		"wait(pause, link.Host, ":             "...string) error",
		"time.Now(":                           ") time.Time",
		"link.User.Password(":                 ") (string, bool)",
		"twice(twice(":                        "n int) int",
		"strings.Split(\"a, ":                 "", // within a string
		"pair{":                               "",
		"int(":                                "",
		"what(":                               "",
		"func f(":                             "",
		"(":                                   "",
		"link":                                "",
	} {
		if got := complete.Rest(s, text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestAfter(t *testing.T) {
	s := session(t)
	for text, want := range map[string]string{
		"strings": "strings.", "strings.Fiel": "Fields(", "time.Now": "Now()", "le": "len(", "link.Ho": "Host", "time.Dur": "Duration", "link.Por": "Port()",
		"strings.FieldsFunc(\"\", isSp": "isSpace", "slices": "",
	} {
		list, _ := complete.At(s, text, len(text))
		got := ""
		if len(list) > 0 {
			got = list[0].Text + list[0].After
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// FuzzAt holds that no line whatever makes it panic, and that the name begins
// before the cursor.
func FuzzAt(f *testing.F) {
	for _, text := range []string{"link.", "for {", "a[", "\"", "`", "'", "é.", "func (", "import \"", "x := ", "type t struct {", "/*", "\x00.", "case 1:", "}}", "wait(", "strings.Split(link.", "f(func(", "([]int(", "a.(type)", "len("} {
		f.Add(text, len(text))
	}
	s := session(f)
	f.Fuzz(func(t *testing.T, text string, pos int) {
		if _, start := complete.At(s, text, pos); start < 0 || start > len(text) {
			t.Errorf("begins at %d of %d", start, len(text))
		}
		if rest := complete.Rest(s, text); strings.Contains(rest, "\n") {
			t.Errorf("%q is left", rest)
		}
		_, _ = complete.Describe(s, text) // an error is an answer
	})
}

func BenchmarkAt(b *testing.B) {
	s := session(b)
	for _, text := range []string{"link.", "strings.", "wait(", "for _, part := range strings.Fields(\"a\") { part"} {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				if got, _ := complete.At(s, text, len(text)); len(got) == 0 {
					b.Fatal("nothing")
				}
			}
		})
	}
}
