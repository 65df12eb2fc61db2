# A file that is memory: what is written to the one is in the other.
# Run it with: peer NAME --dev --script scripts/explore/mmap.cmd

import github.com/edsrzf/mmap-go
#> ^mmap is github.com/edsrzf/mmap-go, of github.com/edsrzf/mmap-go v
go file, err := os.CreateTemp("", "mapped"); err
#> ^<nil> :: error$
go n, err := file.WriteString("hello from alice"); n, err
#> ^16, <nil> :: int, error$
go memory, err := mmap.Map(file, mmap.RDWR, 0); string(memory), err
#> ^"hello from alice", <nil> :: string, error$
go copy(memory[11:], "peers"); memory.Flush()
#> ^<nil> :: error$
go text, err := os.ReadFile(file.Name()); string(text), err
#> ^"hello from peers", <nil> :: string, error$
go memory.Unmap(), file.Close(), os.Remove(file.Name())
#> ^<nil>, <nil>, <nil> :: error, error, error$
