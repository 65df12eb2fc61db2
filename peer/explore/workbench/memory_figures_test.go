package workbench_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// minimal is a program that is a member, and nothing else.
const minimal = `package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/hashicorp/memberlist"
)

func main() {
	c := memberlist.DefaultLocalConfig()
	c.Name, c.BindAddr, c.BindPort, c.AdvertisePort, c.LogOutput = os.Args[1], "127.0.0.1", 0, 0, io.Discard
	m, err := memberlist.Create(c)
	if err != nil {
		panic(err)
	}
	if len(os.Args) > 2 {
		if _, err := m.Join(os.Args[2:]); err != nil {
			panic(err)
		}
	}
	fmt.Println("at", m.LocalNode().Address())
	for m.NumMembers() < 10 {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println("ready as " + os.Args[1])
	_, _ = io.Copy(io.Discard, os.Stdin)
}
`

// pss is the proportional set size of a process, in MB.
func pss(b *testing.B, pid int) float64 {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "\nPss:")
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

// BenchmarkPSS compares the memory of ten running peers, Go in them, with that
// of ten processes that are members and nothing else; each ten run alone.
func BenchmarkPSS(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("needs /proc: run it on Linux")
	}
	const size = 10
	peer := built(b)
	dir := b.TempDir()
	source := filepath.Join(dir, "minimal.go")
	if err := os.WriteFile(source, []byte(minimal), 0o600); err != nil {
		b.Fatal(err)
	}
	bare := filepath.Join(dir, "minimal")
	if out, err := exec.Command("go", "build", "-o", bare, source).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	mean := func(all []*station) (sum float64) {
		time.Sleep(3 * time.Second) // starting leaves garbage, which goes
		for _, s := range all {
			sum += pss(b, s.pid)
		}
		return sum / size
	}
	var anchor float64
	b.Run("minimal", func(b *testing.B) {
		for b.Loop() {
			anchor = mean(ten(b, bare, func(i int, first *station) []string {
				if i == 0 {
					return nil
				}
				_, at, _ := strings.Cut(first.until(0, "at .*\n"), "at ")
				return strings.Fields(at)[:1]
			}))
		}
		b.ReportMetric(anchor, "MB")
	})
	for _, c := range []struct {
		name  string
		flags []string
		line  string
	}{
		{"peer", nil, "help"}, {"dev", []string{"--dev"}, "help"}, {"dev, an expression", []string{"--dev"}, "go len(members())"},
		{"dev, a compiled line", []string{"--dev"}, "go func f() int { return 3 }; f()"},
	} {
		b.Run(c.name, func(b *testing.B) {
			var got float64
			for b.Loop() {
				all := ten(b, peer, func(int, *station) []string { return c.flags })
				for _, s := range all {
					from := s.enter(c.line)
					s.until(from, `(?s).*\n`)
				}
				got = mean(all)
			}
			b.ReportMetric(got, "MB")
			b.ReportMetric(got/anchor, "/minimal")
		})
	}
}

// ten starts ten processes of a program.
func ten(b *testing.B, program string, args func(i int, first *station) []string) []*station {
	env := environment(b)
	var all []*station
	for i := range 10 {
		var first *station
		if i > 0 {
			first = all[0]
		}
		all = append(all, begin(b, env, false, program, fmt.Sprintf("p%d", i), args(i, first)...))
	}
	for _, s := range all {
		s.until(0, "ready as "+s.name)
	}
	return all
}
