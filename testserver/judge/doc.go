// Package judge decides what holds in a run: how many events of which kind
// there were (Store), whether a peer sees what it should (State), whether the
// peers have converged (Views), and whether a whole journal keeps promises
// (Checker). It is a function of what the peers said: no sockets, no
// goroutines, no clock; time comes in as an argument. Nothing that was said is
// forgotten, so an assertion misses nothing that happened before it was made.
package judge
