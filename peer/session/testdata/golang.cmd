# A session of alice in the group lab, saved on 2026-01-02 03:14 UTC.
# It repeats what was typed there, has the others say and do what they said and
# did, and expects that alice sees the same again. Change it as you like.
# Run it with: testserver run monday.cmd

peers alice bob charly
timeout 60s

phase "start"
all init
await converged within 30s

phase "go len(members()) == 3"
alice go len(members()) == 3

phase "go x := 1"
alice go x := 1

phase "go func f(n int) int { if n > x { return n; }; return x; }"
alice go func f(n int) int { if n > x { return n; }; return x; }

phase "go f(4)"
alice go f(4)
# Not repeated: go len(members()) == 5 (it showed false, and fails in a scenario)
# Not repeated: go nothing (it did not compile: ‹5›:1:1: undefined: nothing)
# Not repeated: go panic(1) (it failed: panic: 1)

phase "go fmt.Println(\"5$$ # not a comment\") // but this"
alice go fmt.Println("5$$ # not a comment") // but this

phase "import github.com/tidwall/btree"
alice import github.com/tidwall/btree

phase "type f"
alice type f

phase "keep f"
alice keep f

phase "f 4"
alice f 4
# Not repeated: edit f (it is for the keyboard)
# Not repeated: doctor (it looks at the machine)
# Not repeated: reboot (it begins a new process; in a scenario that is restart)
# Not repeated: go s := `two lines` (a string in it has several lines, and a line of a scenario is one)
# Not repeated: go len(s) (a line of Go before it, on which it may depend, is not repeated)
# Not repeated: doc s (a line of Go before it, on which it may depend, is not repeated)
# Not repeated: keep g (a line of Go before it, on which it may depend, is not repeated)
# Not repeated: g 1 (a line of Go before it, on which it may depend, is not repeated)

phase "echo still"
alice echo still
