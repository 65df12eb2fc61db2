package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/testserver/report"
)

type phaseSuites struct {
	Suites []struct {
		Failures   int `xml:"failures,attr"`
		Errors     int `xml:"errors,attr"`
		Skipped    int `xml:"skipped,attr"`
		Properties []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"properties>property"`
		Cases []struct {
			Name    string `xml:"name,attr"`
			Class   string `xml:"classname,attr"`
			Line    int    `xml:"line,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
				Type    string `xml:"type,attr"`
				Body    string `xml:",chardata"`
			} `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
			Flaky  []struct{} `xml:"flakyFailure"`
			Output string     `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func junit(t *testing.T, results ...*report.Result) phaseSuites {
	t.Helper()
	var b bytes.Buffer
	if err := report.JUnit(&b, results); err != nil {
		t.Fatal(err)
	}
	var s phaseSuites
	if err := xml.Unmarshal(b.Bytes(), &s); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return s
}

// passing is crash without what went wrong.
func passing() *report.Result {
	r := crash()
	for i := range r.Rows {
		r.Rows[i].Status = report.OK
	}
	r.Peers = nil
	r.Decide()
	return r
}

func TestJUnitOfPhases(t *testing.T) {
	s := junit(t, crash()).Suites[0]
	var names []string
	for _, c := range s.Cases {
		names = append(names, c.Name)
	}
	if want := []string{"everybody hears everybody, once", "split, then whole again", "a crash is noticed, once", "run"}; !slices.Equal(names, want) {
		t.Errorf("cases %q", names)
	}
	c := s.Cases[2]
	if s.Failures != 1 || s.Errors != 0 || s.Skipped != 0 || c.Failure == nil || c.Line != 21 || c.Class != "crash.cmd" {
		t.Fatalf("%+v", s)
	}
	if c.Failure.Type != report.KindAssert || !strings.HasPrefix(c.Failure.Message, "crash.cmd:24: alice,bob expect") || !strings.Contains(c.Failure.Body, "expected: member events") ||
		!strings.Contains(c.Output, `step "kill charly" OK`) {
		t.Errorf("%+v, output %s", c.Failure, c.Output)
	}
}

func TestJUnitOfWhatWasExpected(t *testing.T) {
	r := crash()
	r.Expect("known")
	s := junit(t, r).Suites[0]
	if s.Failures != 0 || s.Skipped != 1 || !strings.HasPrefix(s.Cases[2].Skipped.Message, "failed, as expected: ") {
		t.Errorf("a failure that was expected: %+v", s)
	}
	r = passing()
	r.Expect("known")
	if s = junit(t, r).Suites[0]; s.Failures != 1 {
		t.Errorf("it passed, and was expected to fail: %+v", s)
	}
	r.Verdict, r.Rows = report.NotRun, nil
	if s = junit(t, r).Suites[0]; s.Failures != 0 || s.Skipped == 0 {
		t.Errorf("not to be run: %+v", s)
	}
}

func TestJUnitOfFlakyScenarios(t *testing.T) {
	other := passing()
	other.Path = "other.cmd"
	s := junit(t, passing(), crash(), passing(), other).Suites
	flaky := func(i int) bool {
		return slices.ContainsFunc(s[i].Properties, func(p struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		}) bool {
			return p.Name == "flaky" && p.Value == "true"
		})
	}
	if !flaky(0) || !flaky(1) || !flaky(2) || flaky(3) {
		t.Error("the property is not where it belongs")
	}
	if len(s[0].Cases[2].Flaky) != 1 || len(s[0].Cases[1].Flaky) != 0 || s[1].Failures != 1 || len(s[1].Cases[2].Flaky) != 0 || len(s[3].Cases[2].Flaky) != 0 {
		t.Errorf("%+v", s)
	}
	got := report.Flaky([]*report.Result{passing(), crash(), passing(), other})
	if len(got) != 1 || got[0].String() != "flaky: crash.cmd failed in 1 of 3 runs" {
		t.Errorf("%v", got)
	}
}

