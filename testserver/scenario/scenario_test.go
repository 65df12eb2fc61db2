package scenario_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/testserver/scenario"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, file string
		want       []string // statements, "+" before inserted ones
		peers      string
	}{
		{"empty", "", nil, ""},
		{"comments and blank lines", "# x\n\n   # y\n\t\n", nil, ""},
		{"order of mention", "bob init\nalice init\nbob members\n", []string{"bob init", "alice init", "bob members"}, "bob alice"},
		{"word for word", "alice  msg  a  \"b # c ; d  \r\n", []string{"alice msg  a  \"b # c ; d"}, "alice"},
		{"await before the first msg after an init", "a init\nb init\na msg x\nb msg y\nc init\nc msg z\na msg w",
			[]string{"a init", "b init", "+await converged within 10s", "a msg x", "b msg y", "c init", "+await converged within 10s", "c msg z", "a msg w"}, "a b c"},
		{"msg without init", "a msg x", []string{"a msg x"}, "a"},
		{"slashes", "a /init\na /msg x", []string{"a /init", "+await converged within 10s", "a /msg x"}, "a"},
		{"byte order mark, tabs, indentation", "\ufeff\ta\tinit", []string{"a init"}, "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := scenario.Parse("dir/x.cmd", []byte(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, st := range s.Statements {
				text := st.String()
				if st.Inserted {
					text = "+" + text
				}
				got = append(got, text)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("statements %q, want %q", got, tt.want)
			}
			if peers := strings.Join(s.Peers, " "); peers != tt.peers || s.Name != "x" {
				t.Errorf("peers %q, name %q", peers, s.Name)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"keyword", "alice init\n  all msg x", "x.cmd:2:3: \"all\" belongs to the full form of the language: add a `peers` line"},
		{"await by hand", "await converged within 5s", "x.cmd:1:1: \"await\""},
		{"several targets", "alice,bob init", "add a `peers` line"},
		{"range", "p[1..3] init", "add a `peers` line"},
		{"must fail", "! alice init", "add a `peers` line"},
		{"condition", "[race] alice init", "add a `peers` line"},
		{"full form", "# intro\npeers alice bob\nall init", "x.cmd:2:1: a file with a peers line is in the full form"},
		{"no command", "alice init\nbob", "x.cmd:2:1: what shall bob do?"},
		{"capital letter", "alice init\n Alice msg x", "x.cmd:2:2: \"Alice\" is no name of a peer: a letter, then up to 31 of a-z, 0-9, \"_\" and \"-\"; did you mean alice?"},
		{"a no-break space separates nothing", "alice init\n\u00a0x msg", "x.cmd:2:1:"},
		{"far from any", "alice init\n9x9y init", "x.cmd:2:1: \"9x9y\" is no name of a peer: a letter, then up to 31 of a-z, 0-9, \"_\" and \"-\""},
		{"too long a name", "a" + strings.Repeat("b", 32) + " init", "is no name of a peer"},
		{"label", "info init", "a peer cannot be called \"info\""},
		{"not text", "alice init\xff", "x.cmd:1:1: the file is not UTF-8 text"},
		{"long line", "alice msg " + strings.Repeat("x", 70000), "x.cmd:1:1: the line has 70010 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := scenario.Parse("x.cmd", []byte(tt.file))
			if err == nil {
				t.Fatalf("accepted: %+v", s)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestParseTellsSeveralErrors(t *testing.T) {
	_, err := scenario.Parse("x.cmd", []byte(strings.Repeat("BAD x\n", 30)))
	if n := strings.Count(err.Error(), "\n") + 1; n != 10 {
		t.Errorf("%d errors, want the first 10", n)
	}
}

func TestLint(t *testing.T) {
	const filter = "alice testfilter messagesView 1 x\n"
	tests := []struct{ name, file, want string }{
		{"nothing wrong", "alice init\n" + filter, ""},
		{"nothing asserted", "alice init", "x.cmd:1:1: nothing is asserted"},
		{"empty", "", "nothing is asserted"},
		{"slip of the pen", filter + "alcie msg x\nalice msg y", "x.cmd:2:1: alcie is mentioned only here; is alice meant?"},
		{"short names differ by one letter", "a init\nb init\nb testfilter view 0 x\na quit", ""},
		{"sleep", filter + "alice sleep 2", "x.cmd:2:1: a sleep"},
		{"forgotten peer", filter + "msg hello", "x.cmd:2:1: \"msg\" is taken for a peer's name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := scenario.Parse("x.cmd", []byte(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(scenario.Lint(s))
			if tt.want == "" && got != "[]" || !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %q", got, tt.want)
			}
		})
	}
}

func TestEnds(t *testing.T) {
	for text, want := range map[string]bool{
		"quit": true, "/exit": true, "chatleave; quit": true,
		"msg a; quit": false, "members": false, "quitx": false, "help quit": false,
	} {
		if got := (scenario.Statement{Kind: scenario.Command, Text: text}).Ends(); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("alice init\nalice msg x\n")
	f.Add("peers a\n[!x")
	f.Fuzz(func(t *testing.T, file string) {
		s, err := scenario.Parse("x.cmd", []byte(file))
		if err == nil {
			scenario.Lint(s)
		}
	})
}
