package readline

import "github.com/peerlab/peerlab/repl"

// RestoreOnPanic, deferred in a goroutine, gives r's terminal back as it was
// found if that goroutine panics, and panics on:
//
//	go func() {
//		defer readline.RestoreOnPanic(r)
//		...
//	}()
//
// A panic ends a program without the deferred calls of other goroutines, so
// that the Close which the main one has deferred is not enough. For a process
// that is killed nothing can be done here; the shell around it, or the command
// "stty sane", puts the terminal right. Any r will do, nil too.
func RestoreOnPanic(r repl.LineReader) {
	v := recover()
	if v == nil {
		return
	}
	if r, ok := r.(interface{ restore() }); ok {
		r.restore()
	}
	panic(v)
}
