package files

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// syncDir does nothing: Windows has no such call, and keeps the names of
// files safe by itself.
func syncDir(*os.Root, string) error { return nil }

// rename tries again for up to a second while somebody has the old file open,
// which Windows does not allow.
func rename(root *os.Root, from, to string) error {
	for attempt := 1; ; attempt++ {
		err := root.Rename(from, to)
		busy := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !busy || attempt == 100 {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
