# The network between this peer and others, broken and mended. It needs one
# more peer of the name bob in the group. What a peer sets holds for its own
# traffic: this one must be on one side, and everybody else lets things pass.
# Run it with: peer alice --dev --script scripts/shell/faults.cmd

init
net
#> ^no fault is in force$

# Everything to bob and back is late now: a ping takes 200 ms, and more.
net link alice <-> bob latency 100ms jitter 10ms
#> ^fault 1: link alice <-> bob latency 100ms jitter 10ms; between this peer and bob$
net oneway alice -> bob
#> ^fault 2: oneway alice -> bob; between this peer and bob$
net show
#> ^FAULT +WHAT +WITH$
#> ^1 +link alice <-> bob latency 100ms jitter 10ms +bob$
#> ^2 +oneway alice -> bob +bob$
#> ^PEER +ADDRESS +TO IT +FROM IT$
#> ^bob +\S+:\d+ +cut +latency 100ms jitter 10ms$
net show --json
#> ^ +"to": "cut",$
net heal 2
#> ^healed 2: oneway alice -> bob$
net heal
#> ^healed 1: link alice <-> bob latency 100ms jitter 10ms$

# all are those that the other sides do not name.
net partition alice | all
#> ^fault 3: partition alice \| all; between this peer and bob$
net heal
#> ^healed 3: partition alice \| all$
net heal
#> ^no fault is in force$
net reset alice <-> bob
#> ^\d+ streams? broken with bob$
