package bootstrap

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/netx"
)

// DefaultTimeout bounds a client's call when its ClientConfig does not.
const DefaultTimeout = 3 * time.Second

// ClientConfig says which service to use, and how.
type ClientConfig struct {
	// URL is where the service is, "http://127.0.0.1:8080"; a path is a
	// prefix of the service's own paths.
	URL string

	// Token is the service's bearer token, empty for an open one.
	Token string

	// Dial opens a stream to "host:port". Nil is the machine's own network; a
	// peer gives the Dial of its network. It is not used if HTTP is set.
	Dial func(ctx context.Context, addr string) (net.Conn, error)

	// HTTP makes the requests. The default keeps no connection open between
	// calls, knows no proxy, and reads nothing from the environment.
	// Redirects are not followed in either case.
	HTTP *http.Client

	// Timeout bounds each call as a whole; 0 is DefaultTimeout. The caller's
	// context may end it earlier.
	Timeout time.Duration
}

// Client speaks to one bootstrap service. It holds nothing that needs
// closing, and its methods may be called from several goroutines.
//
// Errors name the call and the service, and match one of the package's kinds:
// that of the service's refusal, ErrUnavailable when no answer came in time,
// ErrNoHost when the URL's host does not exist, ErrProtocol when the answer was
// no bootstrap service's. A call that ended because of the caller's context
// matches the context's error as well.
// Repeating a call is always harmless.
type Client struct {
	base    *url.URL
	token   string
	http    http.Client
	timeout time.Duration
}

// NewClient returns a client; it touches no network. The error is ErrInvalid.
func NewClient(c ClientConfig) (*Client, error) {
	base, err := parseURL(c.URL)
	if err != nil {
		return nil, err
	}
	if len(c.Token) > maxToken || strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, refuse(ErrInvalid, "the token is none: use up to %d visible ASCII characters", maxToken)
	}
	cl := &Client{base: base, token: c.Token, timeout: c.Timeout}
	if cl.timeout <= 0 {
		cl.timeout = DefaultTimeout
	}
	if c.HTTP != nil {
		cl.http = *c.HTTP
	} else {
		cl.http.Transport = newTransport(c.Dial)
	}
	cl.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return cl, nil
}

func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || !isPort(u.Port()) {
		return nil, refuse(ErrInvalid, "%.100q is no URL of a bootstrap service: give one like http://127.0.0.1:8080", s)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, refuse(ErrInvalid, "the service's URL has a user, a query or a fragment: leave them out, and give the token apart")
	}
	return u, nil
}

// isPort tells whether port is one, or none, which is that of the scheme.
func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

func newTransport(dial func(context.Context, string) (net.Conn, error)) *http.Transport {
	if dial == nil {
		dial = netx.Real{}.Dial
	}
	return &http.Transport{
		DialContext:            func(ctx context.Context, _, addr string) (net.Conn, error) { return dial(ctx, addr) },
		DisableKeepAlives:      true, // a call in half a minute is not worth an open connection
		DisableCompression:     true, // so that the bound on an answer is one on what is held
		MaxResponseHeaderBytes: 64 << 10,
		TLSHandshakeTimeout:    DefaultTimeout,
	}
}

// URL is the service's URL as it was given.
func (c *Client) URL() string { return c.base.String() }

// Healthz tells whether the service answers and reaches its store.
func (c *Client) Healthz(ctx context.Context) error {
	var body healthBody
	if err := c.do(ctx, call{what: "ask for health", method: "GET", path: []string{"healthz"}, out: &body}); err != nil {
		return err
	}
	if body.Status != "ok" {
		return c.foreign("ask for health", "its health is %.40q", body.Status)
	}
	return nil
}

// Info asks for the service's version and limits.
func (c *Client) Info(ctx context.Context) (Info, error) {
	var info Info
	err := c.do(ctx, call{what: "ask for limits", method: "GET", path: []string{"info"}, out: &info})
	if err == nil && info.Service != serviceName {
		err = c.foreign("ask for limits", "it calls itself %.40q", info.Service)
	}
	return info, err
}

// Join takes the peer into the group, or renews its lease. An admitted peer
// is in the list that comes back; one that is not gets the list all the same.
func (c *Client) Join(ctx context.Context, group string, r JoinRequest) (JoinReply, error) {
	var reply JoinReply
	what := "join group " + group
	if err := firstError(CheckGroup(group), r.check()); err != nil {
		return reply, fmt.Errorf("%s: %w", what, err)
	}
	err := c.do(ctx, call{
		what: what, method: "PUT", path: []string{"groups", group, "peers", r.ID}, lease: r.Token,
		in:  joinBody{Name: r.Name, Boot: r.Boot, Addr: r.Addr, TTLSeconds: int64((r.TTL + time.Second - 1) / time.Second)},
		out: &reply, group: &reply.Group,
	})
	return reply, err
}

// Leave takes the peer's own record away; leaseToken is that of its last
// join. That the service does not know the peer is no error.
func (c *Client) Leave(ctx context.Context, group, id, leaseToken string) error {
	what := "leave group " + group
	if err := firstError(CheckGroup(group), checkID(id)); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return c.do(ctx, call{what: what, method: "DELETE", path: []string{"groups", group, "peers", id}, lease: leaseToken})
}

// Group asks who is listed.
func (c *Client) Group(ctx context.Context, group string) (Group, error) {
	var g Group
	err := c.inGroup(ctx, group, call{what: "list group " + group, method: "GET", out: &g, group: &g})
	return g, err
}

