//go:build unix

package readline

import (
	"errors"
	"io"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// The control characters that the library understands as keys.
const (
	keyHome      = 1
	keyLeft      = 2
	keyInterrupt = 3
	keyDelete    = 4 // on an empty line it is the end of input
	keyEnd       = 5
	keyRight     = 6
	keyDown      = 14
	keyUp        = 16
	keyStop      = 26
	keyEscape    = 27
	keyBell      = 7  // ends a search, and is nothing otherwise
	keyPrefix    = 24 // ctrl-X: before ctrl-E it means keyEdit

	// No terminal's key becomes one of these; keyPaste and keyEdit are how the
	// library is told that something was pasted, and that the line is wanted
	// in an editor.
	unusedKeys = "\x00\x0f\x11\x16\x18\x1c\x1d\x1e\x1f"
	keyPaste   = 29
	keyEdit    = 30
)

// pastePause is how long a paste may pause, in milliseconds. One whose end was
// lost is over then, so that the keyboard does not stay dead.
const pastePause = 5000

// keys reads the terminal for the library, and translates what terminals send
// into the keys that it knows. It reads one byte at a time: what is typed
// ahead stays in the terminal, for whoever reads it next.
type keys struct {
	fd    int
	empty func() bool // nothing is on the line
	stop  func()      // ctrl-Z

	wakeRead, wakeWrite int // a pipe that ends a wait

	mu        sync.Mutex
	closed    bool
	hungUp    bool     // the terminal is gone
	interrupt bool     // until it is taken back, every key is ctrl-C
	pastes    [][]rune // what was pasted and is not yet on the line
	lent      bool     // the terminal's keys are for an editor

	ready []byte // translated and not yet read; of Read
	seq   []byte // an unfinished escape sequence; of Read
	begun bool   // ctrl-X was the last key; of Read
	paste paste  // one under way; of Read
	quiet int    // how long a paste may pause, in milliseconds
}

func newKeys(fd int, empty func() bool, stop func()) (*keys, error) {
	var p [2]int
	if err := unix.Pipe(p[:]); err != nil {
		return nil, err
	}
	for _, fd := range p {
		unix.CloseOnExec(fd)
		_ = unix.SetNonblock(fd, true)
	}
	return &keys{fd: fd, empty: empty, stop: stop, wakeRead: p[0], wakeWrite: p[1], quiet: pastePause}, nil
}

// Read returns the next key. After close, and when the terminal is gone, it is
// io.EOF. It implements io.Reader; one goroutine may call it.
func (k *keys) Read(p []byte) (int, error) {
	for {
		closed, interrupt := k.state()
		switch {
		case closed:
			return 0, io.EOF
		case interrupt:
			p[0] = keyInterrupt
			return 1, nil
		case len(k.ready) > 0:
			n := copy(p, k.ready)
			k.ready = k.ready[n:]
			return n, nil
		}
		if err := k.next(); err != nil {
			k.mu.Lock()
			k.hungUp = true
			k.mu.Unlock()
			return 0, err
		}
	}
}

// Close implements io.Closer for the library; our own close ends a Read.
func (k *keys) Close() error { return nil }

func (k *keys) state() (closed, interrupt bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.closed, k.interrupt
}

// next waits for a byte, or for wake, and translates it.
func (k *keys) next() error {
	fds := []unix.PollFd{{Fd: int32(k.fd), Events: unix.POLLIN}, {Fd: int32(k.wakeRead), Events: unix.POLLIN}}
	limit := -1
	switch {
	case k.isLent():
		fds[0].Fd = -1 // it is not looked at
	case k.paste.on:
		limit = k.quiet
	}
	switch ready, err := unix.Poll(fds, limit); {
	case err != nil:
		return again(err)
	case ready == 0:
		k.endPaste()
		return nil
	}
	if fds[1].Revents != 0 {
		var buf [16]byte
		_, _ = unix.Read(k.wakeRead, buf[:])
		return nil
	}
	var b [1]byte
	n, err := unix.Read(k.fd, b[:])
	switch {
	case err != nil:
		return again(err)
	case n == 0:
		return io.EOF
	}
	k.translate(b[0])
	return nil
}

// again is nil for an error after which one tries once more, io.EOF for a
// terminal that hung up.
func again(err error) error {
	switch {
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		return nil
	case errors.Is(err, unix.EIO):
		return io.EOF
	}
	return err
}

func (k *keys) wake() { _, _ = unix.Write(k.wakeWrite, []byte{0}) }

// cancel makes the line end as by ctrl-C.
func (k *keys) cancel() {
	k.mu.Lock()
	k.interrupt = true
	k.mu.Unlock()
	k.wake()
}

// resume takes cancel back.
func (k *keys) resume() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.interrupt = false
}

