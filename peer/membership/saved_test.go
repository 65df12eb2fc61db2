package membership_test

import (
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/peerlab/peerlab/peer/membership"
)

var update = flag.Bool("update", false, "write golden files anew")

// everyField sets each tunable field to a value that is not the profile's.
func everyField(t *testing.T) *membership.Settings {
	t.Helper()
	s := &membership.Settings{}
	for field, value := range map[string]string{
		"TCPTimeout": "4s", "IndirectChecks": "2", "RetransmitMult": "5", "SuspicionMult": "6",
		"SuspicionMaxTimeoutMult": "7", "PushPullInterval": "31s", "ProbeInterval": "1.1s",
		"ProbeTimeout": "600ms", "DisableTcpPings": "true", "AwarenessMaxMultiplier": "9",
		"GossipNodes": "4", "GossipInterval": "250ms", "GossipToTheDeadTime": "40s",
		"EnableCompression": "true", "DeadNodeReclaimTime": "2s", "UDPBufferSize": "1300",
	} {
		if err := s.Set(field, value); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range s.List() {
		if !f.Changed {
			t.Fatalf("%s is not changed: the test has to learn of it", f.Name)
		}
	}
	return s
}

func TestSavedSettings(t *testing.T) {
	want := everyField(t)
	raw, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/settings.v1.json"
	if *update {
		if err := os.WriteFile(golden, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(golden)
	if err != nil || string(kept) != string(raw) {
		t.Errorf("a saved configuration is\n%s\nwant\n%s\n%v", raw, kept, err)
	}
	for name, raw := range map[string][]byte{"just saved": raw, "saved long ago": kept} {
		if got, err := membership.DecodeSettings(raw); err != nil || !reflect.DeepEqual(got.List(), want.List()) {
			t.Errorf("%s: %v, %+v", name, err, got.List())
		}
	}
	for _, secret := range []string{"key", "token", "secret", "Name", "Addr"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("%q is in the file", secret)
		}
	}
}

func TestDecodeSettingsRefuses(t *testing.T) {
	const kind = `"kind":"peerlab membership configuration"`
	for name, c := range map[string]struct{ raw, want string }{
		"nothing":       {``, "damaged"},
		"cut":           {`{"v":1,"kind":"peer`, "damaged"},
		"twice":         {`{"v":1,` + kind + `}{}`, "damaged"},
		"later":         {`{"v":2,` + kind + `,"colour":"blue"}`, "version 2"},
		"no version":    {`{` + kind + `}`, "version 0"},
		"another file":  {`{"v":1,"kind":"list"}`, "not a peerlab membership configuration"},
		"unknown part":  {`{"v":1,` + kind + `,"secrets":[]}`, "secrets"},
		"unknown field": {`{"v":1,` + kind + `,"fields":{"Colour":"blue"}}`, "Colour"},
		"bad value":     {`{"v":1,` + kind + `,"fields":{"GossipNodes":"many"}}`, "many"},
		"out of range":  {`{"v":1,` + kind + `,"fields":{"GossipNodes":"1000"}}`, "out of range"},
	} {
		_, err := membership.DecodeSettings([]byte(c.raw))
		if !errors.Is(err, membership.ErrCorrupt) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if s, err := membership.DecodeSettings([]byte(`{"v":1,` + kind + `}`)); err != nil || !reflect.DeepEqual(s.List(), (&membership.Settings{}).List()) {
		t.Errorf("without fields it is the profile: %v", err)
	}
}
