package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"time"
)

// Files of a run directory.
const (
	ScenarioFile = "scenario.cmd"
	JournalFile  = "journal.jsonl"
	ResultFile   = "result.json"
	JUnitFile    = "junit.xml"
	PageFile     = "report.html"
)

// Dir is the directory of one run. It is written as the run goes on, so that
// it tells what happened even if the runner is killed.
type Dir struct {
	path    string
	journal *os.File
}

// stamp begins the names of run directories, which so sort by age.
const stamp = "20060102-150405"

var dirName = regexp.MustCompile(`^\d{8}-\d{6}-`)

// Create makes the directory of a run of the named scenario below out, and
// lets out/latest point to it. Close must follow.
func Create(out, scenario string, now time.Time) (*Dir, error) {
	out, err := filepath.Abs(out)
	if err == nil {
		err = os.MkdirAll(out, 0o755)
	}
	if err != nil {
		return nil, fmt.Errorf("run directory: %w", err)
	}
	path, err := unique(filepath.Join(out, now.UTC().Format(stamp)+"-"+scenario))
	if err != nil {
		return nil, fmt.Errorf("run directory: %w", err)
	}
	j, err := os.OpenFile(filepath.Join(path, JournalFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("run directory: %w", err)
	}
	if err := point(out, filepath.Base(path)); err != nil {
		j.Close()
		return nil, fmt.Errorf("run directory: %w", err)
	}
	return &Dir{path: path, journal: j}, nil
}

// unique makes a new directory of that name, or with a number behind it.
func unique(path string) (string, error) {
	for n := 1; ; n++ {
		try := path
		if n > 1 {
			try = fmt.Sprintf("%s.%d", path, n)
		}
		err := os.Mkdir(try, 0o755)
		if !errors.Is(err, fs.ErrExist) || n == 10_000 {
			return try, err
		}
	}
}

// point makes out/latest point to the directory: a link, or on Windows a file
// with its name. It is replaced as a whole.
func point(out, name string) error {
	latest, next := filepath.Join(out, "latest"), filepath.Join(out, ".latest-"+name)
	var err error
	if runtime.GOOS == "windows" {
		err = os.WriteFile(next, []byte(name+"\n"), 0o644)
	} else {
		err = os.Symlink(name, next)
	}
	if err != nil {
		return err
	}
	if err := os.Rename(next, latest); err != nil {
		_ = os.Remove(next)
		return err
	}
	return nil
}

// Path is the directory.
func (d *Dir) Path() string { return d.path }

// Peer makes and returns the directory of one peer.
func (d *Dir) Peer(name string) (string, error) {
	path := filepath.Join(d.path, "peers", name)
	return path, os.MkdirAll(path, 0o755)
}

// WriteScenario keeps the scenario as it was run.
func (d *Dir) WriteScenario(source string) error {
	return os.WriteFile(filepath.Join(d.path, ScenarioFile), []byte(source), 0o644)
}

// Journal appends one event, a line without its newline.
func (d *Dir) Journal(line []byte) error {
	_, err := d.journal.Write(append(slices.Clip(line), '\n'))
	return err
}

// WriteResult replaces the result, as a whole.
func (d *Dir) WriteResult(r *Result) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(d.path, ResultFile)
	if err := os.WriteFile(path+".next", append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".next", path)
}

// WriteJUnit keeps the result as JUnit XML.
func (d *Dir) WriteJUnit(r *Result) error {
	f, err := os.Create(filepath.Join(d.path, JUnitFile))
	if err != nil {
		return err
	}
	return errors.Join(JUnit(f, []*Result{r}), f.Close())
}

// WriteHTML keeps the result, and the journal so far, as a page.
func (d *Dir) WriteHTML(r *Result) error { return WriteHTML(d.path, r) }

// WriteHTML makes the page of a run anew from its directory.
func WriteHTML(dir string, r *Result) error {
	j, err := os.Open(filepath.Join(dir, JournalFile))
	if err != nil {
		return err
	}
	defer j.Close()
	f, err := os.Create(filepath.Join(dir, PageFile))
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(HTML(w, r, j), w.Flush(), f.Close())
}

// Close closes the journal.
func (d *Dir) Close() error { return d.journal.Close() }

// Load reads the result of a run directory. The path may be that of a file
// which names the directory, as latest is on Windows. The error matches
// ErrSchema for a result of another version.
func Load(dir string) (*Result, error) {
	dir = Resolve(dir)
	data, err := os.ReadFile(filepath.Join(dir, ResultFile))
	if err != nil {
		return nil, fmt.Errorf("%s is no run directory: %w", dir, err)
	}
	var r Result
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, ResultFile), err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("%s: %w: schema %d, this program reads %d: run the scenario again, or use the release that ran it", dir, ErrSchema, r.Schema, Schema)
	}
	return &r, nil
}

// Resolve is the run directory that a path stands for: itself, or the one
// that a file names.
func Resolve(path string) string {
	if name, err := os.ReadFile(path); err == nil {
		return filepath.Join(filepath.Dir(path), filepath.Base(string(trimNewline(name))))
	}
	return path
}

func trimNewline(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// Prune removes the oldest run directories below out until keep are left.
// What is no run directory is not touched, nor are those that are in use, by
// their paths; keep <= 0 removes nothing.
func Prune(out string, keep int, inUse ...string) error {
	entries, err := os.ReadDir(out)
	if err != nil || keep <= 0 {
		return err
	}
	var runs []string
	for _, e := range entries {
		if e.IsDir() && dirName.MatchString(e.Name()) {
			runs = append(runs, e.Name())
		}
	}
	var errs []error
	for _, name := range runs[:max(0, len(runs)-keep)] { // ReadDir sorts by name, that is by age
		used := slices.ContainsFunc(inUse, func(dir string) bool { return filepath.Base(dir) == name })
		if !used {
			errs = append(errs, os.RemoveAll(filepath.Join(out, name)))
		}
	}
	return errors.Join(errs...)
}
