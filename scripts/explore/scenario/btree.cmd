# Go in the peers of a scenario: a line that shows nothing but false fails. One
# needs a tree out of a library, and each its own view of the group.
# Run it with: testserver run scripts/explore/scenario/btree.cmd

alice init
bob init
charly init
alice testfilter messagesView 1 <bob> said by Go
alice import github.com/tidwall/btree
alice go var names btree.Set[string]
alice go for _, m := range members() { names.Insert(m.Name) }
alice go names.Len() == 3
alice go func last() string { name, _ := names.Max(); return name }
alice go last() == "charly"
bob go len(members()) == 3
bob go d, err := room.Send(ctx, "said by Go"); err == nil && len(d.Reached) == 2
