# A look into the membership, and all ways to end it; each time init makes a
# new boot of the member in the same process: the numbers below are those of a
# peer whose data is new. It needs one more peer of the name bob in the group.
# Run it with: peer NAME --bare --script scripts/shell/membership.cmd

init
#> ; 1 other member$
localnode
#> ^boot +1$
#> ^state +alive
showmemberlist
#> ~\d+\.[0-9a-f]{6} +alive +you
#> ^bob~\d+\.[0-9a-f]{6} +alive
showmemberlist --json
#> "node": ".*~\d+\.[0-9a-f]{6}"
memberlisthealthscore
#> ^score \d
memberlisthealthscore --json
#> "score": \d
memberlistupdate
#> ^announced within
memberlistupdate 4
#> ^announced within

memberlistleave 3
#> ^left the group
memberlistleave                   # once more does no harm
#> ^left the group
localnode
#> ^state +left
init
#> ; 1 other member$
localnode
#> ^boot +2$
#> ^state +alive
members
#> ^bob +alive
msg back after leaving
#> ^delivered to 1

memberlistshutdown
#> ^shut down
memberlistshutdown
#> ^shut down
localnode
#> ^state +shut down
init
#> ; 1 other member$
localnode
#> ^boot +3$
members
#> ^bob +alive
msg back after a shutdown
#> ^delivered to 1

memberlistshutdowntransport
#> ^the transport is down
localnode
#> ^state +cut off
init
#> ; 1 other member$
localnode
#> ^boot +4$
msg back on another network
#> ^delivered to 1

memberlistdelete
#> ^there is no member
memberlistdelete
#> ^there is no member
localnode
#> ^state +not created
memberlistcreate                  # step by step does it, too
#> ^created at
bootstrapjoin
memberliststart
#> ^live as .*~5\.
localnode
#> ^boot +5$
memberlistjoin
#> ^joined; 1 address answered
chatstart
#> ^the chat is open
msg back from nothing
#> ^delivered to 1
