# Fifty peers on one machine.
#
# It shows that nothing in the group grows with its size so that it breaks:
# fifty processes find each other, each knows the other forty-nine, a word of
# one reaches all of them, and five that crash at once are noticed by everybody.
#
# Without it a list of ten, a queue of sixteen or a table that is sent as one
# packet would be found by somebody who has more friends than we have.

peers p[1..50]
timeout 60s

phase "fifty meet"
# All at once: who gets no answer from the bootstrap service asks it again.
all init
await converged
all await members.count == 50

phase "one speaks, fifty hear it"
p1 msg hello, all of you
others(p1) expect chat "hello, all of you" count == 1
p50 msg hello, p1
others(p50) expect chat "hello, p1" count == 1

phase "five crash at once"
kill p[21..25]
all await members.count == 45
p2 msg are we all here?
others(p2) expect chat "are we all here?" count == 1
check delivery
