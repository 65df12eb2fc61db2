// Package trust holds what the test server must not be fooled by: a corpus of
// peers that lie and of scenarios that are broken, each with what the run has
// to be then. None of it may pass.
//
// It has tests only. They go through the whole product: the program testserver
// with its flags and its report, and peers that are processes. A lying peer is
// a real one whose link to the test server goes through a liar in the same
// process, which drops, doubles, reorders and forges what is said, or ends the
// process in some bad way. The test binary is both, the program and the peer.
//
// The package knows the program by its command line and its files, the link by
// its bytes, and nothing of the coordinator.
package trust
