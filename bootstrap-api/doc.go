// Package bootstrap is the contract of the bootstrap service, and everything
// that keeps it: the types on the wire, the policy, the stores, the handler
// and the client. The service answers one question of a starting peer: whom
// do I contact first?
//
// # Model
//
// A group is a name, a configuration and the peers that joined it, in the
// order in which the service saw them. A peer holds a lease: it renews its
// record from time to time, and a record whose lease ran out is absent from
// every answer. Of the live peers the Config.MaxPeers that joined first are
// listed; the next Config.MinRefillCandidates are on standby and move up by
// themselves, longest-joined first, when a listed one leaves or expires. Who
// comes after those is not remembered and gets the list all the same: the
// list is the product.
//
// A group need not be created. One that nobody joined reads as empty, with
// the default configuration, at revision 0.
//
// # Routes
//
// Requests and answers are JSON; errors are application/problem+json (RFC
// 9457), whose member "type" names the kind and whose "detail" says what to
// do. Unknown members are refused in requests and ignored in answers. Time is
// the service's alone: durations on the wire are seconds.
//
//	GET    /v1/healthz                     the service can reach its store
//	GET    /v1/info                        Info: version and limits
//	GET    /v1/groups/{group}              Group, with an ETag; If-None-Match gives 304
//	PUT    /v1/groups/{group}/peers/{id}   join or renew: {name, boot, addr, ttlSeconds} gives JoinReply
//	DELETE /v1/groups/{group}/peers/{id}   leave; 204 also for an unknown peer
//	POST   /v1/groups/{group}/refill       {id} of a standby peer gives Placement
//	GET    /v1/groups/{group}/config       Config, with an ETag
//	PUT    /v1/groups/{group}/config       set it; If-Match is optional
//	POST   /v1/groups/{group}/reset        {confirm: group} forgets the peers, keeps the configuration
//
// A service with a token wants "Authorization: Bearer TOKEN" on every route
// but healthz. A peer proves that a record is its own by the lease token of
// its last join, in the header Peerlab-Lease. The lease token guards against
// mistakes among those whom the bearer token let in; against a member who
// lies about its id it does not.
//
// # What it must not depend on
//
// The policy (policy.go) is pure: no sockets, no files, time as an argument.
// The package imports the standard library only. Stores with needs of their
// own are packages of their own; each one passes package storetest.
package bootstrap
