# A session of alice in the group lab, saved on 2026-01-02 03:14 UTC.
# It repeats what was typed there, has the others say and do what they said and
# did, and expects that alice sees the same again. Change it as you like.
# Run it with: testserver run monday.cmd

peers alice
timeout 15s

phase "start"

phase "memberlistconfigure"
alice memberlistconfigure

phase "memberlistcreate"
alice memberlistcreate

phase "bootstrapjoin"
alice bootstrapjoin

phase "memberliststart"
alice memberliststart

phase "memberlistjoin"
alice memberlistjoin
spawn bob
bob init
alice await view(bob) == alive within 30s
alice expect member "joined bob" count == 1

phase "chatstart"
alice chatstart
bob msg hi
alice expect view "<bob> hi" count == 1
