package live

import "unsafe"

// label and labels have the layout of internal/runtime/pprof/label.Set, which
// runtime/pprof hangs to a goroutine. TestLabelled fails if it ever changes.
type label struct{ key, value string }

type labels struct{ list []label }

// profLabel is reached by its linker name, since importing runtime/pprof would
// put compressors and printers into every plugin.
//
//go:linkname profLabel runtime/pprof.runtime_getProfLabel
func profLabel() unsafe.Pointer

// labelled returns the name of the line that the calling goroutine belongs to.
func labelled() string {
	set := (*labels)(profLabel())
	if set == nil {
		return ""
	}
	for _, l := range set.list {
		if l.key == LabelKey {
			return l.value
		}
	}
	return ""
}
