# The bootstrap service: what it knows, who is listed, and coming and going.
# It needs one more peer of the name bob in the group. A line that begins with
# "#>" is a pattern for what the commands before it print.
# Run it with: peer NAME --dev --bare --script scripts/shell/bootstrap.cmd

bootstrap
#> ^service +http://
bootstraplistlocal                # nobody has told this peer anything yet
#> ^(the service has given no list yet|NAME)
memberlistcreate
#> ^created at
bootstrapjoin
#> ^bob +\S+ +\d+
#> ^\S+ +\S+ +\d+ +1m30s
bootstraplistlocal
#> ^bob
bootstraplistlocal --json
#> "name": "bob"
bootstrappeers
#> ^bob
bootstrapconfig
#> ^maxpeers +64
#> ^minrefillcandidates +16
bootstrapconfig 1 5               # bob was first; this peer has to stand by
#> ^maxpeers +1$
#> ^minrefillcandidates +5$
bootstraprefill
#> ^on standby: the list has its 1 peers
bootstrapconfig 64 16 --json
#> "maxPeers": 64
bootstraprefill
#> ^listed
bootstrapleave
#> ^not listed any more
bootstrapleave                    # once more does no harm
#> ^this peer is not listed
bootstrapjoin
#> ^bob
bootstrapreset
#> ^the service has forgotten all peers
bootstrappeers
#> ^no peer is listed yet
bootstrapjoin
#> ^NAME
bootstrapswitch local             # the one it uses already
#> ^http://\S+ -> http://\S+$
bootstrappeers --json
#> "boot":
