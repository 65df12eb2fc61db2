package fast

import "reflect"

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

// bounds are two integers as those of v[low:high], if they are.
func bounds(v, low, high reflect.Value) (from, to int) {
	switch {
	case low.CanInt() && high.CanInt():
		return within(v, low.Int(), high.Int())
	case low.CanInt():
		return within(v, low.Int(), high.Uint())
	case high.CanInt():
		return within(v, low.Uint(), high.Int())
	}
	return within(v, low.Uint(), high.Uint())
}

func within[L, H int64 | uint64](v reflect.Value, low L, high H) (from, to int) {
	if v.Kind() == reflect.String {
		_ = v.String()[low:high]
	} else {
		_ = make([]struct{}, v.Len(), v.Cap())[low:high]
	}
	return int(low), int(high) //nolint:gosec // they are in range
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
