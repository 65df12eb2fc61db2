// Package local is the world of a scenario in which peers are processes of
// this machine. It listens on one free loopback port, for the test link and
// for a bootstrap service of the run's own, and gives each peer a directory
// below that of the run:
//
//	data                     what the peer keeps
//	work                     where its commands run, with the attached files
//	data.before-2, ...       what a fresh boot, the second one, did not find
//	stdout, stderr, exit     of its first boot
//	stdout.2, stderr.2, ...  of its second one
//
// Boots are told apart by the number that the peer counts in its data. A
// fresh boot has nothing of earlier ones but that number and the peer's key.
//
// No process outlives its runner, however that ends. On Linux the kernel sees
// to it (a child gets SIGKILL when the thread that started it dies, stopped or
// not); elsewhere a watchdog process does, which notices that its pipe from
// the runner has ended.
package local
