package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// samples are events of every shape. Their lines are the format of version 1:
// a change that turns the golden file needs a new version.
func samples() []journal.Event {
	at := time.Date(2020, 1, 2, 3, 4, 5, 60, time.UTC)
	east := time.FixedZone("", 2*60*60)
	return []journal.Event{
		{V: 1, Time: at, Peer: "alice", Boot: 1, Seq: 1, Lamport: 1, Clock: journal.Clock{{Process: "alice#1", Count: 1}}, Type: journal.TypeCommand, Text: "msg hello",
			Fields: map[string]any{"ok": true, "output": "delivered to 1 of 1\n", "duration": 0.25}},
		{V: 1, Time: at.In(east), Peer: "bob", Boot: 3, Seq: 7, Lamport: 12, Clock: journal.Clock{{Process: "alice#1", Count: 1}, {Process: "bob#3", Count: 7}}, Type: journal.TypeView, Text: "<alice> hello & goodbye"},
		{V: 1, Time: at, Peer: "charly", Boot: 1, Seq: 2, Lamport: 99, Type: journal.TypeLog, Text: "without a clock", Fields: map[string]any{"level": "warn"}},
		{V: 1, Time: at, Peer: "dora", Boot: 1, Seq: 1, Lamport: 1, Clock: journal.Clock{}, Type: journal.TypeChat, Text: "quotes \" \\ , a line\nbreak, \u2028, \x1b[31m, grüße 世界",
			Fields: map[string]any{"from": "<eve>", "id": map[string]any{"n": 1.0}, "list": []any{"a", nil}, "Text": "not the member text"}},
		{V: 1, Peer: "eve", Boot: 1 << 30, Seq: 1<<64 - 1, Lamport: 1<<64 - 1, Type: "x", Text: ""},
	}
}

