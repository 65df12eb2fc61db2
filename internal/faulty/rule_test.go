package faulty_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/faulty"
)

func TestRuleWords(t *testing.T) {
	for text, want := range map[string]faulty.Rule{
		"latency 200ms jitter 50ms loss 5% dup 1% reorder 2% rate 64kbit": {
			Latency: 200 * time.Millisecond, Jitter: 50 * time.Millisecond, Loss: 0.05, Dup: 0.01, Reorder: 0.02, Rate: 64_000},
		"latency 1m0s":  {Latency: time.Minute},
		"loss 7%":       {Loss: 0.07},
		"loss 0.001%":   {Loss: 0.00001},
		"loss 33.333%":  {Loss: 0.33333},
		"loss 100%":     {Loss: 1},
		"rate 1gbit":    {Rate: 1_000_000_000},
		"rate 3mbit":    {Rate: 3_000_000},
		"rate 1500kbit": {Rate: 1_500_000},
		"rate 1bit":     {Rate: 1},
	} {
		got, err := faulty.ParseRule(strings.Fields(text))
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
		if back := got.String(); back != text {
			t.Errorf("%q is written as %q", text, back)
		}
	}
	for text, want := range map[string]faulty.Rule{
		"rate 64kbit loss 5%": {Rate: 64_000, Loss: 0.05},
		"latency 0s":          {},
		"loss 0%":             {},
		"loss .5%":            {Loss: 0.005},
	} {
		if got, err := faulty.ParseRule(strings.Fields(text)); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	if got := (faulty.Rule{Cut: true, Loss: 1}).String(); got != "cut" {
		t.Errorf("a cut is written as %q", got)
	}
	if got := (faulty.Rule{}).String(); got != "" {
		t.Errorf("no fault is written as %q", got)
	}
}

func TestRuleErrors(t *testing.T) {
	for text, want := range map[string]struct {
		word   int
		reason string
	}{
		"":                       {0, "missing: latency, jitter"},
		"lag 5ms":                {0, `"lag" is no property`},
		"cut":                    {0, `"cut" is no property`},
		"latency":                {1, "latency needs a value, such as 200ms"},
		"latency 5":              {1, `"5" is no value of latency`},
		"latency -5ms":           {1, "no value"},
		"latency 11m":            {1, "no value"},
		"loss 5":                 {1, "such as 5%"},
		"loss 101%":              {1, "no value"},
		"loss -1%":               {1, "no value"},
		"loss NaN%":              {1, "no value"},
		"loss 1e1%":              {1, "no value"},
		"loss %":                 {1, "no value"},
		"rate 64":                {1, "such as 64kbit"},
		"rate 0kbit":             {1, "no value"},
		"rate -1kbit":            {1, "no value"},
		"rate 9999999999gbit":    {1, "no value"},
		"rate 1.5mbit":           {1, "no value"},
		"loss 5% loss 5%":        {2, "loss is there twice"},
		"loss 5% latency":        {3, "latency needs a value"},
		"loss 5% rate 1kbit dup": {5, "dup needs a value, such as 5%"},
	} {
		r, err := faulty.ParseRule(strings.Fields(text))
		var e *faulty.RuleError
		if !errors.As(err, &e) || !errors.Is(err, faulty.ErrRule) || e.Word != want.word || !strings.Contains(err.Error(), want.reason) || r != (faulty.Rule{}) {
			t.Errorf("%q is %+v, %#v; want word %d, %s", text, r, err, want.word, want.reason)
		}
	}
}

func TestCombine(t *testing.T) {
	a := faulty.Rule{Latency: 100, Jitter: 10, Loss: 0.5, Dup: 0.1, Rate: 1000}
	b := faulty.Rule{Latency: 50, Loss: 0.5, Reorder: 0.2, Rate: 500}
	want := faulty.Rule{Latency: 150, Jitter: 10, Loss: 0.75, Dup: 0.1, Reorder: 0.2, Rate: 500}
	if got := faulty.Combine(a, b); got != want || faulty.Combine(b, a) != want {
		t.Errorf("both are %+v, want %+v", got, want)
	}
	if faulty.Combine(a, faulty.Rule{}) != a || faulty.Combine(faulty.Rule{}, a) != a {
		t.Error("no fault changes a rule")
	}
	if !faulty.Combine(faulty.Rule{Cut: true}, a).Cut || !faulty.Combine(a, faulty.Rule{Cut: true}).Cut {
		t.Error("a cut is healed by another rule")
	}
}
