# A server and a client of gRPC in one peer, over loopback.
# Run it with: peer NAME --dev --script scripts/explore/grpc.cmd

import google.golang.org/grpc
#> ^grpc is google.golang.org/grpc, of google.golang.org/grpc v
import google.golang.org/grpc/health
import google.golang.org/grpc/health/grpc_health_v1
import google.golang.org/grpc/credentials/insecure
go import "net"
go l, err := net.Listen("tcp", "127.0.0.1:0"); err
#> ^<nil> :: error$
go asked := 0; count := func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) { asked++; return next(ctx, req) }
go srv, well := grpc.NewServer(grpc.UnaryInterceptor(count)), health.NewServer(); grpc_health_v1.RegisterHealthServer(srv, well); well.SetServingStatus(peer.Name(), grpc_health_v1.HealthCheckResponse_NOT_SERVING)
go go srv.Serve(l)
go conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())); err
#> ^<nil> :: error$
go client := grpc_health_v1.NewHealthClient(conn)
go func ask(service string) string { r, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service}); if err != nil { return err.Error() }; return r.Status.String() }
go ask(""), ask("alice"), ask("nobody")
#> ^"SERVING", "NOT_SERVING", "rpc error: code = NotFound desc = unknown service" :: string, string, string$
go asked == 3
#> ^true :: bool$
go conn.Close(); srv.Stop()