func TestAnnotate(t *testing.T) {
	r := crash()
	r.Rows[5].File, r.Rows[5].Text, r.Rows[5].Wrong = "a,b:c%.cmd", "x,y: z\n", "seen 100%\r\n::error::gotcha"
	r.Rows[5].Seen, r.Rows[5].Expected, r.Rows[5].Faults = nil, "", nil
	var b strings.Builder
	if err := report.Annotate(&b, r); err != nil {
		t.Fatal(err)
	}
	want := "::error file=a%2Cb%3Ac%25.cmd,line=24,col=1,title=x%2Cy%3A z ::    a,b:c%25.cmd:24: seen 100%25 %0A::error::gotcha\n"
	if b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
	for _, c := range []struct {
		r    *report.Result
		want string
	}{
		{passing(), ""},
		{&report.Result{Path: "x.cmd", Verdict: report.Unknown, Why: "nothing was asserted"}, "::warning file=x.cmd,title=unknown::nothing was asserted\n"},
		{&report.Result{Path: "x.cmd", Verdict: report.Broken, Problems: []report.Problem{{Harness: true, Text: "no port"}}}, "::error file=x.cmd,title=no port::no port\n"},
	} {
		b.Reset()
		if err := report.Annotate(&b, c.r); err != nil || b.String() != c.want {
			t.Errorf("%s: %q, %v", c.r.Verdict, b.String(), err)
		}
	}
}

// TestNoCommands has texts of others in a log of GitHub Actions, in one piece
// and byte by byte.
func TestNoCommands(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"::error::gotcha\n":           ": :error::gotcha\n",
		"fine\n \t::set-output x=y\n": "fine\n \t: :set-output x=y\n",
		"a\r::debug::x":               "a\r: :debug::x",
		"\u00a0\u3000::error::x\n":    "\u00a0\u3000: :error::x\n",
		"see a::b, x.cmd:3: y\n":      "see a::b, x.cmd:3: y\n",
		": ::x\n:\n:\n":               ": ::x\n:\n:\n",
		":::\n":                       ": ::\n",
		"alice: ##[error]gotcha\n":    "alice: ## [error]gotcha\n",
		"###[x] #[y]\n":               "### [x] #[y]\n",
		"grüße \xff\n::x\n":           "grüße \xff\n: :x\n",
	} {
		var whole, bytes strings.Builder
		if n, err := io.WriteString(report.NoCommands(&whole), text); n != len(text) || err != nil {
			t.Errorf("%q: %d, %v", text, n, err)
		}
		w := report.NoCommands(&bytes)
		for i := range len(text) {
			if text[i] >= 0x80 {
				bytes.WriteString(want) // runes come in one piece
				break
			}
			_, _ = io.WriteString(w, text[i:i+1])
		}
		if whole.String() != want || !strings.HasSuffix(bytes.String(), want) {
			t.Errorf("%q became %q and %q, want %q", text, whole.String(), bytes.String(), want)
		}
	}
	if _, err := report.NoCommands(failing{}).Write([]byte("x")); err == nil {
		t.Error("an error of writing is lost")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestTest2JSON(t *testing.T) {
	var b strings.Builder
	if err := report.Test2JSON(&b, crash()); err != nil {
		t.Fatal(err)
	}
	ended, running := map[string]string{}, map[string]bool{}
	last := time.Time{}
	for line := range strings.Lines(b.String()) {
		var e struct {
			Time                          time.Time
			Action, Package, Test, Output string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Package != "crash.cmd" || e.Time.Before(last) {
			t.Fatalf("%v: %s", err, line)
		}
		last = e.Time
		switch e.Action {
		case "start":
		case "run":
			running[e.Test] = true
		case "output":
			if !running[e.Test] || !strings.HasSuffix(e.Output, "\n") {
				t.Errorf("output of %q: %q", e.Test, e.Output)
			}
		default:
			ended[e.Test] = e.Action
		}
	}
	for name, want := range map[string]string{"": "fail", "crash": "fail", "crash/split,_then_whole_again": "pass", "crash/a_crash_is_noticed,_once": "fail"} {
		if ended[name] != want {
			t.Errorf("%q ended %q, want %q", name, ended[name], want)
		}
	}
}

func TestLoadRefusesOtherVersionsWithARemedy(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, report.ResultFile), []byte(`{"schema":1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := report.Load(dir)
	if err == nil || !strings.Contains(err.Error(), "schema 1, this program reads 2: run the scenario again") {
		t.Errorf("%v", err)
	}
}
