package broadcast

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
)

// version orders all changes: by a counter that is higher than any its writer
// had seen, then by the writer. No two changes have the same.
type version struct {
	counter uint64
	writer  string // id of the peer that made it
	boot    uint64 // of the writer
}

func (a version) compare(b version) int {
	return cmp.Or(cmp.Compare(a.counter, b.counter), strings.Compare(a.writer, b.writer), cmp.Compare(a.boot, b.boot))
}

// entry is the last change of one key.
type entry struct {
	key     string
	value   string // empty when deleted
	deleted bool
	version version
}

// store is the state of a set: pure, and owned by one goroutine.
type store struct {
	entries    map[string]entry
	counter    uint64 // the highest seen
	live       int    // entries that are not deleted
	maxKeys    int
	maxDeleted int
	sum        []byte // digest; nil when it has to be computed
}

// slack is how many times more keys than Config.MaxKeys are taken over from
// others: members that add concurrently may exceed the bound together.
const slack = 4

func newStore(maxKeys, maxDeleted int) *store {
	return &store{entries: map[string]entry{}, maxKeys: maxKeys, maxDeleted: maxDeleted}
}

// next returns the version of a new change.
func (s *store) next(writer string, boot int) version {
	return version{counter: s.counter + 1, writer: writer, boot: uint64(boot)}
}

// has tells whether a key is in the set.
func (s *store) has(key string) bool {
	e, ok := s.entries[key]
	return ok && !e.deleted
}

// merge takes over the entries that are newer than what is there, and returns
// those.
func (s *store) merge(entries []entry) []entry {
	var news []entry
	for _, e := range entries {
		old, known := s.entries[e.key]
		if known && e.version.compare(old.version) <= 0 {
			continue
		}
		wasLive := known && !old.deleted
		if !e.deleted && !wasLive && s.live >= slack*s.maxKeys {
			continue
		}
		s.counter = max(s.counter, e.version.counter)
		s.entries[e.key] = e
		s.live += toInt(!e.deleted) - toInt(wasLive)
		news = append(news, e)
	}
	if len(news) > 0 {
		s.sum = nil
		s.forget()
	}
	return news
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// forget drops the oldest tombstones above the bound.
func (s *store) forget() {
	excess := len(s.entries) - s.live - s.maxDeleted
	if excess <= 0 {
		return
	}
	gone := make([]entry, 0, len(s.entries)-s.live)
	for _, e := range s.entries {
		if e.deleted {
			gone = append(gone, e)
		}
	}
	slices.SortFunc(gone, func(a, b entry) int { return a.version.compare(b.version) })
	for _, e := range gone[:excess] {
		delete(s.entries, e.key)
	}
}

// all returns every entry, tombstones too, sorted by key.
func (s *store) all() []entry {
	list := make([]entry, 0, len(s.entries))
	for _, e := range s.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return list
}

// newerThan returns the entries that somebody with these lacks.
func (s *store) newerThan(theirs []entry) []entry {
	has := make(map[string]version, len(theirs))
	for _, e := range theirs {
		has[e.key] = e.version
	}
	var list []entry
	for _, e := range s.all() {
		if v, ok := has[e.key]; !ok || e.version.compare(v) > 0 {
			list = append(list, e)
		}
	}
	return list
}

// digest is equal for equal states.
func (s *store) digest() []byte {
	if s.sum == nil {
		h := sha256.New()
		var b []byte
		for _, e := range s.all() {
			b = e.append(b[:0])
			h.Write(b) // never fails
		}
		s.sum = h.Sum(nil)
	}
	return s.sum
}

// items returns what is in the set.
func (s *store) items() []Item {
	items := make([]Item, 0, s.live)
	for _, e := range s.all() {
		if !e.deleted {
			items = append(items, Item{Key: e.key, Value: e.value})
		}
	}
	return items
}
