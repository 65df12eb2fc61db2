# A session of alice in the group lab, saved on 2026-01-02 03:14 UTC.
# It repeats what was typed there, has the others say and do what they said and
# did, and expects that alice sees the same again. Change it as you like.
# Run it with: testserver run monday.cmd

peers alice
timeout 15s

phase "start"
all init
await converged within 30s

phase "msg anybody"
alice msg anybody
