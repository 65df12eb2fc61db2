# The sixth fallacy: there is one administrator.
#
# It shows a group in which everybody has set up his own peer as he thought best:
# one looks after the others five times a second, another one every two seconds,
# a third one gossips with a single neighbour. One shortens the list of the
# bootstrap service, so that most of them are on standby; one starts over with
# other settings. They are one group all the same.
#
# Without it a group would hold together as long as all its members were set up
# by the same hand on the same day.

peers hasty calm shy late
timeout 45s

phase "everybody has other settings"
hasty memberlistconfigure ProbeInterval 200ms ProbeTimeout 150ms
calm memberlistconfigure ProbeInterval 2s GossipInterval 500ms
shy memberlistconfigure GossipNodes 1 IndirectChecks 1
hasty,calm,shy init
await converged
others(late) msg hello
hasty,calm,shy expect chat "hello" count == 2

phase "one changes the service for all"
calm bootstrapconfig 1 3
late init
await converged
late msg I was told of one, and know you all
hasty,calm,shy expect chat "I was told of one, and know you all" count == 1

phase "one changes his mind"
hasty memberlistleave
hasty memberlistconfigure ProbeInterval 1s ProbeTimeout 500ms
hasty init
await converged
hasty msg I have calmed down
calm,shy,late expect chat "I have calmed down" count == 1
check delivery
check membership

cleanup { all quit }
