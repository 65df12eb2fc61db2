# A client of etcd, and a server of its key-value service that is typed at the
# prompt: both speak the real protocol.
# Run it with: peer NAME --dev --script scripts/explore/etcd.cmd

import go.etcd.io/etcd/client/v3
#> ^clientv3 is go.etcd.io/etcd/client/v3, of go.etcd.io/etcd/client/v3 v
import go.etcd.io/etcd/api/v3/etcdserverpb
import google.golang.org/grpc
go import "net"; import "go.etcd.io/etcd/api/v3/mvccpb"
go type kv struct { etcdserverpb.UnimplementedKVServer; mu sync.Mutex; all map[string][]byte }; func (k *kv) Put(ctx context.Context, r *etcdserverpb.PutRequest) (*etcdserverpb.PutResponse, error) { k.mu.Lock(); defer k.mu.Unlock(); k.all[string(r.Key)] = r.Value; return &etcdserverpb.PutResponse{Header: &etcdserverpb.ResponseHeader{Revision: int64(len(k.all))}}, nil }; func (k *kv) Range(ctx context.Context, r *etcdserverpb.RangeRequest) (*etcdserverpb.RangeResponse, error) { k.mu.Lock(); defer k.mu.Unlock(); out := &etcdserverpb.RangeResponse{Header: &etcdserverpb.ResponseHeader{}}; if v, ok := k.all[string(r.Key)]; ok { out.Kvs, out.Count = append(out.Kvs, &mvccpb.KeyValue{Key: r.Key, Value: v}), 1 }; return out, nil }
go l, err := net.Listen("tcp", "127.0.0.1:0"); srv := grpc.NewServer(); etcdserverpb.RegisterKVServer(srv, &kv{all: map[string][]byte{}}); err
#> ^<nil> :: error$
go go srv.Serve(l)
go client, err := clientv3.New(clientv3.Config{Endpoints: []string{l.Addr().String()}, DialTimeout: 5 * time.Second}); err
#> ^<nil> :: error$
go put, err := client.Put(ctx, "/peers/alice", "alive"); err == nil && put.Header.Revision == 1
#> ^true :: bool$
go got, err := client.Get(ctx, "/peers/alice"); err == nil && got.Count == 1 && string(got.Kvs[0].Value) == "alive"
#> ^true :: bool$
go none, err := client.Get(ctx, "/peers/bob"); err == nil && none.Count == 0
#> ^true :: bool$
go client.Close(); srv.Stop()
