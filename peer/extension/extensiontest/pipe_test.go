package extensiontest

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPipe(t *testing.T) {
	cases := []struct {
		name string
		f    func(t *testing.T, a, b *end)
	}{
		{"carries bytes after its delay", func(t *testing.T, a, b *end) {
			start := time.Now()
			a.Write([]byte("one "))
			time.Sleep(5 * time.Millisecond)
			a.Write([]byte("two"))
			a.Close()
			got, err := io.ReadAll(b)
			if string(got) != "one two" || err != nil || time.Since(start) != 15*time.Millisecond {
				t.Errorf("read %q, %v, after %v", got, err, time.Since(start))
			}
		}},
		{"blocks a writer who is too far ahead", func(t *testing.T, a, b *end) {
			go func() {
				time.Sleep(time.Second)
				io.CopyN(io.Discard, b, 10)
			}()
			start := time.Now()
			n, err := a.Write(make([]byte, window+10))
			if n != window+10 || err != nil || time.Since(start) != time.Second {
				t.Errorf("wrote %d, %v, after %v", n, err, time.Since(start))
			}
		}},
		{"keeps deadlines", func(t *testing.T, a, b *end) {
			a.SetDeadline(time.Now().Add(time.Second))
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read: %v", err)
			}
			a.SetDeadline(time.Now().Add(time.Second))
			if _, err := a.Write(make([]byte, window+1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write: %v", err)
			}
		}},
		{"breaks a write when the reader closes", func(t *testing.T, a, b *end) {
			time.AfterFunc(time.Second, func() { b.Close() })
			if _, err := a.Write(make([]byte, window+1)); !errors.Is(err, errReset) {
				t.Errorf("write: %v", err)
			}
		}},
		{"delivers nothing while stalled, and all of it later", func(t *testing.T, a, b *end) {
			a.stall(true)
			a.Write([]byte("late"))
			b.SetReadDeadline(time.Now().Add(time.Minute))
			if n, err := b.Read(make([]byte, 9)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read %d, %v", n, err)
			}
			b.SetReadDeadline(time.Time{})
			a.stall(false)
			a.Close()
			if got, err := io.ReadAll(b); string(got) != "late" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
		}},
		{"loses what is under way when reset", func(t *testing.T, a, b *end) {
			a.Write([]byte(strings.Repeat("x", 10)))
			a.reset()
			if n, err := b.Read(make([]byte, 9)); n > 0 || !errors.Is(err, errReset) {
				t.Errorf("read %d, %v", n, err)
			}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := newPipe(10 * time.Millisecond)
				c.f(t, a, b)
				a.Close()
				b.Close()
			})
		})
	}
}
