package cli_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/childtest"
	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/peer/identity"
)

// rounds is how often something happens at a random moment: few times every
// day, often under PEERLAB_SOAK=1.
func rounds(few, many int) int {
	if os.Getenv("PEERLAB_SOAK") != "" {
		return many
	}
	return few
}

// chance is a random source whose seed is printed when the test fails.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("PEERLAB_TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PEERLAB_TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// TestKillAtAnyMoment kills a peer while it starts, chats and leaves. Its data
// directory must open again: the key is the same, the count of starts grew,
// and the journal can be read without a gap.
func TestKillAtAnyMoment(t *testing.T) {
	t.Parallel()
	random := chance(t)
	u := newUser(t)
	bob := u.start("bob")
	bob.expect("ready as bob")
	data := t.TempDir()
	var key string
	boot := 0
	for round := range rounds(6, 100) {
		alice := u.start("alice", "--data", data)
		busy(alice, random)
		if err := alice.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		alice.status()

		id, now := openAgain(t, data)
		if key != "" && id != key {
			t.Fatalf("round %d: the key was %s and is %s", round, key, id)
		}
		if now <= boot {
			t.Fatalf("round %d: the count of starts was %d and is %d", round, boot, now)
		}
		key, boot = id, now
		readable(t, data)
	}
	longAgo(t, data)
	alice := u.start("alice", "--data", data)
	alice.expect("ready as alice")
	alice.send("msg all the same")
	bob.expect("<alice> all the same")
	alice.send("quit")
	if got := alice.status(); got != 0 {
		t.Errorf("alice ended with status %d", got)
	}
	readable(t, data)
	nothingLeft(t, data)
}

// busy lets a peer start and chat for a random time of up to 150 ms.
func busy(p *process, random *rand.Rand) {
	end := time.After(time.Duration(random.Int64N(int64(150 * time.Millisecond))))
	for n := 0; ; n++ {
		select {
		case <-end:
			return
		case <-p.done:
			return
		default:
			if _, err := fmt.Fprintf(p.in, "msg %d\nbroadcastadd k %d\nmembers\n", n, n); err != nil {
				return
			}
		}
	}
}

// openAgain opens a peer's data directory as its next start would, and
// returns the fingerprint of its key and the count of its starts.
func openAgain(t *testing.T, data string) (key string, boot int) {
	t.Helper()
	dir, err := files.Dir(data)
	if err != nil {
		t.Fatal(err)
	}
	id, err := identity.Open(dir, os.Getpid(), nil)
	if err != nil {
		t.Fatalf("open the data directory again: %v", err)
	}
	if err := id.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(id.Key)), id.Boot
}

// readable checks that the journal of a peer has no gap; its last event may
// be cut off.
func readable(t *testing.T, data string) {
	t.Helper()
	var raw []byte
	for _, name := range []string{"journal.jsonl.old", "journal.jsonl"} {
		part, err := os.ReadFile(filepath.Join(data, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		raw = append(raw, part...)
	}
	var gaps journal.Gaps
	first := true
	for e, err := range journal.Read(bytes.NewReader(raw)) {
		if err != nil {
			t.Fatalf("the journal: %v", err)
		}
		if first && e.Seq != 1 {
			continue // its beginning is beyond the bound
		}
		first = false
		gaps.Add(e)
	}
	if err := gaps.Err(); err != nil {
		t.Fatal(err)
	}
}

// lasting are the names of what a peer keeps in its directories, as patterns.
var lasting = regexp.MustCompile(`^(key\.pem|boot|peer\.lock|\.~lock-.*|peer\.log(\.old)?|journal\.jsonl(\.old)?|peers\.json|history.*|lab\.(json|lock))$`)

// longAgo has files that were half written when their peer was killed be of
// yesterday. The next start takes them away; fresh ones may be somebody's.
func longAgo(t *testing.T, dir string) {
	t.Helper()
	halves, err := filepath.Glob(filepath.Join(dir, ".~tmp-*"))
	if err != nil {
		t.Fatal(err)
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	for _, half := range halves {
		if err := os.Chtimes(half, yesterday, yesterday); err != nil {
			t.Fatal(err)
		}
	}
}

// nothingLeft checks that a directory has nothing but what a peer keeps.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !lasting.MatchString(e.Name()) {
			t.Errorf("%s is left in %s", e.Name(), dir)
		}
	}
}

