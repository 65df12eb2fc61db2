// Command mutate measures how much of a package its tests would notice. It
// makes small faults in the sources, mutants, and runs the tests against each:
// a mutant that no test turns red has survived, and shows a line that may be
// wrong without anybody learning of it.
//
//	mutate [flags] PACKAGE[:FUNCTIONS] ...
//
// FUNCTIONS is a regular expression for the names of functions and methods;
// without it all are mutated. Tests come from -tests, in that order; a mutant
// is dead as soon as one of them fails or does not end in time.
//
// All mutants are compiled in at once, switched off, and the environment of
// one run of the tests switches one on. So each test binary is built once,
// with the sources of the mutants as an overlay: nothing in the checkout
// changes, and every fault costs one run of fast tests.
//
// Mutants that change nothing that can be seen may be listed in a file
// (-except), each with its reason. A line of that file that names no mutant,
// or one that is killed, is an error, so the list cannot go stale.
//
// Only the go command and the standard library are needed.
package main
