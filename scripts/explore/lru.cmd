# A cache that keeps the two names that were seen last.
# Run it with: peer NAME --dev --script scripts/explore/lru.cmd

init
import github.com/hashicorp/golang-lru/v2
#> ^lru is github.com/hashicorp/golang-lru/v2, of github.com/hashicorp/golang-lru/v2 v
go cache, err := lru.New[string, int](2); err
go for i, n := range []string{"alice", "bob", "charly"} { cache.Add(n, i) }
go cache.Keys()
#> ^\["bob" "charly"\] :: \[\]string$
go cache.Contains("alice") == false
#> ^true :: bool$