// TestSignalAtAnyMoment ends a peer by ctrl-C or SIGTERM while it starts,
// chats and leaves.
func TestSignalAtAnyMoment(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	random := chance(t)
	u := newUser(t)
	bob := u.start("bob")
	bob.expect("ready as bob")
	data := t.TempDir()
	for round := range rounds(6, 100) {
		sig := []os.Signal{syscall.SIGTERM, os.Interrupt}[round%2]
		alice := u.start("alice", "--data", data)
		busy(alice, random)
		if random.IntN(3) == 0 {
			_, _ = fmt.Fprintln(alice.in, "quit") // it may have ended
		}
		if err := alice.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		got := alice.status() // leaving alone may take four
		if !ordinary(alice, sig) {
			t.Errorf("round %d, %s: status %d, %s; it printed\n%.2000s", round, sig, got, alice.cmd.ProcessState, strings.Join(alice.lines, "\n"))
		}
		openAgain(t, data) // the lock is free
	}
	readable(t, data)
	nothingLeft(t, data)
	nothingLeft(t, filepath.Join(u.runtime(), "peerlab"))
	if answer := bob.ask("msg anybody here"); len(answer) != 1 || strings.HasPrefix(answer[0], "error: the chat") {
		t.Errorf("bob's message: %q", answer)
	}
	members := bob.ask("members")
	for _, l := range members {
		if strings.HasPrefix(l, "alice") && !strings.Contains(l, "left") && !strings.Contains(l, "lost") && !strings.Contains(l, "suspect") {
			t.Errorf("alice has gone, and bob sees %q", l)
		}
	}
}

// ordinary tells whether a peer that got a signal ended as it may: with 0
// after quit or SIGTERM, 130 after ctrl-C, 1 if a command had failed before;
// by the signal itself if it came before the program listened to it.
func ordinary(p *process, sig os.Signal) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.cmd.ProcessState
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return ws.Signal() == sig && len(p.lines) == 0
	}
	for _, l := range p.lines {
		if strings.Contains(l, "goroutine ") {
			return false
		}
	}
	failed := slices.ContainsFunc(p.lines, func(l string) bool { return strings.HasPrefix(l, "error: ") })
	switch s.ExitCode() {
	case 0:
		return true
	case 1:
		return failed
	case 130:
		return sig == os.Interrupt
	}
	return false
}

// runtime is the user's runtime directory.
func (u *user) runtime() string {
	for _, v := range u.env {
		if dir, ok := strings.CutPrefix(v, "XDG_RUNTIME_DIR="); ok {
			return dir
		}
	}
	u.t.Fatal("no runtime directory")
	return ""
}

// TestDamagedFiles has each file of a peer damaged. It is refused or survived
// with its path named, and never overwritten.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	damages := map[string][]byte{
		"empty": {}, "text": []byte("this is no such file\n"), "binary": {0, 0xff, 1, 2, 3}, "huge": bytes.Repeat([]byte("x"), 2<<20),
		"other version": []byte("{\"v\":99,\"group\":\"lab\"}\n"),
	}
	all := slices.Collect(maps.Keys(damages))
	for file, c := range map[string]struct {
		starts bool     // or is it refused
		except []string // damages that are none
	}{
		"data/key.pem":         {},
		"data/boot":            {},
		"data/peers.json":      {starts: true},
		"data/journal.jsonl":   {except: []string{"empty"}},
		"run/peerlab/lab.json": {},
		"run/peerlab/lab.lock": {except: all}, // the note of the last holder
		"data/peer.lock":       {except: all},
		"data/peer.log":        {except: all}, // for people, it is only appended to
	} {
		for name, content := range damages {
			t.Run(file+" "+name, func(t *testing.T) {
				t.Parallel()
				u := newUser(t)
				data := t.TempDir()
				path := filepath.Join(data, filepath.Base(file))
				if strings.HasPrefix(file, "run/") {
					path = filepath.Join(u.runtime(), "peerlab", filepath.Base(file))
				}
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
				p := u.start("alice", "--data", data)
				p.in.Close()
				got := p.status()
				p.mu.Lock()
				said := strings.Join(p.lines, "\n")
				p.mu.Unlock()
				if strings.Contains(said, "goroutine ") || len(said) > 4000 {
					t.Errorf("it prints %.1000q", said)
				}
				if slices.Contains(c.except, name) {
					if got != 0 {
						t.Errorf("status %d: %s", got, said)
					}
					return
				}
				if want := map[bool]int{false: 1}[c.starts]; got != want || !strings.Contains(said, path) {
					t.Errorf("status %d, want %d, and a word of %s in %.1000q", got, want, path, said)
				}
				if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
					t.Errorf("%s is %.100q now (%v)", path, after, err)
				}
			})
		}
	}
}

