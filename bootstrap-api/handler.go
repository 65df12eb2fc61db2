package bootstrap

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HandlerConfig says how a service behaves. Only Store is required.
type HandlerConfig struct {
	Store Store

	// Token is the bearer token that members give. Empty lets everybody in
	// who can reach the service.
	Token string

	// AdminToken is what configuring and resetting a group takes; it opens
	// the other routes too. Empty means that Token is enough.
	AdminToken string

	// TTL is the lease of a peer that asks for none, default 90 s. MinTTL and
	// MaxTTL bound what a peer may ask for; the defaults are 15 s and 1 h, or
	// TTL if that lies outside. All are cut to whole seconds, at least one.
	TTL, MinTTL, MaxTTL time.Duration

	// AllowHosts are host names, without port, under which the service may be
	// addressed beside "localhost", loopback addresses and the address on
	// which a connection came in.
	AllowHosts []string

	// Logf is told what is wrong inside the service, in lines without a
	// newline. Nil drops it.
	Logf func(format string, args ...any)
}

type handler struct {
	store         Store
	guard         guard
	ttl, min, max time.Duration
	logf          func(string, ...any)
	mux           *http.ServeMux
}

// NewHandler returns the service's handler. It starts nothing and holds
// nothing that needs closing. What serves it sets the limits of connections:
// deadlines, and the size of headers. The error is ErrInvalid.
func NewHandler(c HandlerConfig) (http.Handler, error) {
	if c.Store == nil {
		return nil, refuse(ErrInvalid, "a bootstrap service needs a store")
	}
	h := &handler{store: c.Store, logf: c.Logf, mux: http.NewServeMux()}
	if h.logf == nil {
		h.logf = func(string, ...any) {}
	}
	if len(c.Token) > maxToken || len(c.AdminToken) > maxToken {
		return nil, refuse(ErrInvalid, "a token has at most %d bytes", maxToken)
	}
	h.guard = guard{token: c.Token, admin: c.AdminToken, hosts: make(map[string]bool)}
	for _, name := range c.AllowHosts {
		h.guard.hosts[strings.ToLower(name)] = true
	}
	if err := h.setTTL(c); err != nil {
		return nil, err
	}
	for path, methods := range h.routes() {
		h.mux.Handle(path, h.methods(methods))
	}
	h.mux.Handle("/", h.serve(anybody, func(w http.ResponseWriter, r *http.Request) error {
		return refuse(ErrNotFound, "no route %.100q: the service has /v%d/groups/GROUP, /v%d/info and /v%d/healthz", r.URL.Path, Version, Version, Version)
	}))
	return h, nil
}

func (h *handler) setTTL(c HandlerConfig) error {
	h.ttl = wholeSeconds(c.TTL, 90*time.Second)
	h.min = wholeSeconds(c.MinTTL, min(15*time.Second, h.ttl))
	h.max = wholeSeconds(c.MaxTTL, max(time.Hour, h.ttl))
	if h.min < time.Second || h.ttl < h.min || h.ttl > h.max {
		return refuse(ErrInvalid, "leases of %v, at least %v, at most %v: use whole seconds in that order", h.ttl, h.min, h.max)
	}
	return nil
}

func wholeSeconds(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return d.Truncate(time.Second)
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			h.recovered(w, r, p)
		}
	}()
	h.mux.ServeHTTP(w, r)
}

func (h *handler) recovered(w http.ResponseWriter, r *http.Request, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	h.logf("panic in %s %q: %v", r.Method, r.URL.Path, p)
	writeProblem(w, errInternal)
}

// endpoint answers one method of one route; an error becomes a problem.
type endpoint func(http.ResponseWriter, *http.Request) error

// method is an endpoint and who may use it.
type method struct {
	access access
	serve  endpoint
}

func (h *handler) routes() map[string]map[string]method {
	return map[string]map[string]method{
		"/v1/healthz":                   {"GET": {anybody, h.healthz}},
		"/v1/info":                      {"GET": {member, h.info}},
		"/v1/groups/{group}":            {"GET": {member, h.getGroup}},
		"/v1/groups/{group}/peers/{id}": {"PUT": {member, h.join}, "DELETE": {member, h.leave}},
		"/v1/groups/{group}/refill":     {"POST": {member, h.refill}},
		"/v1/groups/{group}/config":     {"GET": {member, h.getConfig}, "PUT": {admin, h.setConfig}},
		"/v1/groups/{group}/reset":      {"POST": {admin, h.reset}},
	}
}

