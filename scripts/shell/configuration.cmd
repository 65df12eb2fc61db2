# The configuration of the membership: make it, show it, save it, load it. A
# loaded one makes a member that can do all that others can. It needs one more
# peer of the name bob in the group.
# Run it with: peer NAME --bare --script scripts/shell/configuration.cmd

memberlistconfigure ProbeInterval 700ms SuspicionMult 5
#> ^ProbeInterval +700ms +changed
#> ^SuspicionMult +5 +changed
showconfig
#> ^ProbeInterval +700ms +changed
showconfig --json
#> "name": "AwarenessMaxMultiplier"
saveconfig saved.json
#> ^saved to .*saved.json
memberlistconfigure ProbeInterval 900ms SuspicionMult 4
#> ^ProbeInterval +900ms +changed
#> ^SuspicionMult +4 *$
loadconfig saved.json
#> ^loaded saved.json
showconfig
#> ^ProbeInterval +700ms +changed
#> ^SuspicionMult +5 +changed
memberlistcreate
memberliststart
#> ^live as
memberlistjoin
#> ^(joined; \d+ address|nobody to join yet)
bootstrapjoin
#> ^bob
memberlistjoin
#> ^(joined; \d+ address|nobody to join yet)
chatstart
#> ^the chat is open
msg loaded and chatting
#> ^delivered to 1
saveconfig                        # to memberlist.json
#> ^saved to .*memberlist.json
