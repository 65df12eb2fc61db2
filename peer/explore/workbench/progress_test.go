package workbench

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestPatience has tools work for some seconds of a bubble's time.
func TestPatience(t *testing.T) {
	for _, test := range []struct {
		name string
		work func(note func(string))
		want string
	}{
		{"quick", func(note func(string)) { note("compiling a"); time.Sleep(time.Second) }, ""},
		{"silent", func(note func(string)) { note(""); time.Sleep(time.Minute) }, ""},
		{"long", func(note func(string)) {
			for _, path := range []string{"a", "b", "c"} {
				note("fetching " + path)
			}
			time.Sleep(4 * time.Second)
			note("compiling a/b")
			time.Sleep(30 * time.Second)
			note("")
			time.Sleep(time.Minute)
		}, "... fetching c (3 so far)\n... compiling a/b (1 so far)\n... compiling a/b (1 so far)\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				p := &patience{out: &out, each: 3 * time.Second, over: make(chan struct{})}
				test.work(p.note)
				p.end()
				time.Sleep(time.Minute)
				if out.String() != test.want {
					t.Errorf("it tells %q, want %q", &out, test.want)
				}
			})
		})
	}
}
