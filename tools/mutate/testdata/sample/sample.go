// Package sample has what mutants are made of, and tests with holes.
package sample

import (
	"errors"
	"time"
)

// Grace is a constant, which stays as it is where it is declared.
const Grace = 2 * time.Second

var errMany = errors.New("too many")

// Judge uses most of what can be mutated.
func Judge(seen []int, want int, strict bool) (ok bool, err error) {
	sum := 0
	for _, n := range seen {
		if n < 0 {
			continue
		}
		sum += n
	}
	if sum > want && strict {
		return false, errMany
	}
	return sum<<1 == want<<1, nil
}

// Late is never called.
func Late(d time.Duration) bool { return d > Grace }

// Name has no effect that anybody looks at.
func Name(n int) (s string) {
	for i := 0; i < n; i++ {
		s += "x"
	}
	return "n" + s
}
