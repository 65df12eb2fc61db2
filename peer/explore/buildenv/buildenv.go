// Package buildenv compiles Go for one particular binary: the one that runs.
//
// What is loaded into a running program must agree with it to the byte: the
// same version of Go, the same flags, the same version of every package that
// both have. All of that stands in the build information of the binary. An Env
// takes it from there, makes a Go workspace of its own that resolves every
// import to what the binary has, and compiles and links in it. Modules that the
// binary does not have can be added (Import); those that it has are held at
// its versions, and what cannot be reconciled is said before anything is built.
//
// The package runs the tools of Go and reads and writes files in its cache
// directory only. It knows nothing of snippets, types or peers, and it never
// loads what it built.
package buildenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// Errors that callers branch on.
var (
	// ErrUnavailable is matched where this binary, or this machine, cannot
	// compile for it. The text says what is missing and how to get it.
	ErrUnavailable = errors.New("cannot compile Go for this program")
	// ErrNotLoaded is check.ErrNotLoaded: no Load has asked for the package.
	ErrNotLoaded = check.ErrNotLoaded
	// ErrConflict is matched where a package would need another version of a
	// module than the program runs with.
	ErrConflict = errors.New("conflict of versions")
	// ErrBuild is matched where the compiler or the linker refused. The text
	// is theirs.
	ErrBuild = errors.New("build failed")
)

// Config says for which binary an Env compiles, and with what.
type Config struct {
	// Info is the build information of the binary. Nil is the running one's.
	Info *debug.BuildInfo

	// Binary is the binary's file: it tells whether its source has changed
	// since. Empty is the running one.
	Binary string

	// Source is the directory of the binary's main module, for a binary that
	// was built from a directory. Empty means to look for it: where this
	// package was compiled, then in the current directory and above.
	Source string

	// Cache is the directory for sessions, and for what they have linked and
	// may have again. Empty is a directory in the temporary one that belongs
	// to this user.
	Cache string

	// Environ is the environment of the tools, as of os.Environ, which nil
	// stands for.
	Environ []string

	// Nice is by how much the tools yield to what else runs, 1 to 19. Zero
	// means 5: the program keeps its time, and who waits for a line on a busy
	// machine need not wait for all others. Below zero they do not yield.
	Nice int
}

// Env is a workspace in which packages are compiled for one binary. Its
// methods may be called from several goroutines; those that run tools take
// turns. Close it when nothing more is to be built.
type Env struct {
	host    host
	binary  string
	source  string // absolute, or empty
	environ []string
	nice    string // the argument of nice(1), or empty
	dir     string // of this session
	share   string // directory of what all sessions have linked
	lock    io.Closer
	turn    chan struct{} // holds one token while the tools are free

	mu       sync.Mutex
	ready    bool // the workspace is written
	tools    toolchain
	packages map[string]Package   // loaded, by import path
	built    map[string]string    // compiled here: import path -> archive
	paths    map[string]string    // the other way
	sums     map[string]string    // digests of their content, by import path
	order    []string             // import paths of built, in order
	used     map[string]time.Time // modules in directories, by path: when they were imported
	held     map[string]string    // module path -> version that must stay
	reasons  map[string]string    // module path -> why, if not the binary itself
}

// Open makes the directory of a session, and removes those whose processes are
// gone. It runs no tool, and succeeds where nothing can be compiled: Doctor
// tells, and Load fails with ErrUnavailable.
func Open(ctx context.Context, cfg Config) (*Env, error) {
	info := cfg.Info
	if info == nil {
		info, _ = debug.ReadBuildInfo() // none is one of the findings of Doctor
	}
	e := &Env{
		host: readHost(info), binary: cfg.Binary, environ: cfg.Environ, nice: niceness(cfg.Nice),
		turn: make(chan struct{}, 1), packages: map[string]Package{}, built: map[string]string{}, paths: map[string]string{}, sums: map[string]string{},
		used: map[string]time.Time{}, held: map[string]string{}, reasons: map[string]string{},
	}
	e.turn <- struct{}{}
	if e.environ == nil {
		e.environ = os.Environ()
	}
	if e.binary == "" {
		e.binary, _ = os.Executable() // without it a change of the source is not noticed
	}
	e.source = findSource(e.host.main.Path, cfg.Source)
	for _, m := range e.host.deps {
		e.held[m.Path] = m.Version
	}
	if e.host.installed() {
		e.held[e.host.main.Path] = e.host.main.Version
	}
	cache := cfg.Cache
	if cache == "" {
		cache = filepath.Join(os.TempDir(), fmt.Sprintf("peerlab-go-%d", os.Getuid()))
	}
	dir, lock, err := openSession(ctx, cache)
	if err != nil {
		return nil, err
	}
	e.dir, e.lock, e.share = dir, lock, filepath.Join(filepath.Dir(dir), shareName)
	return e, nil
}

// Dir is the directory of this session: what is written below it goes when the
// Env is closed, or when a later one finds its process gone.
func (e *Env) Dir() string { return e.dir }

// Close removes the session's directory. What was loaded from it stays
// loaded. It may be called twice.
func (e *Env) Close() error {
	e.mu.Lock()
	lock := e.lock
	e.lock = nil
	e.mu.Unlock()
	if lock == nil {
		return nil
	}
	return errors.Join(os.RemoveAll(e.dir), lock.Close())
}

// take waits for the tools to be free; the function gives them back.
func (e *Env) take(ctx context.Context) (release func(), err error) {
	select {
	case <-e.turn:
		return func() { e.turn <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
