# A session of alice in the group lab, saved on 2026-01-02 03:14 UTC.
# It repeats what was typed there, has the others say and do what they said and
# did, and expects that alice sees the same again. Change it as you like.
# Run it with: testserver run monday.cmd

peers alice bob charly
timeout 15s

phase "start"
all init
await converged within 30s
# Not repeated: shell rm -rf / (it runs something on the machine)
# Not repeated: save x.cmd (it works with files, or looks at the session itself)
# Not repeated: sleep 2 (the scenario waits for what has to happen instead)
# Not repeated: execute other.cmd (the commands of the file follow, or came before this, one by one)
# Not repeated: net partition alice | bob (it is a fault by hand; in a scenario that is a fault statement)
# Not repeated: testfilter messagesView 1 <bob> x (it belongs to a test that was running)
# Not repeated: expct { (there is no such command)
# Not repeated: foo bar (there is no such command)
# Not repeated: await x (there is no such command)
# Not repeated: dave said "hi", and is not there now
# Not repeated: members (it is longer than what the journal keeps of it)
# Not repeated: quit (it ends the peer; the scenario ends it anyway)