// methods picks the endpoint; HEAD is GET without the body.
func (h *handler) methods(table map[string]method) http.Handler {
	allow := make([]string, 0, len(table)+1)
	handlers := make(map[string]http.Handler)
	for name, m := range table {
		allow = append(allow, name)
		handlers[name] = h.serve(m.access, m.serve)
	}
	if get, ok := handlers[http.MethodGet]; ok {
		allow = append(allow, http.MethodHead)
		handlers[http.MethodHead] = get
	}
	slices.Sort(allow)
	other := h.serve(anybody, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		return refuse(errMethod, "method %.20q is not served here: use %s", r.Method, strings.Join(allow, " or "))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m, ok := handlers[r.Method]; ok {
			m.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}

// serve puts the guard before an endpoint and turns its error into a problem.
func (h *handler) serve(want access, e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		err := firstError(h.guard.checkSource(r), h.guard.checkAccess(r, want))
		if err == nil {
			err = e(w, r)
		}
		if err != nil {
			h.fail(w, r, err)
		}
	})
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if _, told := errors.AsType[*Error](err); !told {
		h.logf("%s %q: %v", r.Method, r.URL.Path, err)
	}
	if ctx := r.Context().Err(); ctx != nil && errors.Is(err, ctx) {
		err = refuse(ErrUnavailable, "the request ended before its answer: ask again")
	}
	if errors.Is(err, ErrUnauthorized) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="peerlab"`)
	}
	if errors.Is(err, ErrUnavailable) {
		w.Header().Set("Retry-After", "1")
	}
	writeProblem(w, err)
}

func (h *handler) healthz(w http.ResponseWriter, r *http.Request) error {
	err := h.store.Update(r.Context(), DefaultGroup, func(*State) error { return nil })
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return writeJSON(w, healthBody{"ok"})
}

func (h *handler) info(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, Info{
		Service: serviceName, Version: Version,
		TTLSeconds: int(h.ttl.Seconds()), MinTTLSeconds: int(h.min.Seconds()), MaxTTLSeconds: int(h.max.Seconds()),
		MaxPeers: MaxPeers, MaxBodyBytes: MaxBody,
	})
}

func (h *handler) getGroup(w http.ResponseWriter, r *http.Request) error {
	s, err := h.update(r, func(s *State) error { return nil })
	if err != nil {
		return err
	}
	return writeTagged(w, r, strconv.FormatUint(s.Revision, 10), s.Group())
}

func (h *handler) join(w http.ResponseWriter, r *http.Request) error {
	var body joinBody
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	ttl, err := h.leaseTTL(body.TTLSeconds)
	if err != nil {
		return err
	}
	req := JoinRequest{ID: r.PathValue("id"), Name: body.Name, Boot: body.Boot, Addr: body.Addr, TTL: ttl, Token: leaseToken(r)}
	fresh := rand.Text()
	var lease Lease
	s, err := h.update(r, func(s *State) (err error) {
		lease, err = s.Join(time.Now(), req, fresh)
		return err
	})
	if err != nil {
		return err
	}
	return writeJSON(w, JoinReply{Placement: s.Place(req.ID), Lease: lease})
}

func (h *handler) leaseTTL(seconds int64) (time.Duration, error) {
	if seconds == 0 {
		return h.ttl, nil
	}
	if seconds < int64(h.min.Seconds()) || seconds > int64(h.max.Seconds()) {
		return 0, refuse(ErrInvalid, "ttlSeconds %d is out of range: this service gives leases of %.0f to %.0f seconds", seconds, h.min.Seconds(), h.max.Seconds())
	}
	return time.Duration(seconds) * time.Second, nil
}

// leaseToken is the request's lease token, empty if it has none that could be.
func leaseToken(r *http.Request) string {
	if t := r.Header.Get(leaseHeader); len(t) <= maxToken {
		return t
	}
	return ""
}

func (h *handler) leave(w http.ResponseWriter, r *http.Request) error {
	_, err := h.update(r, func(s *State) error {
		return s.Leave(time.Now(), r.PathValue("id"), leaseToken(r))
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (h *handler) refill(w http.ResponseWriter, r *http.Request) error {
	var body refillBody
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	s, err := h.update(r, func(s *State) error { return s.Refill(time.Now(), body.ID) })
	if err != nil {
		return err
	}
	return writeJSON(w, s.Place(body.ID))
}

func (h *handler) getConfig(w http.ResponseWriter, r *http.Request) error {
	s, err := h.update(r, func(*State) error { return nil })
	if err != nil {
		return err
	}
	return writeTagged(w, r, s.Config.tag(), s.Config)
}

func (h *handler) setConfig(w http.ResponseWriter, r *http.Request) error {
	var config Config
	if err := readJSON(w, r, &config); err != nil {
		return err
	}
	old, err := configOf(r.Header.Get("If-Match"))
	if err != nil {
		return err
	}
	s, err := h.update(r, func(s *State) error { return s.SetConfig(time.Now(), config, old) })
	if err != nil {
		return err
	}
	return writeTagged(w, r, s.Config.tag(), s.Config)
}

func (h *handler) reset(w http.ResponseWriter, r *http.Request) error {
	var body resetBody
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if name := r.PathValue("group"); body.Confirm != name {
		return refuse(ErrInvalid, "a reset makes the service forget every peer of group %.70q: send that name as \"confirm\"", name)
	}
	s, err := h.update(r, func(s *State) error { s.Reset(); return nil })
	if err != nil {
		return err
	}
	return writeJSON(w, s.Group())
}

// update runs fn on the group that the path names, after it has forgotten who
// expired: so the revision tells of expiry too, and a read writes only when
// somebody expired. The state returned is the caller's own.
func (h *handler) update(r *http.Request, fn func(*State) error) (*State, error) {
	group := r.PathValue("group")
	if err := CheckGroup(group); err != nil {
		return nil, err
	}
	var last *State
	err := h.store.Update(r.Context(), group, func(s *State) error {
		last = s
		s.Expire(time.Now())
		return fn(s)
	})
	return last, err
}

// tag is the entity tag of a configuration, without its quotes: what it says.
func (c Config) tag() string { return fmt.Sprintf("%d-%d", c.MaxPeers, c.MinRefillCandidates) }

// configOf reads what tag wrote; nil means that any configuration will do.
func configOf(match string) (*Config, error) {
	if match == "" || match == "*" {
		return nil, nil
	}
	var c Config
	if _, err := fmt.Sscanf(match, `"%d-%d"`, &c.MaxPeers, &c.MinRefillCandidates); err != nil {
		return nil, refuse(ErrInvalid, "If-Match %.60q is no tag of a configuration: give back the ETag that came with it", match)
	}
	return &c, nil
}

// tagIn tells whether a list of entity tags, or "*", has the tag.
func tagIn(list, tag string) bool {
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimPrefix(strings.TrimSpace(item), "W/")
		if item == "*" || item == `"`+tag+`"` {
			return true
		}
	}
	return false
}

// readJSON reads a request's body strictly: one JSON value, of known members.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return refuse(errMediaType, "content type %.60q: send application/json", r.Header.Get("Content-Type"))
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return refuse(errTooLarge, "the body has more than %d bytes: send less", MaxBody)
	}
	if err != nil {
		return refuse(ErrInvalid, "the body did not arrive as a whole: send it again")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return refuse(ErrInvalid, "the body is not what this route takes: %s", clip(err.Error(), 120))
	}
	if _, err := d.Token(); err != io.EOF {
		return refuse(ErrInvalid, "the body goes on after its JSON value: send one")
	}
	return nil
}

// writeTagged answers with an entity tag, and without the body if the client
// has the same one already.
func writeTagged(w http.ResponseWriter, r *http.Request, tag string, body any) error {
	w.Header().Set("ETag", `"`+tag+`"`)
	if r.Method != http.MethodPut && tagIn(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeJSON(w, body)
}

func writeJSON(w http.ResponseWriter, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(data, '\n')) // the client has gone: nobody to tell
	return nil
}

func writeProblem(w http.ResponseWriter, err error) {
	p := problemFor(err)
	data, _ := json.Marshal(p) // strings and numbers only
	w.Header().Set("Content-Type", problemMedia)
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(data, '\n'))
}