// takeBack ends the time in which no key is read, which keyEdit began.
func (k *keys) takeBack() {
	k.mu.Lock()
	k.lent = false
	k.mu.Unlock()
	k.wake()
}

func (k *keys) isLent() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lent
}

// end makes Read return io.EOF from now on.
func (k *keys) end() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.wake()
}

// gone tells that there are no more keys, because the terminal is gone.
func (k *keys) gone() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.hungUp
}

// release closes the pipe. No Read may be under way, nor come later.
func (k *keys) release() {
	_ = unix.Close(k.wakeRead)
	_ = unix.Close(k.wakeWrite)
}

// translate takes one byte from the terminal. Escape sequences become keys or
// nothing; control characters that are no keys are dropped, so that none gets
// into a line.
func (k *keys) translate(b byte) {
	switch {
	case k.paste.on:
		if k.paste.add(b) {
			k.endPaste()
		}
	case len(k.seq) > 0:
		k.sequence(b)
	case b == keyEnd && k.begun:
		k.lend()
	case b == keyEscape:
		k.seq = append(k.seq, b)
	case b == keyStop:
		k.stop()
	case strings.IndexByte(unusedKeys, b) < 0:
		k.ready = append(k.ready, b)
	}
	k.begun = b == keyPrefix && !k.paste.on && len(k.seq) == 0
}

// lend asks for an editor. Whatever is typed from now on is for it: nothing is
// read before takeBack.
func (k *keys) lend() {
	k.mu.Lock()
	k.lent = true
	k.mu.Unlock()
	k.ready = append(k.ready, keyEdit)
}

// endPaste hands over what was pasted.
func (k *keys) endPaste() {
	text := k.paste.take()
	k.mu.Lock()
	k.pastes = append(k.pastes, text)
	k.mu.Unlock()
	k.ready = append(k.ready, keyPaste)
}

// pasted returns the text of the next keyPaste.
func (k *keys) pasted() []rune {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.pastes) == 0 {
		return nil
	}
	text := k.pastes[0]
	k.pastes = k.pastes[1:]
	return text
}

// sequence takes one byte after an escape.
func (k *keys) sequence(b byte) {
	if len(k.seq) == 1 {
		switch {
		case b == '[', b == 'O':
			k.seq = append(k.seq, b)
		case b == keyEscape:
		case strings.IndexByte("bfd\x7f\x14", b) >= 0:
			k.ready, k.seq = append(k.ready, keyEscape, b), k.seq[:0]
		default: // a lone escape, then a key
			k.seq = k.seq[:0]
			k.translate(b)
		}
		return
	}
	if b >= 0x20 && b < 0x40 && k.seq[1] == '[' { // a parameter
		if len(k.seq) < 32 {
			k.seq = append(k.seq, b)
		}
		return
	}
	params := string(k.seq[2:])
	k.seq = k.seq[:0]
	if b < 0x20 || b == 0x7f { // not part of any sequence
		k.translate(b)
		return
	}
	k.ready = append(k.ready, k.named(params, b)...)
}

// named is the key that a control sequence stands for, or nothing.
func (k *keys) named(params string, final byte) []byte {
	ctrl := strings.HasSuffix(params, ";5") || params == "5"
	switch {
	case ctrl && final == 'C':
		return []byte{keyEscape, 'f'}
	case ctrl && final == 'D':
		return []byte{keyEscape, 'b'}
	case final == '~' && params == pasteBegin:
		k.paste.on = true
		return nil
	case final == '~':
		return k.numbered(params)
	}
	if i := strings.IndexByte("ABCDHF", final); i >= 0 {
		return []byte{"\x10\x0e\x06\x02\x01\x05"[i]}
	}
	return nil
}

func (k *keys) numbered(params string) []byte {
	switch params {
	case "1", "7":
		return []byte{keyHome}
	case "4", "8":
		return []byte{keyEnd}
	case "3":
		if !k.empty() {
			return []byte{keyDelete}
		}
	}
	return nil
}
