# A group that is split becomes whole again, and a crash is noticed once: what
# the full form of the language can say.

peers alice bob charly
timeout 5s                                    # default deadline of waits

phase "everybody hears everybody, once"
all init
await converged within 5s
all msg hello
all expect chat "hello" count == 2            # messages received from others
all never chat "hello" for 500ms since now
! bob chatmemberping nobody                   # must fail
stderr "no chat member"

phase "split, then whole again"
fault partition alice | bob,charly {
  alice await members == alice within 20s
  bob   await members == bob,charly within 20s
  bob msg while apart
  alice never chat "while apart" for 2s
}
await converged within 15s
alice expect chat "while apart" count == 1 within 10s

phase "a crash is noticed, once"
kill charly
alice,bob await view(charly) == dead within 15s
alice,bob expect member "dead charly" count == 1
restart charly
await converged within 15s
check delivery
cleanup { all quit }
