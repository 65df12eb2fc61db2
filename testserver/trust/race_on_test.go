//go:build race

package trust_test

// raced tells whether this program looks for data races.
const raced = true
