# What differs between two values, one of them out of the peer.
# Run it with: peer NAME --dev --script scripts/explore/cmp.cmd

init
import github.com/google/go-cmp/cmp
#> ^cmp is github.com/google/go-cmp/cmp, of github.com/google/go-cmp v
go type card struct { Name, State string }; me := members()[0]
go cmp.Equal(card{me.Name, me.State}, card{"alice", "alive"})
#> ^true :: bool$
go fmt.Print(cmp.Diff(card{"alice", "dead"}, card{me.Name, me.State}))
#> ^-.*State: +"dead",$
#> ^\+.*State: +"alive",$
