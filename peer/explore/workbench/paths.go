package workbench

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/explore/buildenv"
	"github.com/peerlab/peerlab/repl"
)

// openImport is the beginning of an import whose path is being typed.
var openImport = regexp.MustCompile("^\\s*import\\s+(?:[\\w.]+\\s+)?[\"`]([^\"`\\s]*)$")

// inImport tells whether a text ends in the path of an import, and where that
// begins.
func inImport(text string) (from int, ok bool) {
	at := openImport.FindStringSubmatchIndex(text)
	if at == nil {
		return 0, false
	}
	return at[2], true
}

const (
	searchTime = 2 * time.Second      // that the search for packages may take
	lookTime   = 3 * time.Millisecond // that looking into one module may take
)

// paths are the packages that could be imported without fetching anything.
type paths struct {
	mu sync.Mutex
	found
}

// found are the packages that were found. It does not change any more.
type found struct {
	about   map[string]string // import path, or module path -> what it is
	modules map[string]string // module path -> its directory
}

// get returns what was found.
func (p *paths) get() found {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.found
}

// importable proposes import paths that begin with what is typed; a whole one
// ends with end.
func (w *Workbench) importable(typed, end string) (list []repl.Candidate) {
	all, fitting := w.paths.get(), map[string]repl.Candidate{}
	for p, about := range all.about {
		if strings.HasPrefix(p, typed) {
			fitting[p] = repl.Candidate{Text: p + end, Help: about, Part: true}
		}
	}
	for _, c := range all.below(typed) {
		if _, known := fitting[c.Text]; known {
			continue
		}
		whole := c.Text
		if !strings.HasSuffix(whole, "/") {
			c.Text += end
		}
		fitting[whole] = c
	}
	for _, p := range slices.Sorted(maps.Keys(fitting)) {
		list = append(list, fitting[p])
	}
	return list
}

// below are the directories of a module that go on with what is typed: one
// level. A directory that is no package itself ends with a slash.
func (f found) below(typed string) (list []repl.Candidate) {
	parent := path.Dir(typed)
	for module := parent; module != "."; module = path.Dir(module) {
		root, ok := f.modules[module]
		if !ok {
			continue
		}
		end := time.Now().Add(lookTime)
		dir := filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(parent, module)))
		entries, _ := os.ReadDir(dir) // what is not there is not proposed
		for _, e := range entries {
			name := parent + "/" + e.Name()
			if !e.IsDir() || !strings.HasPrefix(name, typed) || ignored(e.Name()) || time.Now().After(end) {
				continue
			}
			if !hasGo(filepath.Join(dir, e.Name())) {
				name += "/"
			}
			list = append(list, repl.Candidate{Text: name, Help: "of " + module, Part: true})
		}
		break
	}
	return list
}

// ignored tells a directory whose packages cannot be imported from here.
func ignored(name string) bool {
	return name == "internal" || name == "vendor" || name == "testdata" || name == "cmd" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// hasGo tells whether there is Go in a directory.
func hasGo(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go")
	})
}

// find looks for packages: those of the standard library, of the program, and
// modules that were fetched some day. What takes too long is left out.
func (p *paths) find(env *buildenv.Env) {
	end := time.Now().Add(searchTime)
	about, modules := map[string]string{}, map[string]string{}
	if f, ok := env.Package("fmt"); ok {
		standard(about, filepath.Dir(f.Dir), end)
	}
	cache := ""
	for _, name := range env.Loaded() {
		pkg, _ := env.Package(name)
		if pkg.Module == nil || hidden(name) || pkg.Name == "main" {
			continue
		}
		about[name] = strings.TrimSpace("in this program " + pkg.Module.Version)
		if root, ok := strings.CutSuffix(filepath.ToSlash(pkg.Module.Dir), "/"+escaped(pkg.Module.Path)+"@"+pkg.Module.Version); ok {
			cache = filepath.FromSlash(root)
		}
		if pkg.Module.Dir != "" {
			modules[pkg.Module.Path] = pkg.Module.Dir
		}
	}
	if cache != "" {
		fetched(about, modules, cache, end)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found = found{about, modules}
}

// walk calls f for the directories below root until f returns an error or time
// is over; name has slashes, and no root.
func walk(root string, end time.Time, f func(dir, name string) error) {
	_ = filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error { // what cannot be read is left out
		switch {
		case time.Now().After(end):
			return fs.SkipAll
		case err != nil:
			return fs.SkipDir
		case !d.IsDir() || dir == root:
			return nil
		}
		name, err := filepath.Rel(root, dir)
		if err != nil {
			return err
		}
		return f(dir, filepath.ToSlash(name))
	})
}

// standard finds the packages of the standard library.
func standard(about map[string]string, src string, end time.Time) {
	walk(src, end, func(dir, name string) error {
		if ignored(path.Base(name)) {
			return fs.SkipDir
		}
		if name != "builtin" && hasGo(dir) {
			about[name] = "standard library"
		}
		return nil
	})
}

// fetched finds the modules in the module cache, each at the version that was
// fetched last.
func fetched(about, modules map[string]string, cache string, end time.Time) {
	newest := map[string]time.Time{}
	walk(cache, end, func(dir, name string) error {
		module, version, isModule := strings.Cut(name, "@")
		switch {
		case name == "cache":
			return fs.SkipDir
		case !isModule:
			return nil
		}
		module = unescaped(module)
		if _, known := modules[module]; known && newest[module].IsZero() {
			return fs.SkipDir // of the program
		}
		if info, err := os.Stat(dir); err == nil && info.ModTime().After(newest[module]) {
			newest[module] = info.ModTime()
			modules[module] = dir
			if hasGo(dir) {
				about[module] = "fetched " + version
			}
		}
		return fs.SkipDir
	})
}

// escaped writes a module's path as the module cache does: capital letters are
// small ones behind an exclamation mark.
func escaped(module string) string {
	return capital.ReplaceAllStringFunc(module, func(s string) string { return "!" + strings.ToLower(s) })
}

func unescaped(name string) string {
	return small.ReplaceAllStringFunc(name, func(s string) string { return strings.ToUpper(s[1:]) })
}

var (
	capital = regexp.MustCompile(`[A-Z]`)
	small   = regexp.MustCompile(`![a-z]`)
)
