package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample runs the program on the package in testdata, from its folder.
func sample(t *testing.T, args ...string) (string, error) {
	t.Helper()
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "")
	t.Chdir("testdata/sample")
	var out, progress strings.Builder
	err := run(t.Context(), args, &out, &progress)
	return out.String(), err
}

func TestSurvivorsAreHolesOfTheTests(t *testing.T) {
	exceptions, err := filepath.Abs("testdata/exceptions")
	if err != nil {
		t.Fatal(err)
	}
	out, err := sample(t, "-except", exceptions, "-min", "50", ".")
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		"survived  sample.go:23 Judge: strict (beside &&) -> true\n",
		"no test   sample.go:30 Late: d > Grace -> d >= Grace\n",
		"survived  sample.go:35 Name: s += \"x\" -> nothing\n",
		" 1 excepted: ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, killed := range []string{"Judge: sum<<1 == want<<1", "Judge: sum > want -> ", "Judge: sum += n", "Judge: n < 0 ->"} {
		if strings.Contains(out, killed) {
			t.Errorf("%q has survived", killed)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestScoreBelowTheBound(t *testing.T) {
	_, err := sample(t, "-min", "100", ".:^Judge$")
	if err == nil || !strings.Contains(err.Error(), "100 % are wanted") {
		t.Error(err)
	}
}

func TestStaleExceptions(t *testing.T) {
	stale, err := filepath.Abs("testdata/stale")
	if err != nil {
		t.Fatal(err)
	}
	_, err = sample(t, "-except", stale, ".:^Judge$")
	if err == nil || !strings.Contains(err.Error(), "line 2 of the exceptions is killed") ||
		!strings.Contains(err.Error(), "line 5 of the exceptions names no mutant") {
		t.Error(err)
	}
}

func TestExceptionsNeedReasons(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, []byte("sample.go Judge: a -> b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := (&survey{}).readExceptions(name)
	if err == nil || !strings.Contains(err.Error(), ":1: say why") {
		t.Error(err)
	}
}

func TestFunctionsAreChosen(t *testing.T) {
	out, err := sample(t, "-list", ".:^Late$")
	want := "sample.go:30 Late: d > Grace -> d >= Grace\n" +
		"sample.go:30 Late: d > Grace -> d <= Grace\n" +
		"sample.go:30 Late: Grace -> Grace*2\nsample.go:30 Late: Grace -> Grace*0\n"
	if err != nil || out != want {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTestsHaveToPassFirst(t *testing.T) {
	_, err := sample(t, "-tests", "./nowhere", ".")
	if err == nil {
		t.Error("tests that do not exist pass")
	}
}

// Edits of nested expressions end up in each other, those of neighbours
// beside each other.
func TestNesting(t *testing.T) {
	f := &file{src: []byte("a+b")}
	m := []*mutant{{}}
	span := func(from, to int, prefix, suffix string) {
		f.list = append(f.list, edit{before, from, from, prefix, m}, edit{behind, to, to, suffix, m})
	}
	span(0, 3, "1(", ")1")
	f.list = append(f.list, edit{instead, 1, 2, ",", m})
	span(0, 3, "2(", ")2")
	span(0, 1, "3(", ")3")
	span(2, 3, "4(", ")4")
	if got, want := string(f.render()), "1(2(3(a)3,4(b)4)2)1"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
	m[0].dropped = true
	if got := string(f.render()); got != "a+b" {
		t.Errorf("dropped mutants are in %s", got)
	}
}
