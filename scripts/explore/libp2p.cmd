# Two hosts of libp2p in one peer: one asks, the other answers.
# Run it with: peer NAME --dev --script scripts/explore/libp2p.cmd

import github.com/libp2p/go-libp2p
#> ^libp2p is github.com/libp2p/go-libp2p, of github.com/libp2p/go-libp2p v
import github.com/libp2p/go-libp2p/core/network
import github.com/libp2p/go-libp2p/core/peerstore
go a, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0")); err
#> ^<nil> :: error$
go b, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0")); err
#> ^<nil> :: error$
go b.SetStreamHandler("/lab/1", func(s network.Stream) { defer s.Close(); line, _ := bufio.NewReader(s).ReadString('\n'); fmt.Fprint(s, strings.ToUpper(line)) })
go a.Peerstore().AddAddrs(b.ID(), b.Addrs(), peerstore.TempAddrTTL)
go s, err := a.NewStream(ctx, b.ID(), "/lab/1"); err
#> ^<nil> :: error$
go n, err := fmt.Fprintln(s, "hello from", peer.Name()); n, err
#> ^17, <nil> :: int, error$
go bufio.NewReader(s).ReadString('\n')
#> ^"HELLO FROM ALICE\\n", <nil> :: string, error$
go b.ID() == s.Conn().RemotePeer()
#> ^true :: bool$
go a.Close(), b.Close()
#> ^<nil>, <nil> :: error, error$
