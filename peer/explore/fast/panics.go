package fast

import (
	"math"
	"reflect"
)

// The panics of Go, by doing what panics. An array of empty structs of the
// right length costs nothing.

func nilDereference() {
	var p *int
	_ = *p
}

// inRange is an index as an int, if it is one of n elements.
func inRange(i reflect.Value, n int) int {
	if i.CanInt() {
		at := i.Int()
		_ = make([]struct{}, n)[at]
		return int(at)
	}
	at := i.Uint()
	_ = make([]struct{}, n)[at]
	return int(at) //nolint:gosec // it is below n
}

// whole is an integer as an int; one too large for it is no bound of anything,
// as the largest int is not.
func whole(i reflect.Value) int {
	if i.CanInt() {
		return int(i.Int())
	}
	return int(min(i.Uint(), math.MaxInt)) //nolint:gosec // bounded
}

// checkSlice panics as v[low:high] does.
func checkSlice(v reflect.Value, low, high int) {
	if v.Kind() == reflect.String {
		_ = v.String()[low:high]
		return
	}
	_ = make([]struct{}, v.Len(), v.Cap())[low:high]
}

// distance is by how many bits to shift.
func distance(n reflect.Value) uint64 {
	if n.CanUint() {
		return n.Uint()
	}
	by := n.Int()
	_ = 1 << by // a negative one panics
	return uint64(by)
}
