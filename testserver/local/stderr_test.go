package local

import (
	"slices"
	"strings"
	"testing"
)

func TestCrash(t *testing.T) {
	const trace = "panic: a bug\n\ngoroutine 1 [running]:\nmain.main()\n"
	tests := []struct {
		name, stderr string
		want         []string // its first lines
	}{
		{"nothing", "", nil},
		{"words", "do not panic: all is well\n", nil},
		{"no goroutines", "panic: what a day\n", nil},
		{"a panic", trace, []string{"panic: a bug", "", "goroutine 1 [running]:"}},
		{"a panic behind other lines", "hello\n" + trace, []string{"panic: a bug", "", "goroutine 1 [running]:"}},
		{"a fatal error", "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select]:\n",
			[]string{"fatal error: all goroutines are asleep - deadlock!", "", "goroutine 1 [select]:"}},
		{"goroutines before it", "goroutine 1\npanic: no\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := firstLines(crashOf([]byte(tt.stderr)), 3); !slices.Equal(got, tt.want) {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestLinesAreBounded(t *testing.T) {
	data := []byte("one\n" + strings.Repeat("x", 300) + "\nthree\n\n")
	if got := lastLines(data, 2); len(got) != 2 || len(got[0]) != 203 || got[1] != "three" {
		t.Errorf("%q", got)
	}
	if got := firstLines(data, 9); len(got) != 3 || got[0] != "one" {
		t.Errorf("%q", got)
	}
}
