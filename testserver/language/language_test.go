package language_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/peer/node"
	"github.com/peerlab/peerlab/testserver/language"
)

func parse(t testing.TB, source string) *language.Script {
	t.Helper()
	s, err := language.Parse("x.cmd", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReserved keeps the language and the peers in step: what means something
// in a scenario must be refused as a name, and the other way round.
func TestReserved(t *testing.T) {
	for _, word := range language.Reserved() {
		if node.CheckName(word) == nil {
			t.Errorf("a peer may be called %q, which is a word of the language", word)
		}
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "../../peer/node/name.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	words := 0
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); !ok || fn.Name.Name != "reserved" {
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok {
				word, err := strconv.Unquote(l.Value)
				if words++; err != nil || !slices.Contains(language.Reserved(), word) {
					t.Errorf("peers refuse the name %q, which the language knows nothing of", word)
				}
			}
			return true
		})
	}
	if words < 40 {
		t.Errorf("found %d words in peer/node/name.go", words)
	}
}

func TestErrors(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	tests := []struct{ name, file, want string }{
		{"not text", "alice init\xff", "x.cmd:1:1: the file is not UTF-8 text"},
		{"long line, original", "alice msg " + long, "x.cmd:1:1: the line has 70010 bytes"},
		{"long line, full", "peers alice\nalice msg " + long, "x.cmd:2:1: the line has 70010 bytes"},
		{"long file", strings.Repeat("# a comment\n", 90_000), "x.cmd:1:1: the file has 1080000 bytes, at most 1048576 are allowed"},
		{"too many peers", "peers p[1..10000] q", "x.cmd:1:19: more than 10000 peers"},
		{"a huge range", "peers p[1..1000000000]", `x.cmd:1:7: "p[1..1000000000]" is no name`},
		{"a large range", "peers p[1..100000000]", "x.cmd:1:7: the range p[1..100000000] has 100000000 names, at most 10000 are allowed"},
		{"a large target", "peers p[1..9999]\np[1..9999],p[1..9999] init", "x.cmd:2:12: more than 10000 peers in one line"},
		{"large targets", "peers p[1..9999]\n" + strings.Repeat("p[1..9999] init\n", 31), "x.cmd:32:1: the file names more than 300000 peers in all"},
		{"deep parentheses", "peers a\n" + strings.Repeat("others(", 40) + "a" + strings.Repeat(")", 40) + " init", "x.cmd:2:225: parentheses are nested more than 32 deep"},
		{"characters, not bytes", "peers alice\nalice expect chat \"ää\" now", "x.cmd:2:24: now is no pattern"},
		{"a no-break space separates nothing", "alice init\n\u00a0x msg", "x.cmd:2:1:"},
		{"tabs", "peers alice\n\talice\texpect\tchat\tx", "x.cmd:2:20: x is no pattern"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := language.Parse("x.cmd", []byte(tt.file))
			if err == nil {
				t.Fatalf("accepted: %.200v", s)
			}
			if first, _, _ := strings.Cut(err.Error(), "\n"); !strings.HasPrefix(first, tt.want) {
				t.Errorf("got %.300v\nwant %s", err, tt.want)
			}
			var e *language.Error
			if !errors.As(err, &e) {
				t.Errorf("%T has no *Error in it", err)
			}
		})
	}
}

func TestParseTellsTenErrors(t *testing.T) {
	for _, head := range []string{"", "peers alice\n"} {
		_, err := language.Parse("x.cmd", []byte(head+strings.Repeat("BAD x\n", 30)))
		if n := strings.Count(err.Error(), "\n") + 1; n != 10 {
			t.Errorf("%d errors, want the first 10", n)
		}
	}
}

