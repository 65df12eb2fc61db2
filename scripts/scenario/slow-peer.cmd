# A peer that is slow, and one that stands still.
#
# It shows that slowness is no death: a peer whose link is slow stays a member
# and loses nothing. One that stands still for a second, as a busy machine makes
# it, is at most suspected. One that stands still for longer is called lost, is
# told so when it goes on, refutes it, and gets what it has missed, once.
#
# Without it the slowest peer would decide who is alive; or everybody would wait
# for him before the next word.

peers alice bob slow
timeout 45s

phase "they meet"
all init
await converged

phase "a slow link"
fault link slow <-> alice,bob latency 150ms jitter 50ms {
  all msg take your time
  all expect chat "take your time" count == 2
  alice,bob stable view(slow) == alive for 3s
}

phase "a short sleep"
pause slow
alice msg are you asleep?
resume slow
slow expect chat "are you asleep?" count == 1
await converged

phase "a long sleep"
pause slow
alice,bob await view(slow) == dead
alice msg he must have fallen asleep
bob expect chat "he must have fallen asleep" count == 1
resume slow
await converged
slow expect chat "he must have fallen asleep" count == 1
slow msg I was thinking
alice,bob expect chat "I was thinking" count == 1
check delivery
check order

cleanup { all quit }
