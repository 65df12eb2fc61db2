# Go inside a live peer: values, names that stay, the peer itself.
# It needs one more peer of the name bob in the group.
# Run it with: peer NAME --dev --script scripts/explore/basics.cmd

init
doctor
#> ^Go can be compiled for this peer$
go 6 * 7
#> ^42 :: int$
go len(members())
#> ^2 :: int$
go len(members()) == 2
#> ^true :: bool$
go peer.Members()
#> ^\[alice bob\] :: \[\]lab\.Member$
go x := 20; x++
go x * 2
#> ^42 :: int$
go func others() (names []string) { for _, m := range members() { if !m.Self { names = append(names, m.Name) } }; return names }
go others()
#> ^\["bob"\] :: \[\]string$
go fmt.Println("hello from", peer.Name())
#> ^hello from alice$
go ml.NumMembers()
#> ^2 :: int$
go d, err := room.Send(ctx, "hello from Go"); d.Reached, err
#> ^\["bob"\], <nil> :: \[\]string, error$
go peer.Command(ctx, "mode")
#> ^"chat\\n", <nil> :: string, error$
go type point struct{ x, y int }; p := point{1, 2}; p
#> ^\{x:1 y:2\} :: point$
vars
#> ^members +peer +func\(\) \[\]lab\.Member$
#> ^others +func +func\(\) +\(names \[\]string\)$
#> ^peer +peer +\*lab\.Peer$
#> ^point +type +struct\{x int; y int\}$
#> ^x +var +int$
