package bootstrap

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// The kinds of error that a caller may branch on, with errors.Is. They are
// the same on both sides of the wire.
var (
	// ErrInvalid: the request is wrong in itself; asking again is no use.
	ErrInvalid = errors.New("invalid request")
	// ErrUnauthorized: the service's token is missing or wrong.
	ErrUnauthorized = errors.New("not authorized")
	// ErrForbidden: the record is somebody else's, or a web page asked.
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: there is no such peer or route.
	ErrNotFound = errors.New("not found")
	// ErrNameTaken: another id holds the name; Error.Free is one that is free.
	ErrNameTaken = errors.New("name taken")
	// ErrConflict: a newer start of the same peer is known.
	ErrConflict = errors.New("conflict")
	// ErrChanged: what was to be changed is not what it was any more.
	ErrChanged = errors.New("changed meanwhile")
	// ErrFull: the service keeps as many groups as it can.
	ErrFull = errors.New("service full")
	// ErrUnavailable: the service or its store cannot be reached now, or did
	// not answer in time. Whether a change took place is unknown; every
	// request may be repeated.
	ErrUnavailable = errors.New("service unavailable")
	// ErrNoHost: the host in the service's URL does not exist; asking again is
	// no use.
	ErrNoHost = errors.New("no host is known")
	// ErrProtocol: what answered is no bootstrap service of this version.
	ErrProtocol = errors.New("not a bootstrap service of this version")
)

// Finer kinds, which a client has no use for.
var (
	errTooLarge  = fmt.Errorf("%w: too large", ErrInvalid)
	errMediaType = fmt.Errorf("%w: media type", ErrInvalid)
	errMethod    = fmt.Errorf("%w: method", ErrInvalid)
	errInternal  = fmt.Errorf("%w: internal error", ErrUnavailable)
)

// Error is a refusal by the service. Policy, handler and client use the same
// type, so that a caller cannot tell a local policy from a remote one.
type Error struct {
	Kind   error  // one of the kinds above
	Detail string // what was wrong and what to do, one line
	Free   string // for ErrNameTaken: a name that was free just now
}

// Error is the detail.
func (e *Error) Error() string { return e.Detail }

// Unwrap is the kind.
func (e *Error) Unwrap() error { return e.Kind }

func refuse(kind error, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// problem is an error on the wire, by RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Free   string `json:"free,omitempty"`
}

const (
	problemMedia  = "application/problem+json"
	problemPrefix = "urn:peerlab:bootstrap:"
	maxDetail     = 400 // bytes of a detail that a client keeps
)

// kind is one row of the table that both sides go by.
type kind struct {
	err    error
	name   string // after problemPrefix
	status int
}

// kinds has finer kinds before the kinds that they wrap.
func kinds() []kind {
	return []kind{
		{errTooLarge, "too-large", http.StatusRequestEntityTooLarge},
		{errMediaType, "media-type", http.StatusUnsupportedMediaType},
		{errMethod, "method", http.StatusMethodNotAllowed},
		{errInternal, "internal", http.StatusInternalServerError},
		{ErrInvalid, "invalid", http.StatusUnprocessableEntity},
		{ErrUnauthorized, "unauthorized", http.StatusUnauthorized},
		{ErrForbidden, "forbidden", http.StatusForbidden},
		{ErrNotFound, "not-found", http.StatusNotFound},
		{ErrNameTaken, "name-taken", http.StatusConflict},
		{ErrConflict, "conflict", http.StatusConflict},
		{ErrChanged, "changed", http.StatusPreconditionFailed},
		{ErrFull, "full", http.StatusInsufficientStorage},
		{ErrUnavailable, "unavailable", http.StatusServiceUnavailable},
	}
}

// problemFor puts an error on the wire. Of an error that is no *Error only
// the kind is told: its text may name things that are nobody's business.
func problemFor(err error) problem {
	row := kind{errInternal, "internal", http.StatusInternalServerError}
	for _, k := range kinds() {
		if errors.Is(err, k.err) {
			row = k
			break
		}
	}
	p := problem{Type: problemPrefix + row.name, Title: row.err.Error(), Status: row.status}
	if e, ok := errors.AsType[*Error](err); ok {
		p.Detail, p.Free = e.Detail, e.Free
	} else {
		p.Detail = row.err.Error() + ": try again, and look into the service's log if it stays so"
	}
	return p
}

// err takes a problem off the wire.
func (p problem) err() *Error {
	e := &Error{Kind: ErrProtocol, Detail: clip(p.Detail, maxDetail)}
	if CheckName(p.Free) == nil {
		e.Free = p.Free
	}
	for _, k := range kinds() {
		if p.Type == problemPrefix+k.name {
			e.Kind = k.err
			break
		}
	}
	if e.Detail == "" {
		e.Detail = e.Kind.Error()
	}
	return e
}

// clip cuts s to at most n bytes of whole, valid runes.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}
