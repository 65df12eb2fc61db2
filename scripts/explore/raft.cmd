# Three servers of Raft in one peer: they elect a leader, and each applies what
# it is told to a machine whose type and methods are typed at the prompt.
# Run it with: peer NAME --dev --script scripts/explore/raft.cmd

import github.com/hashicorp/raft
#> ^raft is github.com/hashicorp/raft, of github.com/hashicorp/raft v
go type sum struct{ n atomic.Int64 }; func (s *sum) Apply(l *raft.Log) any { n, _ := strconv.Atoi(string(l.Data)); return s.n.Add(int64(n)) }; func (s *sum) Snapshot() (raft.FSMSnapshot, error) { return nil, errors.New("none is kept") }; func (s *sum) Restore(r io.ReadCloser) error { return r.Close() }
go type server struct{ *raft.Raft; fsm *sum; net *raft.InmemTransport }
go func start(id string) (*server, error) { c := raft.DefaultConfig(); c.LocalID, c.LogOutput = raft.ServerID(id), io.Discard; c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = 200*time.Millisecond, 200*time.Millisecond, 100*time.Millisecond; s := &server{fsm: &sum{}}; _, s.net = raft.NewInmemTransport(raft.ServerAddress(id)); store := raft.NewInmemStore(); var err error; s.Raft, err = raft.NewRaft(c, s.fsm, store, store, raft.NewInmemSnapshotStore(), s.net); return s, err }
go var servers []*server; var all raft.Configuration
go for _, id := range []string{"ann", "ben", "cleo"} { s, err := start(id); fmt.Println(id, err); servers = append(servers, s); all.Servers = append(all.Servers, raft.Server{ID: raft.ServerID(id), Address: raft.ServerAddress(id)}) }
#> ^cleo <nil>$
go for _, a := range servers { for _, b := range servers { a.net.Connect(b.net.LocalAddr(), b.net) } }
go servers[0].BootstrapCluster(all).Error()
#> ^<nil> :: error$
go func leader() *server { for { for _, s := range servers { if s.State() == raft.Leader { return s } }; time.Sleep(5 * time.Millisecond) } }
go boss := leader(); boss.State()
#> ^Leader :: raft\.RaftState$
go for _, n := range []string{"40", "2"} { fmt.Println(boss.Apply([]byte(n), time.Second).Error()) }
#> ^<nil>$
#> ^<nil>$
go f := boss.Apply([]byte("0"), time.Second); f.Error(), f.Response()
#> ^<nil>, 42 :: error, (any|interface\{\})$
go for _, s := range servers { for s.fsm.n.Load() != 42 { time.Sleep(5 * time.Millisecond) }; fmt.Println("has 42") }
#> ^has 42$
#> ^has 42$
#> ^has 42$
go for _, s := range servers { fmt.Println("ended", s.Shutdown().Error()) }
#> ^ended <nil>$