func TestGoldenEvents(t *testing.T) {
	var got bytes.Buffer
	for _, e := range samples() {
		line, err := e.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		got.Write(append(line, '\n'))
	}
	if *update {
		if err := os.WriteFile("testdata/v1.jsonl", got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/v1.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("events are written as\n%s\nwant\n%s", &got, want)
	}
}

func TestGoldenEventsAreRead(t *testing.T) {
	raw, err := os.ReadFile("testdata/v1.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	want := samples()
	i := 0
	for e, err := range journal.Read(bytes.NewReader(raw)) {
		if err != nil {
			t.Fatal(err)
		}
		if !e.Time.Equal(want[i].Time) {
			t.Errorf("event %d: time %v, want %v", i, e.Time, want[i].Time)
		}
		e.Time = want[i].Time
		if !reflect.DeepEqual(e, want[i]) {
			t.Errorf("event %d is read as\n%#v\nwant\n%#v", i, e, want[i])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("read %d events, want %d", i, len(want))
	}
}

func TestReservedFields(t *testing.T) {
	for _, name := range []string{"v", "time", "peer", "boot", "seq", "lamport", "clock", "type", "text"} {
		e := journal.Event{V: 1, Peer: "alice", Boot: 1, Seq: 1, Type: "x", Fields: map[string]any{name: 1}}
		if line, err := e.MarshalJSON(); err == nil {
			t.Errorf("field %q was accepted: %s", name, line)
		}
	}
}

const whole = `{"v":1,"time":"2020-01-02T03:04:05Z","peer":"alice","boot":1,"seq":1,"lamport":1,"clock":{"alice#1":1},"type":"view","text":"<bob> hi"}`

func TestLinesThatAreNoEvents(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want error
	}{
		"empty":                          {"", journal.ErrCorrupt},
		"no JSON":                        {"hello", journal.ErrCorrupt},
		"no object":                      {"[1]", journal.ErrCorrupt},
		"null":                           {"null", journal.ErrCorrupt},
		"cut off":                        {whole[:60], journal.ErrCorrupt},
		"two in one line":                {whole + whole, journal.ErrCorrupt},
		"one inside another":             {whole[:60] + whole, journal.ErrCorrupt},
		"no version":                     {strings.Replace(whole, `"v":1,`, "", 1), journal.ErrCorrupt},
		"version in capital":             {strings.Replace(whole, `"v":1,`, `"V":1,`, 1), journal.ErrCorrupt},
		"version is a word":              {strings.Replace(whole, `"v":1`, `"v":"one"`, 1), journal.ErrCorrupt},
		"next version":                   {strings.Replace(whole, `"v":1`, `"v":2`, 1), journal.ErrVersion},
		"next version, all else unknown": {`{"v":2,"events":[]}`, journal.ErrVersion},
		"no time":                        {strings.Replace(whole, `"time"`, `"when"`, 1), journal.ErrCorrupt},
		"no peer":                        {strings.Replace(whole, `"alice"`, `""`, 1), journal.ErrCorrupt},
		"no text":                        {strings.Replace(whole, `"text"`, `"said"`, 1), journal.ErrCorrupt},
		"text is a number":               {strings.Replace(whole, `"<bob> hi"`, `7`, 1), journal.ErrCorrupt},
		"boot 0":                         {strings.Replace(whole, `"boot":1`, `"boot":0`, 1), journal.ErrCorrupt},
		"seq 0":                          {strings.Replace(whole, `"seq":1`, `"seq":0`, 1), journal.ErrCorrupt},
		"seq is negative":                {strings.Replace(whole, `"seq":1`, `"seq":-1`, 1), journal.ErrCorrupt},
		"clock is a list":                {strings.Replace(whole, `{"alice#1":1}`, `[1]`, 1), journal.ErrCorrupt},
		"clock is negative":              {strings.Replace(whole, `"alice#1":1`, `"alice#1":-1`, 1), journal.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			in := whole + "\n" + c.line + "\n" + whole + "\n"
			n := 0
			var got error
			for _, err := range journal.Read(strings.NewReader(in)) {
				if got != nil {
					t.Fatal("reading went on after an error")
				}
				if got = err; err == nil {
					n++
				}
			}
			if n != 1 || !errors.Is(got, c.want) {
				t.Fatalf("read %d events, then %v; want one and %v", n, got, c.want)
			}
			if text := got.Error(); !strings.HasPrefix(text, "line 2: ") || strings.Contains(text, "\n") {
				t.Errorf("the error is %q; want one line that begins with the place", text)
			}
		})
	}
}

func TestVersionMismatchIsOneClearLine(t *testing.T) {
	var e journal.Event
	err := e.UnmarshalJSON([]byte(`{"v":2}`))
	if want := "journal of another version: version 2, this program reads 1"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAFailedReadChangesNothing(t *testing.T) {
	e := samples()[0]
	if e.UnmarshalJSON([]byte(strings.Replace(whole, `"seq":1`, `"seq":0`, 1))) == nil {
		t.Fatal("no error")
	}
	if !reflect.DeepEqual(e, samples()[0]) {
		t.Errorf("the event became %#v", e)
	}
}

func FuzzEvent(f *testing.F) {
	for _, e := range samples() {
		line, _ := e.MarshalJSON()
		f.Add(line)
	}
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(strings.Replace(whole, `"v":1`, `"v":1,"V":2,"ſeq":3,"TEXT":"x"`, 1)))
	f.Fuzz(func(t *testing.T, line []byte) {
		var e, again journal.Event
		err := e.UnmarshalJSON(line)
		if err != nil {
			if !errors.Is(err, journal.ErrCorrupt) && !errors.Is(err, journal.ErrVersion) {
				t.Fatalf("%q: %v is of no kind", line, err)
			}
			return
		}
		out, err := e.MarshalJSON()
		if err != nil {
			t.Fatalf("%q cannot be written again: %v", line, err)
		}
		if !json.Valid(out) || bytes.ContainsAny(out, "\n\x1b") {
			t.Fatalf("%q is written as %q", line, out)
		}
		if err := again.UnmarshalJSON(out); err != nil {
			t.Fatalf("%q, written as %q, cannot be read: %v", line, out, err)
		}
		if !again.Time.Equal(e.Time) {
			t.Fatalf("time %v became %v", e.Time, again.Time)
		}
		again.Time = e.Time
		if !reflect.DeepEqual(e, again) {
			t.Fatalf("%q\nbecame %#v\nand then %#v", line, e, again)
		}
	})
}
