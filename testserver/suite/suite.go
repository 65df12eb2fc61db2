// Package suite is what a program makes of many scenarios: it finds them in
// files and folders and puts each together with what its folder shares, runs
// them several times and several at once, and drops from one that fails what
// the failure does not need.
//
// Of a folder, all files *.cmd in and below it are scenarios, but: setup.cmd
// and teardown.cmd, which are run before and after each of the others in the
// same folder; copies in run directories; and scripts for the shell of one
// peer, which have the same ending. A file that is named is always taken for
// a scenario.
//
// The package knows nothing of worlds and peers: how a scenario is run, its
// caller says.
package suite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/peerlab/peerlab/testserver/language"
)

// The files that the scenarios of a folder share.
const (
	SetupFile    = "setup.cmd"
	TeardownFile = "teardown.cmd"
)

// ErrNone is matched when there is no scenario.
var ErrNone = errors.New("no scenario")

// Scenario is a file that can be run.
type Scenario struct {
	Script *language.Script   // with setup and teardown
	Shared []*language.Script // those, as they stand in their files
}

// Files are what folders have.
type Files struct {
	Scenarios []string // in the order of the arguments; those of a folder sorted
	Shared    []string // what the scenarios of a folder share
	Others    []string // scripts for the shell of a peer
}

// Find names the scenarios: the files that are given, and those in and below
// the folders that are. None comes twice.
func Find(paths []string) (Files, error) {
	var found Files
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return Files{}, fmt.Errorf("%s: no such file or folder; `testserver list` names scenarios", path)
		case err != nil:
			return Files{}, err
		case !info.IsDir():
			found.Scenarios = append(found.Scenarios, path)
		default:
			if err := found.walk(path); err != nil {
				return Files{}, err
			}
		}
	}
	for _, list := range []*[]string{&found.Scenarios, &found.Shared, &found.Others} {
		*list = unique(*list)
	}
	return found, nil
}

func (f *Files) walk(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (isRun(path) || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".cmd":
			return nil
		case isShared(path):
			f.Shared = append(f.Shared, path)
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if isScenario(string(source)) {
			f.Scenarios = append(f.Scenarios, path)
		} else {
			f.Others = append(f.Others, path)
		}
		return nil
	})
}

func isShared(path string) bool {
	name := filepath.Base(path)
	return name == SetupFile || name == TeardownFile
}

// isRun tells a run directory, whose scenario is a copy, and the directory
// that has such directories.
func isRun(dir string) bool {
	for _, name := range []string{"journal.jsonl", "latest"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

func unique(paths []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(paths, func(p string) bool {
		p = filepath.Clean(p)
		before := seen[p]
		seen[p] = true
		return before
	})
}

// Load finds the scenarios whose path matches and reads all of them, so that
// an error is known before anything runs. The error joins those of all files;
// it matches ErrNone if there is none to read. others are scripts that were
// left out.
func Load(paths []string, match *regexp.Regexp) (all []Scenario, others []string, err error) {
	files, err := Find(paths)
	if err != nil {
		return nil, nil, err
	}
	var errs []error
	for _, path := range files.Scenarios {
		if match.MatchString(path) {
			s, err := Read(path)
			all, errs = append(all, s), append(errs, err)
		}
	}
	switch err := errors.Join(errs...); {
	case err != nil:
		return nil, nil, fmt.Errorf("nothing was run: %w", err)
	case len(all) == 0:
		return nil, nil, files.none(paths, match)
	}
	return all, files.Others, nil
}

// none says why there is no scenario.
func (f Files) none(paths []string, match *regexp.Regexp) error {
	where := strings.Join(paths, " ")
	switch {
	case len(f.Scenarios) > 0:
		return fmt.Errorf("%w in %s matches %q", ErrNone, where, match)
	case len(f.Others) > 0:
		return fmt.Errorf("%w in %s; %s is one for the shell of a peer: peer NAME --script %[3]s", ErrNone, where, f.Others[0])
	}
	return fmt.Errorf("%w (*.cmd) in %s", ErrNone, where)
}

// Parse reads a file alone.
func Parse(path string) (*language.Script, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return language.Parse(path, source)
}

// Read reads a scenario and what its folder shares.
func Read(path string) (Scenario, error) {
	s, err := Parse(path)
	if err != nil {
		return Scenario{}, err
	}
	setup, err := beside(path, SetupFile)
	if err != nil {
		return Scenario{}, err
	}
	teardown, err := beside(path, TeardownFile)
	if err != nil {
		return Scenario{}, err
	}
	if setup == nil && teardown == nil {
		return Scenario{Script: s}, nil
	}
	shared := slices.DeleteFunc([]*language.Script{setup, teardown}, func(s *language.Script) bool { return s == nil })
	for _, part := range append(shared, s) {
		if part.Original {
			return Scenario{}, fmt.Errorf("%s:1:1: what is run with %s has to be in the full form: add a `peers` line", part.Path, shared[0].Path)
		}
	}
	s, err = language.Compose(setup, s, teardown)
	return Scenario{Script: s, Shared: shared}, err
}

// beside reads a file that the folder of a scenario shares; nil if there is none,
// or if it is the scenario itself.
func beside(scenario, name string) (*language.Script, error) {
	if isShared(scenario) {
		return nil, nil
	}
	s, err := Parse(filepath.Join(filepath.Dir(scenario), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return s, err
}

var firstWord = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

// isScenario tells a scenario, which may have mistakes, from a script for the
// shell of one peer. A scenario declares its peers, or has a line in which a
// peer is told to begin, or to expect something, or one that begins with a
// word that no shell knows.
func isScenario(source string) bool {
	lines := 0
	for line := range strings.Lines(source) {
		f := append(strings.Fields(line), "", "")
		first, second := f[0], f[1]
		switch {
		case first == "", first[0] == '#':
			continue
		case statementOnly(first):
			return true
		case (second == "init" || second == "testfilter") && firstWord.MatchString(first) && !shellOnly(first):
			return true
		}
		lines++
	}
	return lines == 0 // it will be unknown, which is for the reader to know
}

// statementOnly tells a word that begins statements and no command of a peer.
func statementOnly(word string) bool {
	return word == "all" || word != "sleep" && slices.Contains(language.Words(), word)
}

// shellOnly tells a command of a peer whose arguments may be those of anything.
func shellOnly(word string) bool {
	return slices.Contains([]string{"help", "msg", "echo", "shell", "play", "execute"}, word)
}

// About is the first line of prose of a scenario: the first of the comment
// that it begins with.
func About(s *language.Script) string {
	for line := range strings.Lines(s.Source) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		prose, is := strings.CutPrefix(line, "#")
		switch {
		case line == "":
		case !is:
			return ""
		case strings.Trim(prose, "#!-= \t") != "":
			return strings.TrimSpace(prose)
		}
	}
	return ""
}