// TestFilesInTheWay puts directories where files should be, and the other way
// round.
func TestFilesInTheWay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"key.pem", "boot", "peer.lock", "peer.log", "journal.jsonl", "peers.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			if err := os.MkdirAll(filepath.Join(data, name, "inside"), 0o700); err != nil {
				t.Fatal(err)
			}
			p := newUser(t).start("alice", "--data", data)
			p.in.Close()
			p.status()
			if said := strings.Join(p.lines, "\n"); !strings.Contains(said, name) || strings.Contains(said, "goroutine ") {
				t.Errorf("it prints %q; want a word of %s", said, name)
			}
			if _, err := os.Stat(filepath.Join(data, name, "inside")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFullDisk runs peers on a disk that has no room: from the start, and from
// a moment on while they run.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if os.Getuid() != 0 || childtest.Run(exec.Command("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk)) != nil {
		t.Skip("needs a small file system of its own: run it as root, with leave to mount; package journal tests a disk that fails")
	}
	t.Cleanup(func() {
		if err := childtest.Run(exec.Command("umount", "-l", disk)); err != nil {
			t.Error(err)
		}
	})
	u := newUser(t)
	bob := u.start("bob")
	bob.expect("ready as bob")
	alice := u.start("alice", "--data", filepath.Join(disk, "alice"))
	alice.expect("ready as alice")
	fill(t, filepath.Join(disk, "filler"))
	for range 20 {
		alice.send("msg " + strings.Repeat("x", 5000))
	}
	alice.send("msg the last one")
	bob.expect("<alice> the last one")
	if answer := alice.ask("members"); len(answer) < 2 {
		t.Errorf("members: %q", answer)
	}
	alice.send("quit")
	if got := alice.status(); got != 0 && got != 1 {
		t.Errorf("status %d", got)
	}
	key, err := os.ReadFile(filepath.Join(disk, "alice", "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alice", "charly"} {
		p := u.start(name, "--data", filepath.Join(disk, name))
		if got := p.status(); got != 1 || len(p.lines) != 1 || !strings.Contains(p.lines[0], "no space") {
			t.Errorf("%s on a full disk: status %d, %q", name, got, p.lines)
		}
	}
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	alice = u.start("alice", "--data", filepath.Join(disk, "alice"))
	alice.expect("ready as alice")
	if now, err := os.ReadFile(filepath.Join(disk, "alice", "key.pem")); err != nil || !bytes.Equal(now, key) {
		t.Errorf("the key has changed: %v", err)
	}
}

// fill writes a file until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{4096, 1} {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		err = nil
	}
}

// TestNamesThatAreTaken are names and directories that others have.
func TestNamesThatAreTaken(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	alice := u.start("alice")
	alice.expect("ready as alice")
	data := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"alice"}, fmt.Sprintf("in use by process %d", alice.cmd.Process.Pid)},
		{[]string{"alice", "--data", data}, "the name alice is taken"}, // another directory, the same group
		{[]string{"joined"}, `"joined"`},
		{[]string{"demo", "x"}, `"x"`},
	} {
		p := u.start(c.args...)
		got := p.status()
		if (got != 1 && got != 2) || len(p.lines) != 1 || !strings.Contains(p.lines[0], c.want) {
			t.Errorf("%q: status %d, %q; want %q", c.args, got, p.lines, c.want)
		}
	}
	if answer := alice.ask("members"); len(answer) != 2 {
		t.Errorf("members: %q", answer)
	}
}
