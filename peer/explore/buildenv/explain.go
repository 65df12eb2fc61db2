package buildenv

import (
	"fmt"
	"regexp"
	"strings"
)

// What go says, as far as it is explained in other words.
var (
	requires    = regexp.MustCompile(`(\S+)@(\S+)(?: \(.*?\))? (?:indirectly )?requires (\S+)@(\S+), not (?:\S+@)?(\S+)`)
	needsGo     = regexp.MustCompile(`requires go >= (\S+) \(running go (\S+?)[;)]`)
	noSpace     = regexp.MustCompile(`(/\S+): no space left on device`)
	newerWork   = regexp.MustCompile(`requires go >= (\S+), but go.work lists go (\S+?);`)
	noModule    = regexp.MustCompile(`(?s)no required module provides package|cannot find module providing package`)
	notInStd    = regexp.MustCompile(`is not in std`)
	notInMod    = regexp.MustCompile(`module (\S+?)@(\S+) found.*does not contain package (\S+)`)
	twoOfOne    = regexp.MustCompile(`(\S+)@(\S+) conflicts with (\S+)@(\S+)`)
	noVersion   = regexp.MustCompile(`invalid version: unknown revision|no matching versions for query|/@v/v[^/]*\.info: no such file`)
	unreachable = regexp.MustCompile(`dial tcp|no such host|connection refused|i/o timeout|module lookup disabled|403 Forbidden|404 Not Found|410 Gone|502 Bad|503 |no such file or directory`)
	declaredAs  = regexp.MustCompile(`module declares its path as: (\S+)`)
	otherBuild  = regexp.MustCompile(`plugin was built with a different version of package (\S+)`)
)

// explain says in one line why go list cannot use a package.
func explain(path, said string) error {
	switch {
	case noSpace.MatchString(said):
		return fmt.Errorf("import %s: %w", path, fullDisk(said))
	case notInStd.MatchString(said):
		return fmt.Errorf("%s: %w: the standard library does not have it, and the path of a library begins with a host, such as github.com", path, ErrNotLoaded)
	case noModule.MatchString(said):
		return fmt.Errorf("%s: %w: no module of this session has it: import it first, with @latest or a version", path, ErrNotLoaded)
	case newerWork.MatchString(said):
		m := newerWork.FindStringSubmatch(said)
		return fmt.Errorf("import %s: %w: it needs Go %s, and this program is built with Go %s", path, ErrConflict, m[1], m[2])
	case strings.Contains(said, "build constraints exclude all Go files"):
		return fmt.Errorf("import %s: %w: no file of it is meant for this system, or it needs cgo", path, ErrBuild)
	}
	return fmt.Errorf("import %s: %w: %s", path, ErrBuild, oneLine(said))
}

// fullDisk is the error for what a tool said about a full disk.
func fullDisk(said string) error {
	return fmt.Errorf("%w: the disk with %s is full: make room there, and try again", ErrBuild, noSpace.FindStringSubmatch(said)[1])
}

// explainGet says in one line why go get does not add the module of a package.
// holder tells who needs a module, and at which version.
func explainGet(path, said string, holder func(module string) (who, version string)) error {
	if m := requires.FindStringSubmatch(said); m != nil {
		who, version := holder(m[3])
		if version == "" {
			version = m[5]
		}
		return fmt.Errorf("import %s: %w: %s needs %s %s, and %s runs with %s: name an older version, or %s",
			path, ErrConflict, release(m[1], m[2]), m[3], m[4], who, version, newer(who, m[3], path))
	}
	if m := twoOfOne.FindStringSubmatch(said); m != nil && m[1] == m[3] {
		who, held := holder(m[1])
		other := m[2]
		if other == held {
			other = m[4]
		}
		return fmt.Errorf("import %s: %w: %s runs with %s %s, and %s cannot be beside it: %s", path, ErrConflict, who, m[1], held, other, remedy(who))
	}
	if m := needsGo.FindStringSubmatch(said); m != nil {
		return fmt.Errorf("import %s: %w: it needs Go %s, and this program is built with Go %s: name an older version", path, ErrConflict, m[1], m[2])
	}
	if m := declaredAs.FindStringSubmatch(said); m != nil {
		return fmt.Errorf("import %s: its module is called %s: import it by that name", path, m[1])
	}
	if m := notInMod.FindStringSubmatch(said); m != nil {
		return fmt.Errorf("import %s: %s has no such package", path, release(m[1], m[2]))
	}
	if noSpace.MatchString(said) {
		return fmt.Errorf("import %s: %w", path, fullDisk(said))
	}
	if noVersion.MatchString(said) {
		return fmt.Errorf("import %s: there is no such version: @latest takes the newest", path)
	}
	if unreachable.MatchString(said) {
		return fmt.Errorf("import %s: its module cannot be fetched (%s): look at GOPROXY and the network, or at the spelling", path, lastPart(said))
	}
	return fmt.Errorf("import %s: %s", path, oneLine(said))
}

// newer is how to have a newer version of a module that somebody holds, for
// the import of a package.
func newer(holder, module, path string) string {
	if holder == thisProgram {
		return "build the peer again with the newer " + module
	}
	return "restart the peer, and import " + path + " first"
}

// remedy is how to have another version of a module that somebody holds.
func remedy(holder string) string {
	if holder == thisProgram {
		return "build the peer with it to have another"
	}
	return "restart the peer to have another"
}

// release is a module with its version, which go calls "upgrade" where none was
// named.
func release(module, version string) string {
	if version == "upgrade" || version == "latest" {
		return "the newest " + module
	}
	return module + " " + version
}

// reason is what an explanation says after its kind, without the remedy.
func reason(err error) string {
	_, why, found := strings.Cut(err.Error(), ErrConflict.Error()+": ")
	if !found {
		return err.Error()
	}
	why, _, _ = strings.Cut(why, ": ")
	return why
}

// Explain turns what the loader of plugins says into what a person can do
// about it. Other errors are returned as they are.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	m := otherBuild.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	return fmt.Errorf("%w: the source of %s is not what this peer was built from any more: build the peer again, and restart it", ErrConflict, m[1])
}

// oneLine joins the lines of a tool's words that say something.
func oneLine(said string) string {
	var parts []string
	for line := range strings.Lines(said) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "go: ")
		if line == "" || strings.HasPrefix(line, "downloading ") || strings.HasPrefix(line, "# ") {
			continue
		}
		parts = append(parts, line)
	}
	return strings.Join(parts, "; ")
}

// lastPart is the end of a chain of errors: what went wrong at the bottom.
func lastPart(said string) string {
	said = strings.TrimRight(oneLine(said), ".")
	if i := strings.LastIndex(said, ": "); i >= 0 {
		return said[i+2:]
	}
	return said
}
