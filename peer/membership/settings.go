package membership

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

// Settings are the tunable part of a memberlist configuration, by
// memberlist's own field names. The zero value is the profile "lan".
type Settings struct {
	changed map[string]string
}

// Setting is one field with its present value.
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Changed bool   `json:"changed"` // it differs from the profile
}

// bounds of a tunable field; durations in nanoseconds. Values out of bounds
// would stall a member or make it busy.
type bounds struct{ low, high int64 }

func tunable() map[string]bounds {
	return map[string]bounds{
		"TCPTimeout":              {int64(10 * time.Millisecond), int64(time.Minute)},
		"IndirectChecks":          {0, 20},
		"RetransmitMult":          {1, 50},
		"SuspicionMult":           {1, 50},
		"SuspicionMaxTimeoutMult": {1, 50},
		"PushPullInterval":        {int64(100 * time.Millisecond), int64(time.Hour)},
		"ProbeInterval":           {int64(10 * time.Millisecond), int64(time.Minute)},
		"ProbeTimeout":            {int64(time.Millisecond), int64(time.Minute)},
		"DisableTcpPings":         {0, 1},
		"AwarenessMaxMultiplier":  {1, 50},
		"GossipNodes":             {1, 50},
		"GossipInterval":          {int64(10 * time.Millisecond), int64(time.Minute)},
		"GossipToTheDeadTime":     {0, int64(time.Hour)},
		"EnableCompression":       {0, 1},
		"DeadNodeReclaimTime":     {0, int64(time.Hour)},
		"UDPBufferSize":           {512, 60 << 10},
	}
}

// profile is memberlist's LAN configuration with what was measured to be
// better: its local defaults stall at 50 members; a dial that takes longer
// than 3 s will not succeed; compression costs more than it saves here.
func profile() *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.TCPTimeout = 3 * time.Second
	c.DeadNodeReclaimTime = time.Second
	c.EnableCompression = false
	return c
}

// Fields names the tunable fields, sorted.
func Fields() []string {
	names := make([]string, 0, len(tunable()))
	for name := range tunable() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Set gives a field another value: a duration ("200ms"), a number, or true
// and false. The field may be written in any case.
func (s *Settings) Set(field, value string) error {
	i := slices.IndexFunc(Fields(), func(f string) bool { return strings.EqualFold(f, field) })
	if i < 0 {
		return fmt.Errorf("no field %q: the fields are %s", field, strings.Join(Fields(), ", "))
	}
	name := Fields()[i]
	if err := setField(profile(), name, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if s.changed == nil {
		s.changed = map[string]string{}
	}
	s.changed[name] = value
	return nil
}

// Clone returns an independent copy.
func (s *Settings) Clone() *Settings {
	c := &Settings{}
	for k, v := range s.changed {
		_ = c.Set(k, v) // it was accepted before
	}
	return c
}

// List returns every tunable field with its value, sorted by name.
func (s *Settings) List() []Setting {
	c, p := reflect.ValueOf(s.config()).Elem(), reflect.ValueOf(profile()).Elem()
	var all []Setting
	for _, name := range Fields() {
		value, usual := fmt.Sprint(c.FieldByName(name).Interface()), fmt.Sprint(p.FieldByName(name).Interface())
		all = append(all, Setting{Name: name, Value: value, Changed: value != usual})
	}
	return all
}

// config is the profile with the changes applied.
func (s *Settings) config() *memberlist.Config {
	c := profile()
	for name, value := range s.changed {
		_ = setField(c, name, value) // it was accepted before
	}
	return c
}

func setField(c *memberlist.Config, name, value string) error {
	f := reflect.ValueOf(c).Elem().FieldByName(name)
	switch f.Interface().(type) {
	case time.Duration:
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("%q is no duration: write it like 200ms or 5s", value)
		}
		return setInt(f, name, int64(d), func(v int64) string { return time.Duration(v).String() })
	case int:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", value)
		}
		return setInt(f, name, n, func(v int64) string { return strconv.FormatInt(v, 10) })
	case bool:
		v, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		f.SetBool(v)
		return nil
	}
	return fmt.Errorf("a field of type %s cannot be set", f.Type())
}

func setInt(f reflect.Value, name string, v int64, show func(int64) string) error {
	b := tunable()[name]
	if v < b.low || v > b.high {
		return fmt.Errorf("%s is out of range: %s to %s", show(v), show(b.low), show(b.high))
	}
	f.SetInt(v)
	return nil
}
