package netx

import (
	"context"
	"net"
	"time"
)

// Real is the network of this machine, over package net. Its zero value is
// ready for use. It works with IPv4 alone, with IPv6 alone, and with both.
type Real struct{}

// ListenPacket implements Network over UDP.
func (Real) ListenPacket(ctx context.Context, addr string) (net.PacketConn, error) {
	conn, err := listenConfig().ListenPacket(ctx, "udp", addr)
	return conn, portable(err)
}

// Listen implements Network over TCP. The port of a listener that was closed
// is free at once, whatever became of its connections.
func (Real) Listen(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := listenConfig().Listen(ctx, "tcp", addr)
	return ln, portable(err)
}

// Dial implements Network over TCP.
func (Real) Dial(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{KeepAliveConfig: keepAlive()}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	return conn, portable(err)
}

func listenConfig() *net.ListenConfig {
	return &net.ListenConfig{KeepAliveConfig: keepAlive()}
}

// keepAlive notices a silent host after about half a minute. Membership knows
// of a dead peer sooner; this frees the streams that nobody else looks after.
func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{
		Enable:   true,
		Idle:     15 * time.Second,
		Interval: 5 * time.Second,
		Count:    4,
	}
}
