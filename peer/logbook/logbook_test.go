package logbook_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/peerlab/peerlab/internal/files"
	"github.com/peerlab/peerlab/peer/logbook"
)

// lines reads a log file; each line must be JSON.
func lines(t *testing.T, dir files.FS, name string) (all []map[string]any) {
	t.Helper()
	raw, err := dir.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil || !strings.HasSuffix(line, "\n") {
			t.Fatalf("%s has the line %q: %v", name, line, err)
		}
		all = append(all, m)
	}
	return all
}

// said is what a log says, message after message.
func said(t *testing.T, dir files.FS, name string) string {
	t.Helper()
	var texts []string
	for _, m := range lines(t, dir, name) {
		texts = append(texts, fmt.Sprint(m["component"], " ", m["message"]))
	}
	return strings.Join(texts, ", ")
}

func on(t *testing.T, level zerolog.Level) (*logbook.Book, files.FS) {
	t.Helper()
	b, dir := logbook.New(level), files.Mem()
	if err := b.On(dir, "peer.log"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Off(); err != nil {
			t.Error(err)
		}
	})
	return b, dir
}

func TestLevelsWhileRunning(t *testing.T) {
	b, dir := on(t, zerolog.InfoLevel)
	chat, node := b.Logger("chat"), b.Logger("node")
	steps := []struct {
		component string
		level     zerolog.Level
	}{{}, {"chat", zerolog.DebugLevel}, {"node", zerolog.ErrorLevel}, {"all", zerolog.WarnLevel}, {"all", zerolog.Disabled}}
	for i, s := range steps {
		if s.component != "" {
			if err := b.SetLevel(s.component, s.level); err != nil {
				t.Fatal(err)
			}
		}
		chat.Debug().Msgf("debug %d", i)
		node.Info().Msgf("info %d", i)
		node.Warn().Msgf("warn %d", i)
		node.WithLevel(logbook.Always).Msgf("always %d", i)
	}
	want := "node info 0, node warn 0, node always 0, " +
		"chat debug 1, node info 1, node warn 1, node always 1, " +
		"chat debug 2, node always 2, " +
		"node warn 3, node always 3, " +
		"node always 4"
	if got := said(t, dir, "peer.log"); got != want {
		t.Errorf("the log says\n%s\nwant\n%s", got, want)
	}
	first := lines(t, dir, "peer.log")[0]
	if first["level"] != "info" || first["time"] == nil {
		t.Errorf("a line has %v; want its level and time", first)
	}
}

func TestSetLevelOfNothing(t *testing.T) {
	b := logbook.New(zerolog.InfoLevel)
	err := b.SetLevel("chatt", zerolog.DebugLevel)
	if err == nil || !strings.Contains(err.Error(), "chat, broadcast") {
		t.Errorf("got %v; want an error that names the components", err)
	}
}

func TestParseLevel(t *testing.T) {
	for _, name := range logbook.Levels() {
		if l, err := logbook.ParseLevel(strings.ToUpper(name)); err != nil || l.String() != name {
			t.Errorf("%s is read as %s, %v", name, l, err)
		}
	}
	for _, name := range []string{"", "loud", "5", "-1", "42", "fatal", "panic"} {
		if l, err := logbook.ParseLevel(name); err == nil || !strings.Contains(err.Error(), "trace, debug, info, warn, error, disabled") {
			t.Errorf("%q is read as %s, %v; want an error that names the levels", name, l, err)
		}
	}
}

