package language_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/peerlab/peerlab/testserver/language"
)

// scenarios are those of the golden files.
func scenarios(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	var all []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(data).Files {
			if !strings.Contains(f.Name, "/") {
				all = append(all, strings.ReplaceAll("\n"+string(f.Data), "\n\\", "\n")[1:])
			}
		}
	}
	return all
}

// checkParse checks what holds for every text: an error has a place in the
// file, and what can be read can be looked at.
func checkParse(t *testing.T, source string) {
	s, err := language.Parse("x.cmd", []byte(source))
	if err != nil {
		checkPlaces(t, source, err)
		return
	}
	for _, w := range language.Lint(s) {
		if w.Pos.Line < 1 || w.Pos.Col < 1 {
			t.Errorf("a warning without a place: %v", w)
		}
	}
	language.Walk(s.Body, func(st *language.Statement) bool {
		if st.Deferred == (st.Do != nil) {
			t.Errorf("%s: deferred %v, with %T", st, st.Deferred, st.Do)
		}
		if again := (language.Statement{Text: st.String()}).String(); again != st.String() {
			t.Errorf("%q is written %q, and that %q", st.Text, st.String(), again)
		}
		if _, err := language.Resolve(s, *st, map[string]string{"X": "alice", "p": "2s"}); err != nil {
			checkPlaces(t, source, err)
		}
		return true
	})
	if again, err := language.Compose(s, s, nil); err == nil && len(again.Peers) != len(s.Peers) {
		t.Errorf("composed with itself: %d peers of %d", len(again.Peers), len(s.Peers))
	}
}

func checkPlaces(t *testing.T, source string, err error) {
	t.Helper()
	lines := strings.Split(source, "\n")
	all := []error{err}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		all = joined.Unwrap()
	}
	if len(all) > 10 {
		t.Errorf("%d errors", len(all))
	}
	for _, one := range all {
		var e *language.Error
		if !errors.As(one, &e) {
			t.Fatalf("no place: %v", one)
		}
		if e.Pos.Line < 1 || e.Pos.Line > len(lines) || e.Pos.Col < 1 || e.Pos.Col > 1+utf8.RuneCountInString(lines[e.Pos.Line-1]) {
			t.Errorf("not in the file: %v", e)
		}
		if e.Msg == "" || strings.Contains(e.Msg, "%!") && !strings.Contains(source, "%!") {
			t.Errorf("message %q", e.Msg)
		}
	}
}

// checkFormat checks that formatting changes no meaning, and nothing the
// second time.
func checkFormat(t *testing.T, source string) {
	s, err := language.Parse("x.cmd", []byte(source))
	out, ferr := language.Format([]byte(source))
	if (err == nil) != (ferr == nil) {
		t.Fatalf("parse: %v; format: %v", err, ferr)
	}
	if err != nil {
		return
	}
	again, err := language.Parse("x.cmd", out)
	if err != nil {
		t.Fatalf("%q is formatted as %q: %v", source, out, err)
	}
	if before, after := dump(s, false), dump(again, false); before != after {
		t.Errorf("%q is formatted as %q, which is\n%s\nnot\n%s", source, out, after, before)
	}
	if twice, err := language.Format(out); err != nil || string(twice) != string(out) {
		t.Errorf("%q is formatted as %q, and that as %q, %v", source, out, twice, err)
	}
}

func TestEveryText(t *testing.T) {
	for _, source := range scenarios(t) {
		checkParse(t, source)
		checkFormat(t, source)
		for i := 0; i < len(source); i += 5 { // a file that is being typed, and one without its head
			checkParse(t, source[:i])
			checkFormat(t, "peers alice bob p[1..4]\n"+source[i:])
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, source := range scenarios(f) {
		f.Add(source)
	}
	f.Fuzz(checkParse)
}

func FuzzFormat(f *testing.F) {
	for _, source := range scenarios(f) {
		f.Add(source)
	}
	f.Fuzz(checkFormat)
}
