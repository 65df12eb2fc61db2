# A session of alice in the group lab, saved on 2026-01-02 03:14 UTC.
# It repeats what was typed there, has the others say and do what they said and
# did, and expects that alice sees the same again. Change it as you like.
# Run it with: testserver run monday.cmd

peers alice bob charly
timeout 15s

phase "start"
all init
await converged within 30s

phase "msg who is there"
alice msg who is there
bob,charly expect chat "who is there" from:alice count == 1
kill charly
alice await view(charly) == dead within 30s
alice expect member "dead charly" count == 1
alice expect view "<lost> charly is gone" count == 1

phase "msg charly?"
alice msg charly?
restart charly
await converged within 30s
alice expect member "back charly" count == 1
alice expect view "<joined> charly is back" count == 1
charly msg sorry
alice expect view "<charly> sorry" count == 1
stop bob
alice expect view "<left> bob is leaving" count == 1
alice await view(bob) == absent within 30s
alice expect member "left bob" count == 1
spawn dora
dora init
await converged within 30s
alice expect member "joined dora" count == 1
alice expect view "<joined> dora has joined" count == 1
dora chatleave
alice expect view "<left> dora is leaving" count == 1

phase "members"
alice members
dora chatstart
alice expect view "<joined> dora has joined" count == 1
restart bob
await converged within 30s
alice expect member "joined bob" count == 1
alice expect view "<joined> bob is back" count == 1
kill dora
alice await view(dora) == dead within 30s
alice expect member "dead dora" count == 1
alice expect view "<lost> dora is gone" count == 1
restart dora
await converged within 30s
alice expect member "back dora" count == 1
alice expect view "<joined> dora is back" count == 1
kill bob
alice await view(bob) == dead within 30s
alice expect member "dead bob" count == 1
alice expect view "<lost> bob is gone" count == 1
restart fresh bob
await converged within 30s

phase "memberlistleave"
alice memberlistleave
# Not repeated: left dora, while this peer was not in the group

phase "init"
alice init
