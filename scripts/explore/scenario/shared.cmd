# The same lines in three peers: each is linked once, and loaded by all. Peers
# that have been told the same have the same; what they hold is their own.
# Run it with: testserver run scripts/explore/scenario/shared.cmd

peers alice bob charly
timeout 1m

phase "what one is told all know"
all init
await converged within 10s
all go type seen struct{ name string; members int }
all go func look() seen { return seen{peer.Name(), len(members())} }
all go mine := look(); mine.members++
all go mine.members == 4

phase "each has its own"
alice go mine.name == "alice"
charly go mine.name == "charly"
bob go mine.members += 10
bob go mine.members == 14
alice go mine.members == 4
