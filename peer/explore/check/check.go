// Package check is the front end of a session of Go: what an input is made of,
// whether it is complete, what its names mean, what is wrong with it.
package check
