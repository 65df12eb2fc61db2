# The bootstrap service goes down, and comes back.
#
# It shows that the service is needed to find the group and for nothing else:
# those who know each other go on talking, notice a crash and take each other
# back without it. Who has been there before needs it no more than they do: he
# remembers them. Who is new is told what is wrong, and comes in when it is mended.
#
# Without it the service would be the one machine that must never fail.

peers alice bob charly
timeout 45s

phase "found by way of the service"
alice,bob init
await converged
alice await bootstrap contains bob

phase "it is down, and nobody in the group minds"
fault bootstrap down {
  alice msg can you hear me?
  bob expect chat "can you hear me?" count == 1
  # He starts from what he remembers: the service cannot tell him.
  restart bob
  await converged
  bob msg I can still hear you
  alice expect chat "I can still hear you" count == 1
}

phase "it is slow, and fails half of the time"
fault bootstrap slow 300ms
fault bootstrap errors 50%
alice msg it is ill
bob expect chat "it is ill" count == 1
? charly init # if he has bad luck he is told so
heal
charly init # and tries again; once is enough
await converged

phase "it is well, and lists everybody"
alice await bootstrap contains charly
all msg all here
all expect chat "all here" count == 2
check delivery

cleanup { all quit }
