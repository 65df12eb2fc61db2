package trust_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// lies are the ways in which a peer can lie. Each gets the liar and says what
// it makes of what the peer tells the server (up) and is told (down).
func lies() map[string]func(*liar) (up, down hearing) {
	all := map[string]func(*liar) (up, down hearing){
		"truth": upwards(func(_ *liar, f frame) []any { return []any{f} }),
	}
	for _, some := range []map[string]func(*liar) (up, down hearing){eventLies(), chatLies(), resultLies(), statusLies(), linkLies(), processLies()} {
		for name, tell := range some {
			all[name] = tell
		}
	}
	return all
}

type liesBy = map[string]func(*liar) (up, down hearing)

func upwards(up func(*liar, frame) []any) func(*liar) (hearing, hearing) {
	return func(l *liar) (hearing, hearing) { return func(f frame) []any { return up(l, f) }, truth }
}

// events lies about events of a type, and of a text unless that is empty.
func events(kind, text string, up func(*liar, frame) []any) func(*liar) (hearing, hearing) {
	return upwards(func(l *liar, f frame) []any {
		if e := f.event(); e["type"] == kind && (text == "" || e["text"] == text) {
			return up(l, f)
		}
		return truth(f)
	})
}

// smooth leaves no gap in the numbers of the events.
func smooth(tell func(*liar) (hearing, hearing)) func(*liar) (hearing, hearing) {
	return func(l *liar) (hearing, hearing) {
		l.numbered = true
		return tell(l)
	}
}

func nothing(*liar, frame) []any { return nil }

func twice(_ *liar, f frame) []any { return []any{f, f} }

func instead(value any, names ...string) func(*liar, frame) []any {
	return func(_ *liar, f frame) []any { return []any{f.with(value, names...)} }
}

// behind holds back the events of one text until one of the other has passed.
func behind(kind, text, other string) func(*liar) (hearing, hearing) {
	return upwards(func(l *liar, f frame) []any {
		e := f.event()
		switch {
		case e["type"] != kind:
		case e["text"] == text:
			l.held = append(l.held, f)
			return nil
		case e["text"] == other:
			said := append([]any{f}, l.held...)
			l.held = nil
			return said
		}
		return truth(f)
	})
}

// eventLies are about the journal as such.
func eventLies() liesBy {
	return liesBy{
		"an event is dropped":         events("chat", "two", nothing),
		"the last events are dropped": lastEvents(truth),
		"the last, and their number": lastEvents(func(f frame) []any {
			if f.is("fenced") || f.is("close") {
				return []any{f.with(0, "events")}
			}
			return truth(f)
		}),
		"an event is doubled":            events("chat", "two", twice),
		"events change places":           behind("chat", "two", "three"),
		"an event of another peer":       events("chat", "two", instead("mallory", "event", "peer")),
		"an event of the other peer":     events("chat", "two", instead("alice", "event", "peer")),
		"an event of another boot":       events("chat", "two", instead(7, "event", "boot")),
		"an event of the test server":    events("chat", "two", instead("testserver", "event", "peer")),
		"numbers go backwards":           events("chat", "two", instead(1, "event", "seq")),
		"numbers jump":                   events("chat", "two", instead(1000, "event", "seq")),
		"no number":                      events("chat", "two", instead(0, "event", "seq")),
		"no type":                        events("chat", "two", instead("", "event", "type")),
		"another version of the journal": events("chat", "two", instead(99, "event", "v")),
		"a time that is none":            events("chat", "two", instead("yesterday", "event", "time")),
	}
}

// lastEvents drops the end of the last command, and all events behind it; rest is what
// becomes of what is no event.
func lastEvents(rest hearing) func(*liar) (hearing, hearing) {
	return func(*liar) (hearing, hearing) {
		dropping := false
		return func(f frame) []any {
			if !f.is("event") {
				return rest(f)
			}
			dropping = dropping || f.event()["type"] == "command" && f.event()["text"] == "msg four"
			if dropping {
				return nil
			}
			return truth(f)
		}, truth
	}
}

