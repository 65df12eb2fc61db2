package report

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/internal/journal"
)

const aLine = `{"v":1,"time":"2024-05-06T07:08:09.1Z","peer":"alice","boot":1,"seq":1,"lamport":1,"clock":{"a}\"#1":1,"b#2":3},"type":"chat","text":"a \"b\" \u2028 <c>","from":"bob","n":1.5,"to":["x"]}`

// TestQuickIsTheSameAsSlow compares the quick reader with the journal's own:
// both read the same events, clocks apart, and refuse the same lines.
func TestQuickIsTheSameAsSlow(t *testing.T) {
	for name, line := range map[string]string{
		"clock and fields":  aLine,
		"no clock":          `{"v":1,"time":"2024-05-06T07:08:09.1Z","peer":"alice","boot":1,"seq":1,"lamport":1,"type":"chat","text":""}`,
		"empty clock":       `{"v":1,"time":"2024-05-06T07:08:09.1Z","peer":"alice","boot":1,"seq":1,"lamport":1,"clock":{},"type":"chat","text":"x"}`,
		"another order":     `{"time":"2024-05-06T07:08:09.1Z","v":1,"peer":"alice","boot":1,"seq":1,"lamport":1,"type":"chat","text":"x"}`,
		"spaces":            `{"v":1, "time":"2024-05-06T07:08:09.1Z","peer":"alice","boot":1,"seq":1,"lamport":1,"type":"chat","text":"x"}`,
		"fields in between": `{"v":1,"time":"2024-05-06T07:08:09.1Z","peer":"alice","boot":1,"seq":1,"lamport":1,"x":1,"type":"chat","text":"x"}`,
		"another version":   `{"v":2,"time":"2024-05-06T07:08:09.1Z","peer":"alice","boot":1,"seq":1,"lamport":1,"type":"chat","text":"x"}`,
		"version 12":        `{"v":12,"time":"2024-05-06T07:08:09.1Z","peer":"alice","boot":1,"seq":1,"lamport":1,"type":"chat","text":"x"}`,
		"no peer":           `{"v":1,"time":"2024-05-06T07:08:09.1Z","peer":"","boot":1,"seq":1,"lamport":1,"type":"chat","text":"x"}`,
		"boot 0":            `{"v":1,"time":"2024-05-06T07:08:09.1Z","peer":"alice","boot":0,"seq":1,"lamport":1,"type":"chat","text":"x"}`,
		"no time":           `{"v":1,"time":"yesterday","peer":"alice","boot":1,"seq":1,"lamport":1,"type":"chat","text":"x"}`,
		"negative":          `{"v":1,"time":"2024-05-06T07:08:09.1Z","peer":"alice","boot":1,"seq":-1,"lamport":1,"type":"chat","text":"x"}`,
		"nonsense":          `nonsense`,
		"empty":             ``,
		"two objects":       aLine + aLine,
	} {
		t.Run(name, func(t *testing.T) { compare(t, line) })
	}
	for i := range aLine {
		compare(t, aLine[:i])
	}
	if _, ok := quick([]byte(aLine)); !ok {
		t.Error("the line of a writer is not read quickly")
	}
}

func compare(t *testing.T, line string) {
	t.Helper()
	var want, got []string
	for e, err := range journal.Read(strings.NewReader(line + "\n")) {
		e.Clock = nil
		want = append(want, fmt.Sprintf("%v %v", e, err))
	}
	for e, err := range readEvents(strings.NewReader(line + "\n")) {
		e.Clock = nil
		got = append(got, fmt.Sprintf("%v %v", e, err))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("quick %q\nslow  %q", got, want)
	}
}

func TestReadEventsKnowsTheTail(t *testing.T) {
	n := 0
	for _, err := range readEvents(strings.NewReader(aLine + "\n" + aLine)) {
		if n++; err != nil {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d events, want that of the whole line", n)
	}
	for _, err := range readEvents(strings.NewReader(strings.Repeat("x", maxLine+2) + "\n")) {
		if err == nil || !strings.Contains(err.Error(), "line 1: ") {
			t.Errorf("a line without end: %v", err)
		}
	}
}
