# A session of alice in the group lab, saved on 2026-01-02 03:14 UTC.
# It repeats what was typed there, has the others say and do what they said and
# did, and expects that alice sees the same again. Change it as you like.
# Run it with: testserver run monday.cmd

peers alice bob charly
timeout 15s

phase "start"
all init
await converged within 30s
# Not repeated: go y := f() (it failed: panic: mid)
# Not repeated: go y (a line of Go before it, on which it may depend, is not repeated)

phase "msg hello"
alice msg hello
bob,charly expect chat "hello" from:alice count == 1
