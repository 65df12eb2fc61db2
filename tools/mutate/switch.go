package main

import (
	"fmt"
	"strconv"
)

// The environment by which one mutant is switched on, and the file that takes
// the numbers of those that were reached.
const (
	envMutant  = "MUTANT"
	envReached = "MUTANTS_REACHED"
)

func itoa(n int) string { return strconv.Itoa(n) }

// switches is the source of the file that each mutated package gets: the
// functions by which its mutants are switched on.
func switches(name string) []byte {
	return fmt.Appendf(nil, `package %s

import (
	"cmp"
	"os"
	"strconv"
	"sync"
)

var mutantNow, mutantSeen = mutantStart()

type mutantLog struct {
	mu   sync.Mutex
	file *os.File
	seen map[int]bool
}

func mutantStart() (int, *mutantLog) {
	n, _ := strconv.Atoi(os.Getenv(%q))
	name := os.Getenv(%q)
	if name == "" {
		return n, nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	return n, &mutantLog{file: f, seen: map[int]bool{}}
}

func mutantOn(n int) bool {
	if mutantSeen != nil {
		mutantSeen.note(n)
	}
	return n == mutantNow
}

func (l *mutantLog) note(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.seen[n] {
		l.seen[n] = true
		_, _ = l.file.WriteString(strconv.Itoa(n) + "\n")
	}
}

func mutantEither[T any](n int, v, other T) T {
	if mutantOn(n) {
		return other
	}
	return v
}

func mutantNone[T any](n int, v T) T {
	if mutantOn(n) {
		var none T
		return none
	}
	return v
}

func mutantLess[T cmp.Ordered](n, m int, a, b T) bool {
	return (mutantOn(n) && a == b || a < b) != mutantOn(m)
}

func mutantMore[T cmp.Ordered](n, m int, a, b T) bool {
	return (mutantOn(n) && a == b || a > b) != mutantOn(m)
}

func mutantAtMost[T cmp.Ordered](n, m int, a, b T) bool {
	return (!(mutantOn(n) && a == b) && a <= b) != mutantOn(m)
}

func mutantAtLeast[T cmp.Ordered](n, m int, a, b T) bool {
	return (!(mutantOn(n) && a == b) && a >= b) != mutantOn(m)
}

type mutantNumber interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float32 | ~float64
}

func mutantAdd[T mutantNumber](n int, a, b T) T {
	if mutantOn(n) {
		return a - b
	}
	return a + b
}

func mutantSub[T mutantNumber](n int, a, b T) T {
	if mutantOn(n) {
		return a + b
	}
	return a - b
}

func mutantMul[T mutantNumber](n int, a, b T) T {
	if mutantOn(n) {
		return a / b
	}
	return a * b
}

func mutantDiv[T mutantNumber](n int, a, b T) T {
	if mutantOn(n) {
		return a * b
	}
	return a / b
}

var _ = mutantEither[int]
`, name, envMutant, envReached)
}
