package files_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/internal/files"
)

// victim names the environment variable that makes the test binary a child
// which works in that directory until it is killed.
const victim = "PEERLAB_FILES_VICTIM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victim); dir != "" {
		beVictim(dir)
	}
	os.Exit(m.Run())
}

// beVictim takes the lock and replaces a file over and over.
func beVictim(path string) {
	fsys, err := files.Dir(path)
	if err == nil {
		_, err = fsys.Lock("lock", "victim")
	}
	for i := 0; err == nil; i++ {
		err = fsys.WriteFile("file", content(i), 0o600)
		if i == 0 {
			os.Stdout.WriteString("ready\n")
		}
	}
	os.Stdout.WriteString(err.Error() + "\n")
	os.Exit(1)
}

// content is one of two contents, of different lengths, large enough that
// writing them takes a while.
func content(i int) []byte {
	if i%2 == 0 {
		return bytes.Repeat([]byte("even"), 40_000)
	}
	return bytes.Repeat([]byte("odd"), 30_000)
}

// TestKill kills a child in the midst of WriteFile. The file must be whole,
// and the child's lock free.
func TestKill(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs files that are let go with their process: run it on Unix")
	}
	path := t.TempDir()
	fsys := open(t, path)
	for round := range 20 {
		child := startVictim(t, path)
		if _, err := fsys.Lock("lock", ""); !errors.Is(err, files.ErrLocked) {
			t.Fatalf("the child's lock: error %v", err)
		}
		time.Sleep(time.Duration(round) * 300 * time.Microsecond) // another moment each round
		child.Process.Kill()
		child.Wait()
		got, err := fsys.ReadFile("file")
		if err != nil || !bytes.Equal(got, content(0)) && !bytes.Equal(got, content(1)) {
			t.Fatalf("round %d: read %d bytes that nobody wrote; error %v", round, len(got), err)
		}
		if note, err := fsys.LockNote("lock"); err != nil || note != "victim" {
			t.Errorf("note is %q, %v", note, err)
		}
		lock, err := fsys.Lock("lock", "us")
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		lock.Close()
	}
	if names, err := fsys.List("."); err != nil || strings.Join(names, " ") != "file lock" {
		t.Errorf("list is %q, %v", names, err)
	}
}

// startVictim starts a child and returns when it has written once.
func startVictim(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), victim+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := childtest.Start(t, child); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill(); child.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return child
}

func open(t *testing.T, path string) files.FS {
	t.Helper()
	fsys, err := files.Dir(path)
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

// TestDirMakes: the directory is made by the first write, private.
func TestDirMakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not", "there", "yet")
	fsys := open(t, path)
	if names, err := fsys.List("."); err != nil || names != nil {
		t.Errorf("list is %q, %v", names, err)
	}
	if _, err := fsys.ReadFile("file"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read: error %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading has made the directory: %v", err)
	}
	if err := fsys.WriteFile("sub/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantMode(t, path, 0o700)
	wantMode(t, filepath.Join(path, "sub"), 0o700)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	a, err := fsys.Append("sub/file", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
}

func wantMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want && runtime.GOOS != "windows" {
		t.Errorf("mode of %s is %v, want %v", path, got, want)
	}
}

// TestMode: a file has the mode that was asked for, whatever the old one had.
func TestMode(t *testing.T) {
	fsys := open(t, t.TempDir())
	for _, perm := range []fs.FileMode{0o600, 0o666, 0o644, 0o400} {
		if err := fsys.WriteFile("file", nil, perm); err != nil {
			t.Fatal(err)
		}
		wantMode(t, fsys.Path("file"), perm)
	}
	a, err := fsys.Append("log", 0o666)
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	wantMode(t, fsys.Path("log"), 0o666)
	a, err = fsys.Append("log", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	wantMode(t, fsys.Path("log"), 0o666)
}

// TestDirInTheWay: a path that cannot be a directory is refused, and named.
func TestDirInTheWay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		_, err := files.Dir(path)
		if !errors.Is(err, syscall.ENOTDIR) && runtime.GOOS != "windows" {
			t.Errorf("error %v, want not a directory", err)
		}
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v does not name %s", err, path)
		}
	}
}

// TestUnwritable: an error of the system names the path, and nothing half
// written is left.
func TestUnwritable(t *testing.T) {
	path := t.TempDir()
	fsys := open(t, path)
	if err := os.Mkdir(filepath.Join(path, "way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := fsys.WriteFile("way", []byte("x"), 0o600); err == nil || !strings.Contains(err.Error(), fsys.Path("way")) {
		t.Errorf("error %v does not name %s", err, fsys.Path("way"))
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 1 {
		t.Errorf("left are %v, %v", entries, err)
	}
	if os.Geteuid() <= 0 {
		return // nothing is unwritable
	}
	os.Chmod(path, 0o500)
	defer os.Chmod(path, 0o700)
	if err := fsys.WriteFile("file", nil, 0o600); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), fsys.Path("file")) {
		t.Errorf("error %v", err)
	}
}

// TestSymlink: no name leads out of the directory.
func TestSymlink(t *testing.T) {
	outside, path := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(path, "out")); err != nil {
		t.Skipf("needs symbolic links: on Windows, switch on developer mode: %v", err)
	}
	fsys := open(t, path)
	if _, err := fsys.ReadFile("out/secret"); err == nil {
		t.Error("read the secret")
	}
	if err := fsys.WriteFile("out/new", nil, 0o600); err == nil {
		t.Error("wrote outside")
	}
	if _, err := fsys.Append("out/secret", 0o600); err == nil {
		t.Error("appended outside")
	}
	if _, err := fsys.Lock("out/lock", ""); err == nil {
		t.Error("locked outside")
	}
	if err := fsys.Remove("out/secret"); err == nil {
		t.Error("removed outside")
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside are %v, %v", entries, err)
	}
}

// TestSweep: what a crash has left goes away, and only that.
func TestSweep(t *testing.T) {
	path := t.TempDir()
	old := time.Now().Add(-2 * time.Hour)
	for name, age := range map[string]time.Time{".~tmp-old": old, ".~tmp-new": time.Now(), "ours": old, ".~lock-x": old} {
		full := filepath.Join(path, name)
		if err := os.WriteFile(full, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(full, age, age); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, path).WriteFile("file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, err := os.ReadDir(path)
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if got, want := strings.Join(left, " "), ".~lock-x .~tmp-new file ours"; got != want || err != nil {
		t.Errorf("left are %s, %v, want %s", got, err, want)
	}
}

// TestLockNoteReadable: a person can read who holds the lock, while it is held.
func TestLockNoteReadable(t *testing.T) {
	fsys := open(t, t.TempDir())
	lock, err := fsys.Lock("lock", "4711")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	f, err := os.Open(fsys.Path("lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); string(got) != "4711" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}