// Refill asks for a place in the list, for a peer that is on standby.
func (c *Client) Refill(ctx context.Context, group, id string) (Placement, error) {
	var p Placement
	err := c.inGroup(ctx, group, call{what: "refill group " + group, method: "POST", path: []string{"refill"}, in: refillBody{id}, out: &p, group: &p.Group})
	return p, err
}

// Config asks for the group's configuration.
func (c *Client) Config(ctx context.Context, group string) (Config, error) {
	var config Config
	err := c.inGroup(ctx, group, call{what: "read the configuration of group " + group, method: "GET", path: []string{"config"}, out: &config})
	return config, err
}

// SetConfig configures the group. If old is not nil and the configuration is
// another one by now, the error is ErrChanged and nothing happened.
func (c *Client) SetConfig(ctx context.Context, group string, config Config, old *Config) (Config, error) {
	var now Config
	r := call{what: "configure group " + group, method: "PUT", path: []string{"config"}, in: config, out: &now}
	if old != nil {
		r.match = `"` + old.tag() + `"`
	}
	err := c.inGroup(ctx, group, r)
	return now, err
}

// Reset makes the service forget all peers of the group.
func (c *Client) Reset(ctx context.Context, group string) (Group, error) {
	var g Group
	err := c.inGroup(ctx, group, call{what: "reset group " + group, method: "POST", path: []string{"reset"}, in: resetBody{group}, out: &g, group: &g})
	return g, err
}

// call is one request and where its answer goes.
type call struct {
	what   string   // for errors
	method string   // of HTTP
	path   []string // elements after /v1
	lease  string   // lease token, if any
	match  string   // If-Match, if any
	in     any      // body, nil for none
	out    any      // where to put the answer, nil for none
	group  *Group   // the part of out that must be a group
}

func (c *Client) inGroup(ctx context.Context, group string, r call) error {
	if err := CheckGroup(group); err != nil {
		return fmt.Errorf("%s: %w", r.what, err)
	}
	r.path = append([]string{"groups", group}, r.path...)
	return c.do(ctx, r)
}

func (c *Client) do(ctx context.Context, r call) error {
	bounded, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.request(bounded, r)
	if err != nil {
		return fmt.Errorf("%s at %s: %w", r.what, c.URL(), err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unavailable(ctx, r, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, MaxReply+1))
	if err != nil {
		return c.unavailable(ctx, r, err)
	}
	return c.answer(r, resp, data)
}

func (c *Client) request(ctx context.Context, r call) (*http.Request, error) {
	var body io.Reader
	if r.in != nil {
		data, err := json.Marshal(r.in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	to := c.base.JoinPath(append([]string{fmt.Sprintf("v%d", Version)}, r.path...)...)
	req, err := http.NewRequestWithContext(ctx, r.method, to.String(), body)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{leaseHeader: r.lease, "If-Match": r.match} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if r.in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// unavailable tells that no answer came. What the transport says begins with
// the method and the URL, which the error has already.
func (c *Client) unavailable(ctx context.Context, r call, err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("no answer within %v", c.timeout)
	case unknownHost(err):
		return fmt.Errorf("%s at %s: %w as %.100q; check the URL", r.what, c.URL(), ErrNoHost, c.base.Hostname())
	default:
		if why := otherProtocol(err); why != "" {
			return c.foreign(r.what, "%s", why)
		}
	}
	return fmt.Errorf("%s at %s: %w: %w", r.what, c.URL(), ErrUnavailable, err)
}

// unknownHost tells that a name server knows that there is no such name. One
// that does not answer says nothing about the name.
func unknownHost(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.IsNotFound && !e.IsTemporary
}

// otherProtocol says what somebody speaks who is there and is no bootstrap
// service; empty if err does not tell. net/http has no type for the last one.
func otherProtocol(err error) string {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is refused: " + e.Err.Error()
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "it does not speak TLS, which https:// asks for"
	}
	if strings.Contains(err.Error(), "malformed HTTP") {
		return "it does not speak HTTP"
	}
	return ""
}

// foreign tells that something else than a bootstrap service answered.
func (c *Client) foreign(what, format string, args ...any) error {
	return fmt.Errorf("%s at %s: %w: %s; check the URL", what, c.URL(), ErrProtocol, clip(fmt.Sprintf(format, args...), maxDetail))
}

func (c *Client) answer(r call, resp *http.Response, data []byte) error {
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case len(data) > MaxReply:
		return c.foreign(r.what, "it answered with more than %d bytes", MaxReply)
	case media == problemMedia:
		return c.refusal(r, resp.StatusCode, data)
	case resp.StatusCode >= 500:
		return fmt.Errorf("%s at %s: %w: it answered %d %s", r.what, c.URL(), ErrUnavailable, resp.StatusCode, http.StatusText(resp.StatusCode))
	case r.out == nil && resp.StatusCode == http.StatusNoContent:
		return nil
	case resp.StatusCode != http.StatusOK || media != "application/json":
		return c.foreign(r.what, "it answered %d with content type %q", resp.StatusCode, media)
	}
	if err := json.Unmarshal(data, r.out); err != nil {
		return c.foreign(r.what, "its answer cannot be read: %v", err)
	}
	if r.group != nil {
		if err := r.group.check(); err != nil {
			return c.foreign(r.what, "its answer makes no sense: %v", err)
		}
	}
	return nil
}

func (c *Client) refusal(r call, status int, data []byte) error {
	var p problem
	if err := json.Unmarshal(data, &p); err != nil || status < 400 {
		return c.foreign(r.what, "it answered %d with a problem that cannot be read", status)
	}
	return fmt.Errorf("%s at %s: %w", r.what, c.URL(), p.err())
}
