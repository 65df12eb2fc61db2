# A table of the members, in a database that is all Go.
# Run it with: peer NAME --dev --script scripts/explore/sqlite.cmd

init
import modernc.org/sqlite
#> ^sqlite is modernc.org/sqlite, of modernc.org/sqlite v
go import "database/sql"; import _ "modernc.org/sqlite"
go db, err := sql.Open("sqlite", ":memory:"); db.SetMaxOpenConns(1); err
#> ^<nil> :: error$
go _, err = db.ExecContext(ctx, "create table member (name text, state text)"); err
#> ^<nil> :: error$
go for _, m := range members() { _, err = db.ExecContext(ctx, "insert into member values (?, ?)", m.Name, m.State); fmt.Println(err) }
#> ^<nil>$
go var name string; var n int; err = db.QueryRowContext(ctx, "select min(name), count(*) from member where state = ?", "alive").Scan(&name, &n); name, n == len(members()), err
#> ^"alice", true, <nil> :: string, bool, error$
go db.Close()
#> ^<nil> :: error$