// chatLies are what an application does that is wrong: the journal has no gap.
func chatLies() liesBy {
	return liesBy{
		"a message is lost":        smooth(events("chat", "two", nothing)),
		"a message is shown twice": smooth(events("chat", "two", twice)),
		"a message comes as another one": smooth(events("chat", "two", func(_ *liar, f frame) []any {
			return []any{f, f.with("other/1/9", "event", "id")}
		})),
		"a message with another text": smooth(events("chat", "two", instead("zwei", "event", "text"))),
		"a message of somebody else":  smooth(events("chat", "two", instead("mallory", "event", "from"))),
		"a message with another id":   smooth(events("chat", "two", instead("other/1/9", "event", "id"))),
		"messages in another order":   smooth(behind("chat", "two", "three")),
		"an effect before its cause":  smooth(behind("chat", "cause", "effect")),
		"apart is lost":               smooth(events("chat", "while apart", nothing)),
		"hello of somebody else":      smooth(events("chat", "hello", instead("mallory", "event", "from"))),
		"apart comes": smooth(func(l *liar) (hearing, hearing) {
			return func(f frame) []any {
				if e := f.event(); e["type"] == "member" && e["text"] == "dead bob" {
					l.later(2*time.Second, f.with("chat", "event", "type").with("while apart", "event", "text"))
				}
				return truth(f)
			}, truth
		}),
		"nothing was sent": smooth(events("sent", "two", nothing)),
		"sent twice":       smooth(events("sent", "two", twice)),
		"a false death": smooth(events("chat", "two", func(_ *liar, f frame) []any {
			return []any{f, f.with("member", "event", "type").with("dead alice", "event", "text")}
		})),
		"accepted and not sent": func(l *liar) (hearing, hearing) {
			return truth, func(f frame) []any {
				if f.is("command") && f["line"] == "msg two" {
					return []any{f.with("chatmembers", "line")}
				}
				return truth(f)
			}
		},
		"sent twice by the application": func(l *liar) (hearing, hearing) {
			const second = 1 << 20
			return func(f frame) []any {
					if id, _ := f["id"].(float64); f.is("result") && id >= second {
						return nil
					}
					return truth(f)
				}, func(f frame) []any {
					if id, _ := f["id"].(float64); f.is("command") && f["line"] == "msg two" {
						return []any{f, f.with(id+second, "id")}
					}
					return truth(f)
				}
		},
	}
}

// results lies about the end of commands that begin with a word.
func results(word string, up func(*liar, frame) []any) func(*liar) (hearing, hearing) {
	return func(l *liar) (hearing, hearing) {
		ids := map[any]bool{}
		return func(f frame) []any {
				if f.is("result") && ids[f["id"]] {
					return up(l, f)
				}
				return truth(f)
			}, func(f frame) []any {
				if line, _ := f["line"].(string); f.is("command") && strings.HasPrefix(line, word) {
					ids[f["id"]] = true
				}
				return truth(f)
			}
	}
}

func resultLies() liesBy {
	return liesBy{
		"no result":                  results("msg two", nothing),
		"a failure is called OK":     results("chatmemberping", instead(map[string]any{"ok": true, "duration_ns": 1}, "result")),
		"a success is called failed": results("msg two", instead(map[string]any{"ok": false, "error": "no", "duration_ns": 1}, "result")),
		"another error":              results("chatmemberping", instead(map[string]any{"ok": false, "error": "fine", "duration_ns": 1}, "result")),
		"the result of another":      results("msg two", instead(9999, "id")),
		"a result without any":       results("msg two", instead(nil, "result")),
		"init is called OK": func(l *liar) (hearing, hearing) {
			return truth, func(f frame) []any {
				if f.is("command") && f["line"] == "init" {
					return []any{f.with("help", "line")}
				}
				return truth(f)
			}
		},
		"faults are not set": func(l *liar) (hearing, hearing) {
			return truth, func(f frame) []any {
				if f.is("faults") {
					l.send(l.toServer, frame{"v": 1, "type": "faulted", "id": f["id"]})
					return nil
				}
				return truth(f)
			}
		},
		"faults are refused": func(l *liar) (hearing, hearing) {
			return truth, func(f frame) []any {
				if f.is("faults") && len(f.part("faults")) > 2 {
					l.send(l.toServer, frame{"v": 1, "type": "faulted", "id": f["id"], "error": "no faults today"})
					return nil
				}
				return truth(f)
			}
		},
		"faults are not answered": func(l *liar) (hearing, hearing) {
			return func(f frame) []any {
				if f.is("faulted") {
					return nil
				}
				return truth(f)
			}, truth
		},
	}
}

