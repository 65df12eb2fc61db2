# What one asks at a prompt: what things are, and what is written about them.
# Nothing of it is run.
# Run it with: peer NAME --dev --script scripts/explore/prompt.cmd

init
type members()
#> ^\[\]lab\.Member$
type members()[0]
#> ^lab\.Member$
#> ^    String\(\) string$
type ml
#> ^\*memberlist\.Memberlist$
#> ^    Join\(existing \[\]string\) \(int, error\)$
type strings.Cut
#> ^func\(s string, sep string\) \(before string, after string, found bool\)$
type 6 * 7
#> ^const untyped int = 42$
go type pair struct{ a, b int }; p := pair{1, 2}
type pair
#> ^type pair struct\{a int; b int\}$
type p.a
#> ^int$
doc strings.Cut
#> ^func Cut\(s, sep string\) \(before, after string, found bool\)$
#> Cut slices s around the first instance of sep
doc memberlist.Join
#> ^func \(m \*Memberlist\) Join\(existing \[\]string\) \(int, error\)$
#> Join is used to take an existing Memberlist
doc peer
#> ^peer :: \*lab\.Peer$
#> ^type Peer struct
#> ^func \(p \*Peer\) Members\(\) \[\]Member$
doc room.Send
#> ^func \(r \*Room\) Send\(
doc encoding/csv.Reader.Read
#> Read reads one record
doc len
#> ^func len\(v Type\) int$
doc p
#> ^pair$
#> of this session
import github.com/google/uuid
#> ^uuid is github.com/google/uuid
doc uuid.UUID.String
#> ^func \(uuid UUID\) String\(\) string$
