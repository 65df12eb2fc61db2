# A client of ZooKeeper, and a server that knows just enough for it: it opens a
# session, and has no node.
# Run it with: peer NAME --dev --script scripts/explore/zk.cmd

import github.com/go-zookeeper/zk
#> ^zk is github.com/go-zookeeper/zk, of github.com/go-zookeeper/zk v
go import "net"; import "encoding/binary"
go func read(c net.Conn) []byte { var n uint32; if binary.Read(c, binary.BigEndian, &n) != nil || n > 1000 { return nil }; b := make([]byte, n); io.ReadFull(c, b); return b }
go func answer(c net.Conn, body ...any) { var b bytes.Buffer; for _, v := range body { binary.Write(&b, binary.BigEndian, v) }; binary.Write(c, binary.BigEndian, uint32(b.Len())); c.Write(b.Bytes()) }
go func serve(c net.Conn) { defer c.Close(); read(c); answer(c, int32(0), int32(4000), int64(7), int32(16), [16]byte{}); for { b := read(c); if b == nil { return }; answer(c, b[:4], int64(1), int32(-101)) } }
go l, err := net.Listen("tcp", "127.0.0.1:0"); err
#> ^<nil> :: error$
go go func() { for { c, err := l.Accept(); if err != nil { return }; go serve(c) } }()
go type quiet struct{}; func (quiet) Printf(string, ...any) {}
go conn, events, err := zk.Connect([]string{l.Addr().String()}, 4*time.Second, zk.WithLogger(quiet{})); err
#> ^<nil> :: error$
go for e := range events { if e.State == zk.StateHasSession { break } }; conn.SessionID() == 7
#> ^true :: bool$
go _, _, err = conn.Get("/peers"); err, errors.Is(err, zk.ErrNoNode)
#> ^zk: node does not exist, true :: error, bool$
go conn.Close(); l.Close()
#> ^<nil> :: error$