// statuses lies about what the peer sees.
func statuses(change func(frame) frame) func(*liar) (hearing, hearing) {
	return upwards(func(_ *liar, f frame) []any {
		if f.is("status") {
			return []any{f.with(map[string]any(change(f.part("status"))), "status")}
		}
		return truth(f)
	})
}

// nodes changes a list of members.
func nodes(name string, change func([]any) []any) func(frame) frame {
	return func(s frame) frame {
		list, _ := s[name].([]any)
		return s.with(change(list), name)
	}
}

func each(value any, name string) func([]any) []any {
	return func(list []any) []any {
		var changed []any
		for _, n := range list {
			changed = append(changed, map[string]any(frame(n.(map[string]any)).with(value, name)))
		}
		return changed
	}
}

func statusLies() liesBy {
	ghost := map[string]any{"name": "ghost", "boot": 1, "addr": "127.0.0.1:9", "state": "alive"}
	chat := func(change func([]any) []any) func(*liar) (hearing, hearing) {
		return statuses(func(s frame) frame {
			if s.part("present") == nil || s.part("present")["chat"] == nil {
				return s
			}
			return s.with(map[string]any(nodes("chat", change)(s.part("present"))), "present")
		})
	}
	return liesBy{
		"too many members":           statuses(nodes("members", func(l []any) []any { return append(l, ghost) })),
		"a member twice":             statuses(nodes("members", func(l []any) []any { return append(l, l...) })),
		"no members":                 statuses(nodes("members", func([]any) []any { return nil })),
		"members of another boot":    statuses(nodes("members", each(9, "boot"))),
		"members at another address": statuses(nodes("members", each("127.0.0.1:9", "addr"))),
		"members with another id":    statuses(nodes("members", each("00000000-0000-8000-8000-000000000000", "id"))),
		"members are foreign":        statuses(nodes("members", each(true, "foreign"))),
		"members are dead":           statuses(nodes("members", each("dead", "state"))),
		"too many in the chat":       chat(func(l []any) []any { return append(l, ghost) }),
		"nobody in the chat":         chat(func([]any) []any { return []any{} }),
		"never ready":                statuses(func(s frame) frame { return s.with(false, "ready") }),
		"always leaving":             statuses(func(s frame) frame { return s.with(true, "closing") }),
		"itself at another address":  statuses(func(s frame) frame { return s.with("127.0.0.1:9", "self", "addr") }),
		"itself of another boot":     statuses(func(s frame) frame { return s.with(9, "self", "boot") }),
		"itself somebody else":       statuses(func(s frame) frame { return s.with("mallory", "self", "name") }),
		"ready too soon": statuses(func(s frame) frame {
			return s.with(true, "ready").with([]any{}, "members")
		}),
		"no status": upwards(func(_ *liar, f frame) []any {
			if f.is("status") {
				return nil
			}
			return truth(f)
		}),
		"a status that flickers": func(l *liar) (hearing, hearing) {
			odd := false
			var last frame
			var flicker func()
			flicker = func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				if odd = !odd; odd {
					l.send(l.toServer, last.with([]any{}, "status", "members"))
				} else {
					l.send(l.toServer, last)
				}
				time.AfterFunc(300*time.Millisecond, flicker)
			}
			return func(f frame) []any {
				if f.is("status") {
					if last == nil {
						time.AfterFunc(300*time.Millisecond, flicker)
					}
					last = f
				}
				return truth(f)
			}, truth
		},
	}
}

