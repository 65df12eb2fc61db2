package fast

import (
	"fmt"
	"reflect"
	"runtime"

	"github.com/peerlab/peerlab/peer/explore/live"
)

// Table returns what expressions may use of a package, by name: functions,
// pointers to variables, types, and constants as mirror.Const; nil for other
// packages. For functions that write to the terminal, or cannot be stopped, it
// has what compiled lines have.
func Table(path string) map[string]any {
	all := table(path)
	switch path {
	case "time":
		all["Sleep"] = live.Sleep
	case "fmt":
		all["Print"], all["Println"], all["Printf"] = live.Printer(fmt.Fprint), live.Printer(fmt.Fprintln), live.Formatter(fmt.Fprintf)
	}
	return all
}

// receive prepares <-c, which ends with its line.
func receive(n node) (node, bool) {
	if n.live.Kind() != reflect.Chan {
		return node{}, false
	}
	return node{live: n.live.Elem(), get: func() reflect.Value {
		c := still(n.get())
		if v, _ := c.TryRecv(); v.IsValid() {
			return v
		}
		which, v, _ := reflect.Select([]reflect.SelectCase{
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(live.Done())}, {Dir: reflect.SelectRecv, Chan: c},
		})
		if which == 0 {
			runtime.Goexit()
		}
		return v
	}}, true
}
