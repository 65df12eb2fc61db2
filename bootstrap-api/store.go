package bootstrap

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Store keeps the states of groups. It has one primitive, so that there is no
// way to read, think and write with a gap in between.
type Store interface {
	// Update runs fn on the group's state and keeps what fn made of it, as
	// one atomic step: no two updates of a group overlap. When it returns nil
	// the change is as durable as the store promises.
	//
	// fn gets NewState() for a group that was never changed. It may be run
	// several times, each time on a fresh copy of the state as it is then, of
	// which the last one counts; so it must be pure, apart from setting
	// variables of its caller, and must not call the store. It is not run any
	// more when Update has returned. The copy is fn's own: the caller may
	// keep the last one, and finds in its Revision, once Update has returned
	// nil, the revision that the state has in the store.
	//
	// If fn returns an error, nothing is changed and Update returns that
	// error. If fn changes nothing (State.Equal), nothing is written and the
	// revision stays: that is how a state is read. Otherwise the revision
	// grows; one store gives no revision of a group out twice.
	//
	// The store's own errors are ErrFull, for a change to one group too many,
	// and ErrUnavailable. When ctx ends first the error is that of ctx. After
	// ErrUnavailable or the end of ctx the change may have taken place.
	Update(ctx context.Context, group string, fn func(*State) error) error
}

// Table is what a store on one machine keeps: all groups, as one value. In
// JSON it is the file format. A Table is no Store: it does not lock.
type Table struct {
	Version  int              `json:"version"`  // TableVersion
	Revision uint64           `json:"revision"` // the newest of all groups
	Groups   map[string]State `json:"groups"`
}

// TableVersion is the format of a Table, its member "version".
const TableVersion = 1

// NewTable is a table without groups.
func NewTable() *Table { return &Table{Version: TableVersion, Groups: make(map[string]State)} }

// Get returns a copy of a group's state.
func (t *Table) Get(group string) State { return t.get(group).Clone() }

// get returns the state itself, which nobody changes in place.
func (t *Table) get(group string) State {
	if s, ok := t.Groups[group]; ok {
		return s
	}
	return NewState()
}

// Put keeps a copy of s as the group's state, after it has set s.Revision to
// the table's next one. A new group in a full table takes the place of those
// that are vacant now; if there are none, the error is ErrFull.
func (t *Table) Put(group string, s *State) error {
	if _, ok := t.Groups[group]; !ok && len(t.Groups) >= MaxGroups {
		t.dropVacant(time.Now())
		if len(t.Groups) >= MaxGroups {
			return refuse(ErrFull, "the service keeps %d groups already: use one of them, or wait until the peers of one have left", MaxGroups)
		}
	}
	t.Revision++
	s.Revision = t.Revision
	t.Groups[group] = s.Clone()
	return nil
}

// Update is Store.Update on the table: it tells whether fn changed anything.
func (t *Table) Update(group string, fn func(*State) error) (changed bool, err error) {
	old := t.get(group)
	state := old.Clone()
	if err := fn(&state); err != nil {
		return false, err
	}
	state.Revision = old.Revision
	if state.Equal(old) {
		return false, nil
	}
	return true, t.Put(group, &state)
}

// Clone returns a copy that shares nothing with t.
func (t *Table) Clone() *Table {
	c := *t
	c.Groups = maps.Clone(t.Groups) // whose states nobody changes in place
	return &c
}

func (t *Table) dropVacant(now time.Time) {
	for name, s := range t.Groups {
		if s.Vacant(now) {
			delete(t.Groups, name)
		}
	}
}

// Check tells whether t is a table of this version that a store could have
// left behind.
func (t *Table) Check() error {
	if t.Version != TableVersion {
		return refuse(ErrInvalid, "version %d of the format, this program knows version %d", t.Version, TableVersion)
	}
	for name, s := range t.Groups {
		if err := firstError(CheckGroup(name), s.Check()); err != nil {
			return err
		}
		if s.Revision > t.Revision {
			return refuse(ErrInvalid, "group %s is newer than the table", name)
		}
	}
	return nil
}

// MemoryStore keeps states in memory: they end with the process. Use
// NewMemoryStore.
type MemoryStore struct {
	mu    sync.Mutex // guards table; never held while an update's fn runs
	table *Table
}

// NewMemoryStore returns a store without groups.
func NewMemoryStore() *MemoryStore { return &MemoryStore{table: NewTable()} }

// Update implements Store. It runs fn again when another update of the group
// came in between; one of the updates under way always gets through.
func (m *MemoryStore) Update(ctx context.Context, group string, fn func(*State) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		old := m.get(group)
		state := old.Clone()
		if err := fn(&state); err != nil {
			return err
		}
		state.Revision = old.Revision
		if state.Equal(old) {
			return nil
		}
		done, err := m.replace(group, &state)
		if done || err != nil {
			return err
		}
	}
}

func (m *MemoryStore) get(group string) State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.table.get(group)
}

// replace keeps state if the group still has the revision that it came from.
func (m *MemoryStore) replace(group string, state *State) (done bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.table.Groups[group].Revision != state.Revision {
		return false, nil
	}
	return true, m.table.Put(group, state)
}
