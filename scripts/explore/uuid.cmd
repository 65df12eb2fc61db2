# A library that the program has already: nothing is fetched.
# Run it with: peer NAME --dev --script scripts/explore/uuid.cmd

init
import github.com/google/uuid
#> ^uuid is github.com/google/uuid, of github.com/google/uuid v
go id := uuid.New(); len(id.String()) == 36
#> ^true :: bool$
go id.Version()
#> ^VERSION_4 :: uuid\.Version$
