# A tree of the members' names, out of a library that this program does not
# have. It fetches that, unless the module cache has it.
# It needs one more peer of the name bob in the group.
# Run it with: peer NAME --dev --script scripts/explore/btree.cmd

init
import github.com/tidwall/btree
#> ^btree is github.com/tidwall/btree, of github.com/tidwall/btree v
go var names btree.Set[string]
go for _, m := range members() { names.Insert(m.Name) }
go names.Len() == len(members())
#> ^true :: bool$
go names.Keys()
#> ^\["alice" "bob"\] :: \[\]string$
go func after(name string) (next string) { names.Ascend(name+"\x00", func(n string) bool { next = n; return false }); return next }
go after("alice") == "bob"
#> ^true :: bool$
