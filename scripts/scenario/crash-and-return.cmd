# A crash, and the return of the one who crashed.
#
# It shows that nobody has to be told of a crash: the others notice, each of
# them once. A message to somebody who is lost is kept for him, and he gets it
# once when he is back: the same peer for the others, though his process, his
# port and his boot are new.
#
# Without it a group would either wait for the dead or forget the living: who
# comes back quickly is easily taken for his own ghost.

peers alice bob charly
timeout 45s

phase "three are there"
all init
await converged
all msg good morning
all expect chat "good morning" count == 2

phase "one crashes"
kill charly
alice,bob expect view "<lost> charly is gone" count == 1
alice,bob await view(charly) == dead
bob msg charly, are you there?
alice msg he is not

phase "he is back"
restart charly
await converged
alice,bob expect view "<joined> charly is back" count == 1
charly expect chat "charly, are you there?" count == 1
charly expect chat "he is not" count == 1
charly msg I fell asleep
alice,bob expect chat "I fell asleep" count == 1

phase "he is back before anybody has noticed"
kill charly
restart charly
await converged
alice,bob expect member "back charly" count == 1
alice,bob never view "<lost> charly is gone" for 1s
check delivery
check order

cleanup { all quit }
