package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Option says what to run, and how.
type Option func(*options)

// The engines.
const (
	sim   = "sim"
	local = "local"
)

// options are what Options say.
type options struct {
	path, source string // the scenario; path is empty for none
	params       []param
	engine       string
	peer         string
	budget       time.Duration
	out          string
	seed         uint64
	err          error // what is wrong with an option
}

type param struct{ name, value string }

func gather(all []Option) (options, error) {
	o := options{engine: sim, seed: 1}
	for _, set := range all {
		set(&o)
	}
	for _, p := range o.params {
		o.source = p.in(o.source)
	}
	return o, o.err
}

// File names the file to run. Messages name it as it is given here.
func File(path string) Option {
	return func(o *options) {
		data, err := os.ReadFile(path)
		if err != nil {
			o.err = err
		}
		o.path, o.source = path, string(data)
	}
}

// Script is a scenario that stands in the test. Its name is for messages, such
// as "hello.cmd".
func Script(name, text string) Option {
	return func(o *options) { o.path, o.source = name, text }
}

var paramName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Param puts a value in the place of $NAME and ${NAME} everywhere in the
// scenario, before it is read.
func Param(name, value string) Option {
	return func(o *options) {
		if !paramName.MatchString(name) {
			o.err = fmt.Errorf("parameter %q: a name has letters, digits and _", name)
		}
		o.params = append(o.params, param{name, value})
	}
}

func (p param) in(source string) string {
	at := regexp.MustCompile(`\$(` + p.name + `\b|\{` + p.name + `\})`)
	return at.ReplaceAllLiteralString(source, p.value)
}

// Engine says where peers live: "sim", in this process and in virtual time,
// which is the default; or "local", as processes.
func Engine(name string) Option {
	return func(o *options) {
		if name != sim && name != local {
			o.err = fmt.Errorf("engine %q: there are %q and %q", name, sim, local)
		}
		o.engine = name
	}
}

// Peer makes peers processes of the program at path.
func Peer(path string) Option {
	return func(o *options) {
		abs, err := filepath.Abs(path)
		if err == nil {
			_, err = os.Stat(abs)
		}
		if err != nil {
			o.err = fmt.Errorf("program of the peers: %w", err)
		}
		o.engine, o.peer = local, abs
	}
}

// Budget bounds the whole scenario; five minutes if nothing is said. In virtual
// time it is virtual.
func Budget(d time.Duration) Option { return func(o *options) { o.budget = d } }

// Out is the folder in which the run gets its directory. It is kept.
func Out(dir string) Option { return func(o *options) { o.out = dir } }

// Seed decides every random choice of the run. It is 1 if nothing is said, so
// that a test does the same each time.
func Seed(n uint64) Option { return func(o *options) { o.seed = n } }
