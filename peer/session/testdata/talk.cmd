# A session of alice in the group lab, saved on 2026-01-02 03:14 UTC.
# It repeats what was typed there, has the others say and do what they said and
# did, and expects that alice sees the same again. Change it as you like.
# Run it with: testserver run monday.cmd

peers alice bob charly
timeout 15s

phase "start"
all init
await converged within 30s

phase "msg hello"
alice msg hello
bob,charly expect chat "hello" from:alice count == 1
bob msg hello alice
alice expect view "<bob> hello alice" count == 1

phase "chatmemberping nobody"
! alice chatmemberping nobody
bob msg "hello", got it
alice expect view "<bob> \"hello\", got it" count == 1
charly msg 5$ a\b
alice expect view "<charly> 5$$ a\\b" count == 1
bob msg again
alice expect view "<bob> again" count == 1
bob msg again
alice expect view "<bob> again" count == 2

phase "echo 5$$"
alice echo 5$$
bob broadcastadd motto ever onwards
alice expect broadcast "add motto" count == 1
bob broadcastdel motto
alice expect broadcast "del motto" count == 1
# Not repeated: bob set a value whose text has characters that a shell takes for its own
