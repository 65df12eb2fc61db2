package membership_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/peer/membership"
)

func list(s *membership.Settings) map[string]membership.Setting {
	all := map[string]membership.Setting{}
	for _, x := range s.List() {
		all[x.Name] = x
	}
	return all
}

func TestProfile(t *testing.T) {
	s := &membership.Settings{}
	all := list(s)
	for name, want := range map[string]string{
		"ProbeInterval": "1s", "GossipInterval": "200ms", "SuspicionMult": "4", "TCPTimeout": "3s",
		"DeadNodeReclaimTime": "1s", "EnableCompression": "false", "GossipToTheDeadTime": "30s",
	} {
		if got := all[name]; got.Value != want || got.Changed {
			t.Errorf("%s is %+v, want %s unchanged", name, got, want)
		}
	}
	if len(all) != len(membership.Fields()) || !slices.IsSorted(membership.Fields()) {
		t.Errorf("List has %d fields, Fields %v", len(all), membership.Fields())
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct{ field, value, want, err string }{
		{"ProbeInterval", "200ms", "200ms", ""},
		{"probeinterval", "1.5s", "1.5s", ""},
		{"SuspicionMult", "7", "7", ""},
		{"EnableCompression", "true", "true", ""},
		{"GossipToTheDeadTime", "0", "0s", ""},
		{"ProbeInterval", "fast", "", `ProbeInterval: "fast" is no duration: write it like 200ms or 5s`},
		{"ProbeInterval", "5", "", `ProbeInterval: "5" is no duration: write it like 200ms or 5s`},
		{"ProbeInterval", "1ns", "", "ProbeInterval: 1ns is out of range: 10ms to 1m0s"},
		{"ProbeInterval", "-1s", "", "ProbeInterval: -1s is out of range: 10ms to 1m0s"},
		{"ProbeInterval", "2m", "", "ProbeInterval: 2m0s is out of range: 10ms to 1m0s"},
		{"SuspicionMult", "0", "", "SuspicionMult: 0 is out of range: 1 to 50"},
		{"SuspicionMult", "4.5", "", `SuspicionMult: "4.5" is no number`},
		{"SuspicionMult", "99999999999999999999", "", `SuspicionMult: "99999999999999999999" is no number`},
		{"EnableCompression", "maybe", "", `EnableCompression: "maybe" is neither true nor false`},
		{"Name", "eve", "", `no field "Name": the fields are AwarenessMaxMultiplier, `},
		{"SecretKey", "x", "", `no field "SecretKey"`},
		{"", "x", "", `no field ""`},
	} {
		t.Run(c.field+"="+c.value, func(t *testing.T) {
			s := &membership.Settings{}
			before := fmt.Sprint(s.List())
			err := s.Set(c.field, c.value)
			if c.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.err) {
					t.Errorf("got %v, want %s", err, c.err)
				}
				if after := fmt.Sprint(s.List()); after != before {
					t.Errorf("a refused value changed something: %s", after)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for name, x := range list(s) {
				if is := strings.EqualFold(name, c.field); is != x.Changed || is && x.Value != c.want {
					t.Errorf("%+v; want %s to be the one that changed, to %s", x, c.field, c.want)
				}
			}
		})
	}
}

func TestEveryFieldCanBeSetToWhatItIs(t *testing.T) {
	s := &membership.Settings{}
	for _, x := range s.List() {
		if err := s.Set(x.Name, x.Value); err != nil {
			t.Error(err)
		}
	}
}

func TestClone(t *testing.T) {
	s := &membership.Settings{}
	if err := s.Set("SuspicionMult", "7"); err != nil {
		t.Fatal(err)
	}
	c := s.Clone()
	if err := c.Set("SuspicionMult", "8"); err != nil {
		t.Fatal(err)
	}
	if a, b := list(s)["SuspicionMult"].Value, list(c)["SuspicionMult"].Value; a != "7" || b != "8" {
		t.Errorf("the original has %s, the copy %s; want 7 and 8", a, b)
	}
}
