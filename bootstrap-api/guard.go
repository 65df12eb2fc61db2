package bootstrap

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard keeps web pages and strangers out.
type guard struct {
	token, admin string
	hosts        map[string]bool // lower case, without port
}

// checkSource refuses requests that a web page made a browser send. A page
// can make its own name resolve to this machine, but then the browser sends
// that name in Host; and it cannot keep the browser from sending Origin with
// a request that changes something.
func (g guard) checkSource(r *http.Request) error {
	if !g.knowsHost(r) {
		return refuse(ErrForbidden, "host %.100q is not served here: use the address that the service printed at its start, or start it with that host allowed", r.Host)
	}
	origins := r.Header.Values("Origin")
	for _, o := range origins {
		if len(origins) > 1 || (o != "http://"+r.Host && o != "https://"+r.Host) {
			return refuse(ErrForbidden, "origin %.100q: web pages of other hosts may not use the service", o)
		}
	}
	return nil
}

func (g guard) knowsHost(r *http.Request) bool {
	host := strings.ToLower(hostOf(r.Host))
	if host == "localhost" || g.hosts[host] {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	if ip.Unmap().IsLoopback() {
		return true
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil {
		return false
	}
	own, err := netip.ParseAddr(hostOf(local.String()))
	return err == nil && own.Unmap().WithZone("") == ip.Unmap()
}

// hostOf is an address without its port and brackets.
func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(addr, "["), "]")
}

// access is what a route wants to see before it answers.
type access int

const (
	anybody access = iota
	member         // the token
	admin          // the admin token if there is one, else the token
)

func (g guard) checkAccess(r *http.Request, want access) error {
	secret := g.token
	if want == admin && g.admin != "" {
		secret = g.admin
	}
	if want == anybody || secret == "" {
		return nil
	}
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return refuse(ErrUnauthorized, "the service wants a token: give the one that it was started with")
	}
	if same(given, secret) || g.admin != "" && same(given, g.admin) {
		return nil
	}
	return refuse(ErrUnauthorized, "this is not the service's token: give the one that it was started with")
}

// same compares in a time that tells nothing of either string.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
