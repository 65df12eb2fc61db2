# The fifth fallacy: topology doesn't change.
#
# It shows a group whose shape changes under it. A way between two of them is
# gone, and a third one vouches for them; one moves to another address; one comes
# who was not there; one goes. After each change everybody sees who is there.
#
# Without it an address would be taken for a person, and a broken way for a death.

peers alice bob charly
timeout 45s

all init
await converged

phase "a way is gone, and there is a way round"
fault partition alice | charly {
  alice stable view(charly) == alive for 4s
  charly stable view(alice) == alive for 100ms
  alice msg I cannot reach you, and bob can
  bob expect chat "I cannot reach you, and bob can" count == 1
}
charly expect chat "I cannot reach you, and bob can" count == 1

phase "one moves"
kill bob
restart bob
await converged
alice,charly expect member "back bob" count == 1

phase "one comes, one goes"
spawn dave
dave init
await converged
stop charly
alice,bob,dave await members == alice,bob,dave
alice msg who is there?
bob,dave expect chat "who is there?" count == 1
check delivery

cleanup { all quit }
