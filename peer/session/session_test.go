package session_test

import (
	"errors"
	"flag"
	"iter"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/peer/session"
	"github.com/peerlab/peerlab/testserver/language"
)

var update = flag.Bool("update", false, "write the golden files anew")

// record makes a journal of alice. Each line is the type, then the text; what
// follows a tab is a field.
func record(lines ...string) iter.Seq2[journal.Event, error] {
	return func(yield func(journal.Event, error) bool) {
		w := journal.NewWriter(journal.Config{Peer: "alice", Boot: 1})
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		var all []journal.Event
		w.Attach(func(_ journal.Event, line []byte) {
			var e journal.Event
			if err := e.UnmarshalJSON(line); err != nil {
				panic(err)
			}
			at = at.Add(100 * time.Millisecond)
			e.Time = at
			all = append(all, e)
		})
		for _, line := range lines {
			parts := strings.Split(line, "\t")
			typ, text, _ := strings.Cut(parts[0], " ")
			fields := map[string]any{}
			for _, p := range parts[1:] {
				name, value, _ := strings.Cut(p, "=")
				fields[name] = value
				if name == "ok" || name == "cut" {
					fields[name] = value == "true"
				}
			}
			if typ == "command" && fields["ok"] == nil {
				fields["ok"] = true
			}
			if typ == "slow" {
				typ, fields["duration"], fields["ok"] = "command", 0.25, true
			}
			w.Record(typ, text, fields)
		}
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func about() session.About {
	return session.About{Group: "lab", File: "monday.cmd", Saved: time.Date(2026, 1, 2, 3, 14, 0, 0, time.UTC)}
}

func scenario(t *testing.T, lines ...string) string {
	t.Helper()
	text, err := session.Scenario(record(lines...), about())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := language.Parse("monday.cmd", []byte(text)); err != nil {
		t.Errorf("it cannot be parsed: %v\n%s", err, text)
	}
	if !session.Ours([]byte(text)) {
		t.Error("it is not known as our own")
	}
	return text
}

// start is a session with bob and charly up to the first word.
func start(lines ...string) []string {
	return append([]string{
		"bootstrap join", "member joined bob", "member joined charly", "view <info> here: bob, charly", "command init\toutput=ready",
	}, lines...)
}

func TestGolden(t *testing.T) {
	for name, lines := range map[string][]string{
		"talk": start(
			"view <bob> hello alice", "chat hello alice\tfrom=bob\tid=b/1/1",
			"slow msg hello\toutput=delivered to 2\n",
			"command chatmemberping nobody\tok=false\terror=not in the chat",
			"view <bob> \"hello\", got it", "chat \"hello\", got it\tfrom=bob\tid=b/1/2",
			"view <charly> 5$ a\\b", "chat 5$ a\\b\tfrom=charly\tid=c/1/1",
			"view <bob> again", "chat again\tfrom=bob\tid=b/1/3", "view <bob> again", "chat again\tfrom=bob\tid=b/1/4",
			"command echo 5$", "broadcast add motto\tvalue=ever onwards\tfrom=bob", "broadcast add own\tvalue=x\tfrom=alice",
			"broadcast del motto\tfrom=bob", "broadcast add odd\tvalue=a;b\tfrom=bob",
		),
		"life": start(
			"command msg who is there\toutput=delivered to 2\n",
			"member suspect charly", "member dead charly", "view <lost> charly is gone",
			"command msg charly?\toutput=delivered to 1 of 2; not reached yet: charly (kept until it is back)\n",
			"member back charly", "view <joined> charly is back", "view <charly> sorry", "chat sorry\tfrom=charly\tid=c/2/1\tlate=true",
			"view <left> bob is leaving", "member left bob", "member joined dora", "view <joined> dora has joined",
			"view <left> dora is leaving", "command members", "view <joined> dora has joined",
			"member joined bob", "view <joined> bob is back", "member dead dora", "view <lost> dora is gone", "member back dora", "view <joined> dora is back",
			"member dead bob", "view <lost> bob is gone", "member joined bob", "view <joined> bob has joined",
			"command memberlistleave", "member left dora", "command init", "member joined dora", "member back charly", "view <joined> charly is back",
		),
		"odd commands": start(
			"command shell rm -rf /\toutput=exit status 0", "command save x.cmd", "command sleep 2", "command execute other.cmd",
			"command net partition alice | bob", "command testfilter messagesView 1 <bob> x", "command expct {\tok=false\terror=unknown command \"expct\": help lists them",
			"command foo bar\tok=false\terror=unknown command \"foo\": help lists them", "command await x\tok=false\terror=unknown command \"await\": help lists them",
			"view <dave> hi", "chat hi\tfrom=dave\tid=d/1/1", "member joined node~1 x", "command members xxxx\tcut=true", "command quit",
		),
		"golang": start(
			"command go len(members()) == 3\toutput=true :: bool\n",
			"command go x := 1", "command go func f(n int) int {\n  // of the session\n  if n > x {\n    return n\n  }\n  return x\n}",
			"command go f(4)\toutput=4 :: int\n", "command go len(members()) == 5\toutput=false :: bool\n",
			"command go nothing\tok=false\terror=‹5›:1:1: undefined: nothing", "command go panic(1)\tok=false\terror=panic: 1",
			"command go fmt.Println(\"5$ # not a comment\") // but this\toutput=5$ # not a comment\n", "command import github.com/tidwall/btree",
			"command type f", "command keep f\toutput=f is a command now\n", "command f 4", "command edit f", "command doctor", "command reboot",
			"command go s := `two\nlines`", "command go len(s)\toutput=9 :: int\n", "command doc s", "command keep g", "command g 1", "command echo still",
		),
		"golang failed": start(
			"command go y := f()\tok=false\terror=panic: mid", "command go y\toutput=0 :: int\n", "command msg hello\toutput=delivered to 2\n",
		),
		"step by step": {
			"command memberlistconfigure", "command memberlistcreate", "command bootstrapjoin", "command memberliststart", "command memberlistjoin", "member joined bob",
			"command chatstart", "view <bob> hi", "chat hi\tfrom=bob\tid=b/1/1",
		},
		"alone": {"bootstrap join", "command init", "command msg anybody\toutput=nobody else is in the chat yet"},
	} {
		t.Run(name, func(t *testing.T) {
			got := scenario(t, lines...)
			file := "testdata/" + strings.ReplaceAll(name, " ", "-") + ".cmd"
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%v: got\n%s\nwant\n%s", err, got, want)
			}
		})
	}
}

func TestNothingToSave(t *testing.T) {
	for name, c := range map[string]struct {
		events iter.Seq2[journal.Event, error]
		want   error
	}{
		"nothing":   {record(), session.ErrEmpty},
		"a start":   {record("bootstrap join", "command init"), session.ErrEmpty},
		"no events": {record("log something"), session.ErrEmpty},
		"a part": {func(yield func(journal.Event, error) bool) {
			yield(journal.Event{Peer: "alice", Boot: 1, Seq: 2, Type: "command", Text: "init"}, nil)
		}, session.ErrForgotten},
		"damaged": {func(yield func(journal.Event, error) bool) { yield(journal.Event{}, journal.ErrCorrupt) }, journal.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			if text, err := session.Scenario(c.events, about()); !errors.Is(err, c.want) || text != "" {
				t.Errorf("%v, and %q; want %v", err, text, c.want)
			}
		})
	}
}

func TestOurs(t *testing.T) {
	if session.Ours([]byte("peers alice\n")) || session.Ours(nil) {
		t.Error("somebody else's file is taken for ours")
	}
}
