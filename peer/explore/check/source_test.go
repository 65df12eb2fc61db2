package check

import "testing"

// Every name that a line declares knows the text of its declaration.
func TestSource(t *testing.T) {
	s := newSession(t)
	for n, src := range []string{
		`const ( a = iota; b )`,
		`type pair struct{ x, y int }; func (p pair) sum() int { return p.x + p.y }; func (p *pair) set() {}`,
		`func f(n int) int { return n + b }`,
		`var v, w = 1, f(2)`,
		`fmt.Println(v); z := f(1)`,
		`again: q, r := 1, 2`,
		`import "sort"`,
	} {
		if got := eval(s, n+1, src); got != "" {
			t.Fatalf("%s: %s", src, got)
		}
	}
	for name, want := range map[string]string{
		"a": "const ( a = iota; b )", "b": "const ( a = iota; b )",
		"pair": "type pair struct{ x, y int }", "f": "func f(n int) int { return n + b }",
		"w": "var v, w = 1, f(2)", "z": "z := f(1)", "r": "q, r := 1, 2",
	} {
		u, node, ok := s.Lookup(name).Source()
		if !ok {
			t.Errorf("%s has no source", name)
			continue
		}
		if got := u.Text[u.offset(node.Pos()):u.offset(node.End())]; got != want {
			t.Errorf("%s is declared by %q, want %q", name, got, want)
		}
	}
	u, _, _ := s.Lookup("pair").Source()
	if m := u.Methods("pair"); len(m) != 2 || m[1].Name.Name != "set" {
		t.Errorf("methods of pair: %v", m)
	}
	if _, _, ok := s.Lookup("sort").Source(); ok {
		t.Error("an import has a source")
	}
}