// at does something when the peer is told the line "msg two".
func at(do func(*liar) []any) func(*liar) (hearing, hearing) {
	return func(l *liar) (hearing, hearing) {
		return truth, func(f frame) []any {
			if f.is("command") && f["line"] == "msg two" {
				for _, say := range do(l) {
					l.send(l.toServer, say)
				}
			}
			return truth(f)
		}
	}
}

func says(s ...any) func(*liar) (hearing, hearing) {
	return at(func(*liar) []any { return s })
}

func hello(value any, names ...string) func(*liar) (hearing, hearing) {
	return upwards(func(_ *liar, f frame) []any {
		if f.is("hello") {
			return []any{f.with(value, append([]string{"hello"}, names...)...)}
		}
		return truth(f)
	})
}

func linkLies() liesBy {
	return liesBy{
		"silence": at(func(l *liar) []any { l.silent = true; return nil }),
		"fences are not answered": upwards(func(_ *liar, f frame) []any {
			if f.is("fenced") {
				return nil
			}
			return truth(f)
		}),
		"the link is cut":           at(func(l *liar) []any { _ = l.toServer.CloseNow(); l.silent = true; return nil }),
		"the link is closed":        says(frame{"v": 1, "type": "close", "error": "enough"}),
		"the link gives up":         says(frame{"v": 1, "type": "fail", "error": "too much waits to be sent"}),
		"garbage":                   says("\x00\xff no JSON"),
		"half a message":            says(`{"v":1,"type":"event","event":{"v":1`),
		"two messages in one":       says(`{"v":1,"type":"fenced","id":1}{"v":1,"type":"fenced","id":2}`),
		"an unknown message":        says(frame{"v": 1, "type": "applause"}),
		"a message of a server":     says(frame{"v": 1, "type": "command", "id": 1, "line": "quit"}),
		"a member too many":         says(frame{"v": 1, "type": "fenced", "id": 1, "applause": true}),
		"another version":           says(frame{"v": 99, "type": "fenced", "id": 1}),
		"ten megabytes":             says(fmt.Sprintf(`{"v":1,"type":"result","id":1,"result":{"ok":true,"output":%q,"duration_ns":1}}`, strings.Repeat("x", 10<<20))),
		"hello with another name":   hello("mallory", "name"),
		"hello with the other name": hello("alice", "name"),
		"hello of no boot":          hello(0, "boot"),
		"no hello": upwards(func(_ *liar, f frame) []any {
			if f.is("hello") {
				return []any{frame{"v": 1, "type": "fenced", "id": 1}}
			}
			return truth(f)
		}),
	}
}

const raceReport = `==================
WARNING: DATA RACE
Write at 0x00c000012345 by goroutine 7:
  main.main.func1()
==================
`

func processLies() liesBy {
	return liesBy{
		"a panic": at(func(*liar) []any {
			go panic("a bug of this peer")
			time.Sleep(time.Minute) // it does not come to the end of that
			return nil
		}),
		"exit 0":      at(func(*liar) []any { os.Exit(0); return nil }),
		"exit 1":      at(func(*liar) []any { os.Exit(1); return nil }),
		"a data race": at(func(*liar) []any { fmt.Fprint(os.Stderr, raceReport); return nil }),
		"a child stays": at(func(*liar) []any {
			if err := exec.Command("sleep", "60").Start(); err != nil {
				panic(err)
			}
			return nil
		}),
		"standstill": at(func(*liar) []any { stopMyself(); return nil }),
		"exit 3 in the end": func(l *liar) (hearing, hearing) {
			l.last = func() { os.Exit(3) }
			return truth, truth
		},
		"a panic in the end": func(l *liar) (hearing, hearing) {
			l.last = func() { panic("a bug of this peer") }
			return truth, truth
		},
		"exit 3 at quit": results("quit", func(*liar, frame) []any { os.Exit(3); return nil }),
	}
}
