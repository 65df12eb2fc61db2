package judge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
	"github.com/peerlab/peerlab/testserver/judge"
	"github.com/peerlab/peerlab/testserver/language"
)

// journalOf reads a journal from lines, each after a time in seconds:
//
//	0 start a          the life of peers
//	1 cut 1 a b        fault 1 lets nothing pass between a and b; "slow" only touches them
//	2 heal 1
//	3 a sends m1 to b,c
//	4 b shows m1       also "late m1"; the sender is that of the message
//	5 b does chatleave
//	6 b says dead a
//
// A peer's boot is how often it was started.
func journalOf(t *testing.T, text string) []journal.Event {
	t.Helper()
	var all []journal.Event
	boots, from := map[string]int{}, map[string]string{}
	seq := map[string]uint64{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		sec, err := strconv.ParseFloat(f[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		e := journal.Event{V: 1, Time: start.Add(time.Duration(sec * float64(time.Second))), Peer: "testserver", Boot: 1, Fields: map[string]any{}}
		switch f[1] {
		case "start", "kill", "stop", "gone", "pause", "resume":
			e.Type, e.Text = "life", f[1]+" "+f[2]
			if f[1] == "start" {
				boots[f[2]]++
			}
		case "cut", "slow":
			links := []string{f[3] + ">" + f[4], f[4] + ">" + f[3]}
			e.Type, e.Fields["fault"], e.Fields["state"], e.Fields["links"] = "net", f[2], "set", links
			if f[1] == "cut" {
				e.Fields["cuts"] = links[:1]
			}
		case "heal":
			e.Type, e.Fields["fault"], e.Fields["state"] = "net", f[2], "healed"
		default:
			e.Peer, e.Boot = f[1], max(1, boots[f[1]])
			switch f[2] {
			case "sends":
				e.Type, e.Text = "sent", f[3]
				e.Fields["id"] = f[3]
				from[f[3]] = f[1]
				if len(f) > 5 {
					e.Fields["to"] = strings.Split(f[5], ",")
				}
			case "shows", "late":
				e.Type, e.Text = "chat", f[3]
				e.Fields["from"], e.Fields["id"], e.Fields["late"] = strings.TrimRight(f[3], "0123456789"), f[3], f[2] == "late"
			case "does":
				e.Type, e.Text = "command", strings.Join(f[3:], " ")
			case "says":
				e.Type, e.Text = "member", strings.Join(f[3:], " ")
			default:
				t.Fatalf("line %q", line)
			}
		}
		who := fmt.Sprint(e.Peer, e.Boot)
		seq[who]++
		e.Seq = seq[who]
		all = append(all, e)
	}
	return all
}

// read is the event as a reader of a journal file gets it.
func read(t *testing.T, e journal.Event) journal.Event {
	t.Helper()
	line, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var out journal.Event
	if err := json.Unmarshal(line, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Messages are named after their senders: a1 is the first of a.
func TestCheckers(t *testing.T) {
	const three = "0 start a\n0 start b\n0 start c\n"
	delivery, order, causal, membership := language.CheckDelivery, language.CheckOrder, language.CheckCausal, language.CheckMembership
	tests := []struct {
		name    string
		what    language.Checker
		journal string
		looked  int
		wrong   []string
		open    []string
	}{
		{"nothing", delivery, three, 0, nil, nil},
		{"sent to nobody", delivery, three + "1 a sends a1", 0, nil, nil},
		{"shown by all", delivery, three + "1 a sends a1 to b,c\n2 b shows a1\n2 c shows a1", 2, nil, nil},
		{"shown before the news that it was sent", delivery, three + "2 b shows a1\n1 a sends a1 to b", 1, nil, nil},
		{"not shown", delivery, three + "1 a sends a1 to b,c\n2 b shows a1", 2, nil, []string{`c has not shown "a1" of a`}},
		{"in the order in which they were sent", delivery, three + "1 a sends a1 to c,b\n1 a sends a2 to b", 3, nil,
			[]string{`b has not shown "a1" of a`, `c has not shown "a1" of a`, `b has not shown "a2" of a`}},
		{"late is not lost", delivery, three + "1 a sends a1 to b\n99 b late a1", 1, nil, nil},
		{"twice", delivery, three + "1 a sends a1 to b\n2 b shows a1\n3 b shows a1\n4 b shows a1", 2, []string{`b showed "a1" of a twice`}, nil},
		{"twice, by two boots", delivery, three + "1 a sends a1 to b\n2 b shows a1\n3 gone b\n4 start b\n5 b shows a1", 1, nil, nil},
		{"from nowhere", delivery, three + "1 a sends a1 to b\n2 b shows a1\n2 b shows a2", 2, nil, []string{`b showed "a2", which a has not recorded as sent`}},
		{"of one who records nothing", delivery, three + "2 b shows a2", 0, nil, nil},
		{"of one whose journal was cut off", delivery, three + "1 a sends a1 to b\n1 b shows a1\n2 b shows a2\n3 kill a", 1, nil, nil},
		{"of one whose journal was cut off in an earlier boot", delivery, three + "1 a sends a1 to b\n1 b shows a1\n2 b shows a2\n3 kill a\n4 start a", 1, nil, nil},
		{"receiver killed", delivery, three + "1 a sends a1 to b\n2 kill b", 0, nil, nil},
		{"receiver stopped", delivery, three + "1 a sends a1 to b\n2 stop b", 0, nil, nil},
		{"receiver ended", delivery, three + "1 a sends a1 to b\n2 gone b", 0, nil, nil},
		{"receiver started again", delivery, three + "1 a sends a1 to b\n2 gone b\n3 start b", 0, nil, nil},
		{"receiver was not there yet", delivery, "0 start a\n1 a sends a1 to b\n3 start b", 0, nil, nil},
		{"receiver started again before", delivery, three + "1 gone b\n2 start b\n3 a sends a1 to b", 1, nil, []string{`b has not shown "a1" of a`}},
		{"sender killed", delivery, three + "1 a sends a1 to b\n2 kill a", 0, nil, nil},
		{"sender started again", delivery, three + "1 a sends a1 to b\n2 kill a\n3 start a", 0, nil, nil},
		{"receiver left the chat", delivery, three + "1 a sends a1 to b\n2 b does /chatleave now", 0, nil, nil},
		{"receiver left it before", delivery, three + "0.5 b does chatleave\n1 a sends a1 to b", 1, nil, []string{`b has not shown "a1" of a`}},
		{"sender left the group", delivery, three + "1 a sends a1 to b\n2 a does memberlistleave", 0, nil, nil},
		{"another command", delivery, three + "1 a sends a1 to b\n2 a does members", 1, nil, []string{`b has not shown "a1" of a`}},
		{"separated", delivery, three + "0.5 cut 1 a b\n1 a sends a1 to b,c\n1 c shows a1", 1, nil, nil},
		{"separated the other way", delivery, three + "0.5 cut 1 b a\n1 a sends a1 to b,c\n1 c shows a1", 1, nil, nil},
		{"others are separated", delivery, three + "0.5 cut 1 a c\n1 a sends a1 to b", 1, nil, []string{`b has not shown "a1" of a`}},
		{"healed", delivery, three + "0.5 cut 1 a b\n1 a sends a1 to b\n2 heal 1", 1, nil, []string{`b has not shown "a1" of a`}},
		{"another fault is healed", delivery, three + "0.5 cut 1 a b\n0.5 cut 2 a b\n1 a sends a1 to b\n2 heal 1", 0, nil, nil},
		{"a slow link", delivery, three + "0.5 slow 1 a b\n1 a sends a1 to b", 1, nil, []string{`b has not shown "a1" of a`}},
		{"receiver paused", delivery, three + "1 a sends a1 to b\n2 pause b", 0, nil, nil},
		{"sender paused", delivery, three + "1 a sends a1 to b\n2 pause a", 0, nil, nil},
		{"receiver goes on", delivery, three + "1 a sends a1 to b\n2 pause b\n3 resume b", 1, nil, []string{`b has not shown "a1" of a`}},

		{"nothing shown", order, three + "1 a sends a1 to b", 0, nil, nil},
		{"in order", order, three + "1 a sends a1\n1 a sends a2\n2 b shows a1\n2 c shows a1\n2 b shows a2\n3 c shows a2", 4, nil, nil},
		{"out of order", order, three + "1 a sends a1\n1 a sends a2\n2 b shows a2\n2 b shows a1\n", 2, []string{`b showed "a1" of a after "a2", which was sent later`}, nil},
		{"late and out of order", order, three + "1 a sends a1\n1 a sends a2\n2 b shows a2\n2 b late a1\n", 2, []string{`b showed "a1" of a after "a2", which was sent later`}, nil},
		{"compared with the latest", order, three + "1 a sends a1\n1 a sends a2\n1 a sends a3\n2 b shows a3\n2 b shows a1\n2 b shows a2", 3,
			[]string{`b showed "a1" of a after "a3", which was sent later`, `b showed "a2" of a after "a3", which was sent later`}, nil},
		{"the same again", order, three + "1 a sends a1\n2 b shows a1\n2 b shows a1", 2, nil, nil},
		{"of two senders", order, three + "1 a sends a1\n1 b sends b1\n1 b sends b2\n2 c shows b1\n2 c shows b2\n2 c shows a1", 3, nil, nil},
		{"two boots of the receiver", order, three + "1 a sends a1\n1 a sends a2\n2 b shows a2\n3 gone b\n4 start b\n5 b shows a1", 2, nil, nil},
		{"never sent", order, three + "1 a sends a1\n2 b shows a1\n2 b shows a9", 1, nil, nil},

		{"no effects", causal, three, 0, nil, nil},
		{"cause first", causal, three + "1 a sends a1\n2 b shows a1\n2 b sends b1\n3 c shows a1\n3 c shows b1", 3, nil, nil},
		{"effect first", causal, three + "1 a sends a1\n2 b shows a1\n2 b sends b1\n3 c shows b1\n3 c shows a1", 3,
			[]string{`c showed "a1" of a after "b1", whose sender knew it`}, nil},
		{"the cause comes late, and says so", causal, three + "1 a sends a1\n2 b shows a1\n2 b sends b1\n3 c shows b1\n3 c late a1", 3, nil, nil},
		{"the cause never comes", causal, three + "1 a sends a1\n2 b shows a1\n2 b sends b1\n3 c shows b1", 2, nil, nil},
		{"neither knew the other", causal, three + "1 a sends a1\n1 b sends b1\n2 b shows a1\n3 c shows b1\n3 c shows a1", 3, nil, nil},
		{"over two hands", causal, three + "0 start d\n1 a sends a1\n2 b shows a1\n2 b sends b1\n3 c shows b1\n3 c sends c1\n4 d shows c1\n5 d shows a1", 4,
			[]string{`d showed "a1" of a after "c1", whose sender knew it`}, nil},
		{"of one sender", causal, three + "1 a sends a1\n1 a sends a2\n2 b shows a2\n2 b shows a1", 2, []string{`b showed "a1" of a after "a2", whose sender knew it`}, nil},
		{"the effect is named", causal, three + "1 b sends b1\n1 a sends a1\n2 b shows a1\n2 b sends b2\n3 c shows b1\n3 c shows b2\n4 c shows a1", 4,
			[]string{`c showed "a1" of a after "b2", whose sender knew it`}, nil},
		{"news come in any order", causal, three + "3 c shows b1\n3 c shows a1\n2 b shows a1\n2 b sends b1\n1 a sends a1", 3,
			[]string{`c showed "a1" of a after "b1", whose sender knew it`}, nil},
		{"shown again", causal, three + "1 a sends a1\n1 a sends a2\n2 b shows a1\n2 b shows a2\n2 b shows a1", 2, nil, nil},
		{"another boot has its own past", causal, three + "1 a sends a1\n1 a sends a2\n2 b shows a2\n3 gone b\n4 start b\n5 b shows a1", 2, nil, nil},
		{"never recorded as sent", causal, three + "2 b shows z1\n1 a sends a1\n2 b shows a1", 1, nil, nil},

		{"no news", membership, three, 0, nil, nil},
		{"joined", membership, three + "1 a says joined b", 1, nil, nil},
		{"false death", membership, three + "99 a says dead b", 1, []string{"a called b dead, which ran, with no fault between them in the 30s before"}, nil},
		{"a stranger's death", membership, three + "99 a says dead z", 1, nil, nil},
		{"killed before", membership, three + "70 kill b\n99 a says dead b", 1, nil, nil},
		{"gone before", membership, three + "69 gone b\n99 a says dead b", 1, nil, nil},
		{"gone long before", membership, three + "50 gone b\n99 a says dead b", 1, nil, nil},
		{"not yet started", membership, "0 start a\n10 a says dead b\n50 start b", 1, nil, nil},
		{"started again long before", membership, three + "50 gone b\n60 start b\n99 a says dead b", 1, []string{"a called b dead, which ran, with no fault between them in the 30s before"}, nil},
		{"started again", membership, three + "70 gone b\n71 start b\n99 a says dead b", 1, nil, nil},
		{"its end is noted a moment later", membership, three + "99 a says dead b\n99.9 gone b", 1, nil, nil},
		{"it ends later", membership, three + "99 a says dead b\n101 gone b", 1, []string{"a called b dead, which ran, with no fault between them in the 30s before"}, nil},
		{"paused", membership, three + "50 pause b\n99 a says dead b", 1, nil, nil},
		{"paused before", membership, three + "50 pause b\n70 resume b\n99 a says dead b", 1, nil, nil},
		{"paused long before", membership, three + "50 pause b\n60 resume b\n99 a says dead b", 1, []string{"a called b dead, which ran, with no fault between them in the 30s before"}, nil},
		{"it was paused itself", membership, three + "50 pause a\n80 resume a\n99 a says dead b", 1, nil, nil},
		{"it was killed itself", membership, three + "70 kill a\n71 start a\n99 a says dead b", 1, nil, nil},
		{"separated then", membership, three + "50 cut 1 a b\n99 a says dead b", 1, nil, nil},
		{"slow then", membership, three + "50 slow 1 b a\n99 a says dead b", 1, nil, nil},
		{"separated before", membership, three + "50 cut 1 b a\n69 heal 1\n99 a says dead b", 1, nil, nil},
		{"separated long before", membership, three + "50 cut 1 b a\n68 heal 1\n99 a says dead b", 1, []string{"a called b dead, which ran, with no fault between them in the 30s before"}, nil},
		{"separated later", membership, three + "99 a says dead b\n100 cut 1 b a\n", 1, []string{"a called b dead, which ran, with no fault between them in the 30s before"}, nil},
		{"others are separated from it", membership, three + "50 cut 1 b c\n99 a says dead b", 1, []string{"a called b dead, which ran, with no fault between them in the 30s before"}, nil},
	}
	for _, tt := range tests {
		t.Run(string(tt.what)+"/"+tt.name, func(t *testing.T) {
			fresh, kept := checker(t, tt.what), checker(t, tt.what)
			for _, e := range journalOf(t, tt.journal) {
				fresh.Add(e)
				fresh.Outcome() // asking changes nothing
				kept.Add(read(t, e))
			}
			for _, c := range []judge.Checker{fresh, kept} {
				if o := c.Outcome(); o.Looked != tt.looked || !slices.Equal(o.Wrong, tt.wrong) || !slices.Equal(o.Open, tt.open) {
					t.Errorf("looked at %d, wrong %q, open %q", o.Looked, o.Wrong, o.Open)
				}
			}
		})
	}
}

func checker(t *testing.T, what language.Checker) judge.Checker {
	t.Helper()
	c, err := judge.NewChecker(what)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestUnknownChecker(t *testing.T) {
	if _, err := judge.NewChecker("taste"); err == nil || err.Error() != `there is no checker "taste"` {
		t.Error(err)
	}
}