func TestExpand(t *testing.T) {
	vars := map[string]string{"self": "alice", "X": "a$self", "_y1": ""}
	for text, want := range map[string]string{
		"":                "",
		"no dollar":       "no dollar",
		"$self":           "alice",
		"${self}x $selfx": "alicex $selfx",
		"$X$_y1.":         "a$self.",
		"$$self $$$self":  "$self $alice",
		"$ $1 ${1} $":     "$ $1 ${1} $",
		"${X $unknown":    "${X $unknown",
	} {
		if got := language.Expand(text, vars); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestResolve(t *testing.T) {
	const head = "peers alice bob p[1..3]\nlet X = alice localnode\nlet Y = alice localnode\n"
	tests := []struct {
		name, line string
		vars       map[string]string
		want       string // the statement, or the error
	}{
		{"command", "bob echo ${X}y $$ $self", map[string]string{"X": "a$b"}, `Command{Targets=bob Line="echo a$$by $$ $self"}`},
		{"message", "$ bob msg $X", map[string]string{"X": "hi # all"}, `Command{Targets=bob Line="msg hi # all"}`},
		{"outcome and conditions", "[race] ! bob echo $X", map[string]string{"X": "a"}, `[race] ! Command{Targets=bob Line="echo a"}`},
		{"targets", "$X,bob init", map[string]string{"X": "p[1..2]"}, `Command{Targets=p1,p2,bob Line="init"}`},
		{"all of them", "others($X) init", map[string]string{"X": "all"}, `Command{Targets=others(*) Line="init"}`},
		{"text", `bob expect chat "$X" id:$X`, map[string]string{"X": `a "b" $self`}, `Expect{Targets=bob Stream="chat" Pattern=Pattern{Terms=[Term{Kind=1 Text="a \"b\" $$self"} Term{Kind=3 Text="a \"b\" $$self" Field="id"}]} Count=>=1}`},
		{"expression", `bob expect chat /^$X/`, map[string]string{"X": `a.b/`}, `Expect{Targets=bob Stream="chat" Pattern=Pattern{Terms=[Term{Kind=2 Text="^a\\.b/"}]} Count=>=1}`},
		{"numbers", "bob expect chat count == $X within $Y", map[string]string{"X": "3", "Y": "4s"}, `Expect{Targets=bob Stream="chat" Count===3 Within=4s}`},
		{"a phase", `phase "$X"`, map[string]string{"X": `"`}, `Phase{Title="\""}`},
		{"a title as it is", `phase "$X"`, map[string]string{"X": `a.b $c`}, `Phase{Title="a.b $c"}`},
		{"output", `stdout "$X"`, map[string]string{"X": `a.b $c`}, `Output{Pattern=Term{Kind=1 Text="a.b $c"}}`},
		{"an expression for output", `stdout /^$X$/`, map[string]string{"X": `a.b $c`}, `Output{Pattern=Term{Kind=2 Text="^a\\.b \\$c$"}}`},
		{"a fault without a block", `fault oneway $X -> bob`, map[string]string{"X": `alice`}, `Fault{Kind="oneway" A=alice B=bob Rule=Rule{Cut=true}}`},
		{"a fault with one", `fault oneway $X -> bob { }`, map[string]string{"X": `alice`}, `Fault{Kind="oneway" A=alice B=bob Rule=Rule{Cut=true} Block=true}`},
		{"let", `let Z = $X localnode`, map[string]string{"X": `alice`}, `Command{Targets=alice Line="localnode" Let="Z"}`},
		{"no value", "bob echo $X", nil, "x.cmd:4:5: no line above defines $X"},
		{"no peer", "bob,$X init", map[string]string{"X": "carol"}, "x.cmd:4:1: no peer and no group is called carol"},
		{"no number", "repeat $X { }", map[string]string{"X": "many"}, `x.cmd:4:8: repeat is a whole number from 1 to 1000000, not "many"`},
		{"a count that shows nothing", "bob expect chat count >= $X", map[string]string{"X": "0"}, "x.cmd:4:23: count >= 0 always holds: write `count >= 1`, or `never chat ... for 2s` if there is to be none"},
		{"several lines", "bob echo $X", map[string]string{"X": "a\nb"}, "x.cmd:4:5: a variable in the command has several lines"},
		{"no new statement", "bob $X", map[string]string{"X": "expect chat"}, `Command{Targets=bob Line="expect chat"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := parse(t, head+tt.line)
			st := s.Body[2]
			if !st.Deferred || st.Do != nil {
				t.Fatalf("not deferred: %+v", st)
			}
			got, err := language.Resolve(s, st, tt.vars)
			if err != nil {
				if !strings.HasPrefix(err.Error(), tt.want) {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				return
			}
			if tree := dumpOne(got); tree != tt.want {
				t.Errorf("got  %s\nwant %s", tree, tt.want)
			}
		})
	}
}

func dumpOne(st language.Statement) string {
	var b strings.Builder
	st.Body = nil
	dumpBody(&b, []language.Statement{st}, "", false)
	return strings.TrimSpace(b.String())
}

func TestResolveKeepsTheBody(t *testing.T) {
	s := parse(t, "peers alice bob\nlet X = alice localnode\nrepeat $X {\n  bob init\n}")
	st, err := language.Resolve(s, s.Body[1], map[string]string{"X": "2"})
	if err != nil || len(st.Body) != 1 || st.Do != (language.Repeat{Times: 2}) || st.Deferred {
		t.Errorf("%+v, %v", st, err)
	}
	again, err := language.Resolve(s, st, nil)
	if err != nil || again.Do != st.Do {
		t.Errorf("a resolved statement changed: %+v, %v", again, err)
	}
}

func TestWalk(t *testing.T) {
	s := parse(t, "peers alice bob\npar {\n  repeat 2 { alice init }\n  bob init\n}\nbg x: alice quit\n")
	var all, top []string
	language.Walk(s.Body, func(st *language.Statement) bool { all = append(all, st.String()); return true })
	language.Walk(s.Body, func(st *language.Statement) bool { top = append(top, st.String()); return false })
	if got := strings.Join(all, "|"); got != "par|repeat 2|alice init|bob init|bg x: alice quit|alice quit" {
		t.Errorf("all: %s", got)
	}
	if got := strings.Join(top, "|"); got != "par|bg x: alice quit" {
		t.Errorf("without bodies: %s", got)
	}
}

func TestCommandWords(t *testing.T) {
	tests := []struct {
		line, word   string
		filter, ends bool
	}{
		{"quit", "quit", false, true},
		{"/exit", "exit", false, true},
		{"chatleave; quit", "chatleave", false, true},
		{"msg a; quit", "msg", false, false},
		{"members\tx", "members", false, false},
		{"quitx", "quitx", false, false},
		{"help quit", "help", false, false},
		{" testfilter x", "testfilter", true, false},
	}
	for _, tt := range tests {
		c := language.Command{Line: tt.line}
		if c.Word() != tt.word || c.IsFilter() != tt.filter || c.Ends() != tt.ends {
			t.Errorf("%q: word %q, filter %v, ends %v", tt.line, c.Word(), c.IsFilter(), c.Ends())
		}
	}
}

func TestCompose(t *testing.T) {
	at := func(path, source string) *language.Script {
		s, err := language.Parse(path, []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	setup := at("d/setup.cmd", "peers alice bob\ntimeout 3s\nskip \"later\"\ngroup G = alice\nall init\ncleanup { all quit }\n-- a --\nx\n")
	script := at("d/x.cmd", "peers alice carol\ngroup H = carol\nlet X = alice localnode\nalice,carol echo $X\nspawn dave\ncleanup { carol msg bye }\n")
	teardown := at("d/teardown.cmd", "peers bob\nbob members\n")
	s, err := language.Compose(setup, script, teardown)
	if err != nil {
		t.Fatal(err)
	}
	want := `peers alice bob carol
spawns dave
group G = alice
group H = carol
timeout 3s
skip [] "later"
5:1 Command{Targets=* Line="init"}
3:1 Command{Targets=alice Line="localnode" Let="X"}
4:1 deferred alice,carol echo $X
5:1 Life{Verb="spawn" Targets=dave}
cleanup
  6:11 Command{Targets=carol Line="msg bye" Raw=true}
  2:1 Command{Targets=bob Line="members"}
  6:11 Command{Targets=* Line="quit"}
file a "x\n"
`
	if got := dump(s, true); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if s.Name != "x" || s.Body[0].Pos.File != "d/setup.cmd" || s.Body[1].Pos.File != "d/x.cmd" {
		t.Errorf("name %s, files %s, %s", s.Name, s.Body[0].Pos.File, s.Body[1].Pos.File)
	}
	if _, err := language.Resolve(s, s.Body[2], map[string]string{"X": "y"}); err != nil {
		t.Error(err)
	}
	if got := dump(script, false); !strings.HasPrefix(got, "peers alice carol\nspawns dave\ngroup H = carol\n") {
		t.Errorf("the script was changed:\n%s", got)
	}
	if alone, err := language.Compose(nil, script, nil); err != nil || dump(alone, true) != dump(script, true) {
		t.Errorf("a script alone changed: %v", err)
	}
}

func TestComposeConflicts(t *testing.T) {
	for _, tt := range []struct{ name, setup, script, want string }{
		{"group", "peers a b\ngroup G = a", "peers a b\ngroup G = b", "group G is another one"},
		{"peer and group", "peers a b", "peers b\ngroup a = b", "a is a peer in one file and a group in another one"},
		{"spawned", "peers a b", "peers b\nspawn a", "a is declared in one file and spawned in another one"},
		{"file", "peers a\n-- x --\n1\n", "peers a\n-- x --\n2\n", "the attached file x is another one"},
		{"background", "peers a\nbg L: a init", "peers a\nbg L: a init", "a bg is called L in x.cmd:2 already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := language.Compose(parse(t, tt.setup), parse(t, tt.script), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestFormatOfWhatCannotBeRead(t *testing.T) {
	if out, err := language.Format([]byte("peers alice\nalcie init\n")); err == nil || !strings.HasPrefix(err.Error(), "2:1: ") {
		t.Errorf("%q, %v", out, err)
	}
}

func ExampleParse() {
	s, err := language.Parse("hello.cmd", []byte(`
peers alice bob

phase "bob says hello"
all init
bob msg hello
alice expect chat "hello" from:bob count == 1
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, st := range s.Body {
		fmt.Printf("%d %T %s\n", st.Pos.Line, st.Do, st)
	}
	// Output:
	// 4 language.Phase phase "bob says hello"
	// 5 language.Command all init
	// 6 language.Command bob msg hello
	// 7 language.Expect alice expect chat "hello" from:bob count == 1
}

// BenchmarkParse is a script of 1,000 lines for 50 peers.
func BenchmarkParse(b *testing.B) {
	source := []byte("peers p[1..50]\n" + strings.Repeat("p[1..50] broadcastadd k v\nall await members == all within 5s\n", 500))
	for b.Loop() {
		if _, err := language.Parse("x.cmd", source); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkResolve is a statement in a loop over peers.
func BenchmarkResolve(b *testing.B) {
	s := parse(b, "peers p[1..1000]\nfor p in all {\n  others($p) expect chat \"$p\" from:$p count == 1 within 3s\n}")
	for b.Loop() {
		if _, err := language.Resolve(s, s.Body[0].Body[0], map[string]string{"p": "p7"}); err != nil {
			b.Fatal(err)
		}
	}
}
