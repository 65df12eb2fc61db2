package buildenv

import (
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// host is what a binary's build information says about how to build for it.
type host struct {
	known   bool   // there is build information
	version string // of Go: "go1.26.8"
	main    debug.Module
	deps    []*debug.Module
	flags   []string // for commands of go that build
	environ []string // NAME=VALUE: targets and options of cgo
	race    bool
	trim    bool
	noCgo   bool
	goos    string
	goarch  string
}

// repeated are settings that go commands take as flags under the same name.
// -ldflags and -buildmode are not among them: they need not agree.
func repeated(key string) bool {
	return slices.Contains([]string{"-race", "-msan", "-asan", "-trimpath", "-tags", "-gcflags", "-asmflags", "-pgo", "-cover", "-covermode", "-coverpkg"}, key)
}

func readHost(info *debug.BuildInfo) host {
	if info == nil {
		return host{}
	}
	h := host{known: info.Main.Path != "", version: info.GoVersion, main: info.Main, deps: info.Deps}
	if v, _, more := strings.Cut(h.version, " "); more { // "go1.26.8 X:rangefunc"
		h.version = v
	}
	for _, s := range info.Settings {
		h.setting(s.Key, s.Value)
	}
	return h
}

func (h *host) setting(key, value string) {
	switch {
	case repeated(key):
		h.flags = append(h.flags, key+"="+value)
		h.race = h.race || key == "-race" && value == "true"
		h.trim = h.trim || key == "-trimpath" && value == "true"
	case strings.HasPrefix(key, "CGO_"), strings.HasPrefix(key, "GO") && strings.ToUpper(key) == key:
		h.environ = append(h.environ, key+"="+value)
		h.noCgo = h.noCgo || key == "CGO_ENABLED" && value == "0"
		if key == "GOOS" {
			h.goos = value
		}
		if key == "GOARCH" {
			h.goarch = value
		}
	}
}

// installed tells a binary that was installed by version from one that was
// built from a directory.
func (h *host) installed() bool { return h.main.Sum != "" }

// language matches the part of a version of Go that names the language.
var language = regexp.MustCompile(`^go1\.\d+`)

// lang is the newest version of the language that the binary's Go knows, or
// empty.
func (h *host) lang() string { return language.FindString(h.version) }