func TestOnOffSwitch(t *testing.T) {
	b, dir := logbook.New(zerolog.InfoLevel), files.Mem()
	log := b.Logger("node")
	state := func(want string) {
		t.Helper()
		if got := b.State(); got != want {
			t.Errorf("state %q, want %q", got, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	log.Info().Msg("off")
	state("off, level info")
	must(b.On(dir, "one.log"))
	log.Info().Msg("one")
	state("on memory:/one.log, level info")
	must(b.On(dir, "two.log"))
	log.Info().Msg("two")
	must(b.SetLevel("chat", zerolog.DebugLevel))
	must(b.SetLevel("bootstrap", zerolog.WarnLevel))
	state("on memory:/two.log, level info, bootstrap warn, chat debug")
	must(b.Off())
	must(b.Off())
	log.Info().Msg("off again")
	must(b.On(dir, "one.log"))
	log.Info().Msg("one again")
	must(b.Off())
	if got := said(t, dir, "one.log"); got != "node one, node one again" {
		t.Errorf("the first file says %q", got)
	}
	if got := said(t, dir, "two.log"); got != "node two" {
		t.Errorf("the second file says %q", got)
	}
}

func TestOnThatFailsChangesNothing(t *testing.T) {
	b, dir := on(t, zerolog.InfoLevel)
	bad := &badDisk{FS: files.Mem(), append: errFull}
	if err := b.On(bad, "other.log"); !errors.Is(err, errFull) {
		t.Fatalf("got %v", err)
	}
	log := b.Logger("node")
	log.Info().Msg("still here")
	if got := said(t, dir, "peer.log"); got != "node still here" {
		t.Errorf("the log says %q", got)
	}
}

func TestTail(t *testing.T) {
	b := logbook.New(zerolog.InfoLevel)
	log := b.Logger("node")
	for i := range 2750 {
		log.Info().Msgf("line %d", i)
		log.Debug().Msg("unheard")
	}
	for _, c := range []struct{ n, want int }{{-5, 0}, {0, 0}, {1, 1}, {500, 500}} {
		got := b.Tail(c.n)
		if len(got) != c.want {
			t.Errorf("Tail(%d) has %d lines, want %d", c.n, len(got), c.want)
			continue
		}
		for i, line := range got {
			if want := fmt.Sprintf(`"line %d"`, 2750-c.want+i); !strings.Contains(line, want) || strings.HasSuffix(line, "\n") {
				t.Fatalf("Tail(%d) has %q at %d; want %s", c.n, line, i, want)
			}
		}
	}
	if n := len(b.Tail(1 << 40)); n < 500 || n > 1000 {
		t.Errorf("%d lines are kept, want 500 to 1000", n)
	}
}

// badDisk fails in the ways that are set.
type badDisk struct {
	files.FS
	write, rename, append error
	size                  int64 // what files pretend to have more
}

func (d *badDisk) Rename(from, to string) error {
	if d.rename != nil {
		return d.rename
	}
	return d.FS.Rename(from, to)
}

func (d *badDisk) Append(name string, perm fs.FileMode) (files.Appender, error) {
	if d.append != nil {
		return nil, d.append
	}
	a, err := d.FS.Append(name, perm)
	return badAppender{a, d}, err
}

type badAppender struct {
	files.Appender
	disk *badDisk
}

func (a badAppender) Size() int64 { return a.Appender.Size() + a.disk.size }

func (a badAppender) Write(b []byte) (int, error) {
	if a.disk.write != nil {
		return 0, a.disk.write
	}
	return a.Appender.Write(b)
}

var errFull = errors.New("disk is full")

func TestRotation(t *testing.T) {
	b, disk := logbook.New(zerolog.InfoLevel), &badDisk{FS: files.Mem()}
	if err := b.On(disk, "peer.log"); err != nil {
		t.Fatal(err)
	}
	log := b.Logger("node")
	log.Info().Msg("one")
	disk.size = 8 << 20
	log.Info().Msg("two")
	disk.size = 0
	log.Info().Msg("three")
	if err := b.Off(); err != nil {
		t.Fatal(err)
	}
	if got := said(t, disk, "peer.log.old") + " | " + said(t, disk, "peer.log"); got != "node one | node two, node three" {
		t.Errorf("the files say %q", got)
	}
}

func TestFailingDiskDoesNotStop(t *testing.T) {
	for name, c := range map[string]struct {
		bad  badDisk
		lost bool // lines are missing then
	}{
		"no room":     {badDisk{write: errFull}, true},
		"no rename":   {badDisk{rename: errFull, size: 9 << 20}, false},
		"no new file": {badDisk{append: errFull, size: 9 << 20}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b, disk := logbook.New(zerolog.InfoLevel), &badDisk{FS: files.Mem()}
			if err := b.On(disk, "peer.log"); err != nil {
				t.Fatal(err)
			}
			log := b.Logger("node")
			log.Info().Msg("one")
			disk.write, disk.rename, disk.append, disk.size = c.bad.write, c.bad.rename, c.bad.append, c.bad.size
			for range 100 {
				log.Info().Msg("two")
			}
			if got := b.State(); !strings.HasSuffix(got, ", failed: disk is full") {
				t.Errorf("the state is %q; want the failure, once", got)
			}
			if n := len(b.Tail(1000)); n != 101 {
				t.Errorf("Tail has %d lines, want 101", n)
			}
			disk.write, disk.rename, disk.append = nil, nil, nil
			log.Info().Msg("three")
			if err := b.Off(); err != nil {
				t.Error(err)
			}
			if got := said(t, disk, "peer.log"); !strings.HasSuffix(got, "node three") {
				t.Errorf("the disk is well again, and the log says %q", got)
			}
			old, _ := disk.ReadFile("peer.log.old")
			if n := strings.Count(string(old), "two"); !c.lost && n != 100 {
				t.Errorf("%d of 100 lines were written while no new file could begin", n)
			}
		})
	}
}

func TestConcurrent(t *testing.T) {
	b, dir := on(t, zerolog.InfoLevel)
	var wg sync.WaitGroup
	for i := range 4 {
		log := b.Logger(logbook.Components()[i])
		wg.Go(func() {
			for n := range 250 {
				log.Info().Int("n", n).Msg("line")
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			_ = b.SetLevel("chat", zerolog.DebugLevel)
			_, _ = b.Tail(10), b.State()
			if err := errors.Join(b.On(dir, "other.log"), b.On(dir, "peer.log")); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	total := 0
	for _, name := range []string{"peer.log", "other.log"} {
		last := map[any]float64{}
		all, err := dir.ReadFile(name)
		if err != nil || len(all) == 0 {
			continue
		}
		for _, m := range lines(t, dir, name) {
			total++
			n := m["n"].(float64)
			if before, ok := last[m["component"]]; ok && n <= before {
				t.Fatalf("%v: line %v after %v", m["component"], n, before)
			}
			last[m["component"]] = n
		}
	}
	if total != 4*250 {
		t.Errorf("%d lines are in the files, want %d", total, 4*250)
	}
}
