//go:build !race

package coordinator

// raced tells whether this program looks for data races.
const raced = false
