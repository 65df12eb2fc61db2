package session

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/peerlab/peerlab/internal/journal"
)

var (
	validName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	plainText = regexp.MustCompile(`^[\pL\pN_.,:!?+-]+( [\pL\pN_.,:!?+-]+)*$`)
	delivered = regexp.MustCompile(`^delivered to (\d+)\n`)
)

// other is another peer, as far as the scenario has come.
type other struct {
	known  bool // it has been there
	up     bool // it runs
	open   bool // its chat is open
	left   bool // it went in order, and is news when it returns
	ending bool // it was told to end, and this peer has not been told yet
	asked  bool // what this peer sees of it next is expected
	again  bool // this peer meets it anew, because it had left itself
}

// writer writes the scenario.
type writer struct {
	self       string
	body       strings.Builder
	statements int
	others     map[string]*other
	away       bool            // this peer has left the group
	bare       bool            // this peer is started step by step, which does not count as init
	seen       map[string]int  // how often something was expected since the phase
	compiles   bool            // there is a line of Go
	lost       bool            // a line of Go that declared something could not be repeated
	unkept     map[string]bool // commands made of such lines
}

func (w *writer) line(format string, args ...any) {
	w.statements++
	fmt.Fprintf(&w.body, format+"\n", args...)
}

// remark writes a comment: what could not be repeated, and why.
func (w *writer) remark(format string, args ...any) {
	fmt.Fprintf(&w.body, "# %s\n", oneLine(fmt.Sprintf(format, args...)))
}

func (w *writer) phase(title string) {
	fmt.Fprintf(&w.body, "\nphase %s\n", quote(title))
	w.seen = map[string]int{}
}

// begin starts everybody who was there.
func (w *writer) begin(b beginning) {
	w.others, w.seen, w.bare, w.unkept = map[string]*other{}, map[string]int{}, b.bare, map[string]bool{}
	for _, name := range b.peers {
		w.others[name] = &other{known: true, up: true, open: true}
	}
	w.phase("start")
	switch {
	case !b.bare:
		w.line("all init")
		w.line("await converged within 30s")
	case len(b.peers) > 0:
		w.line("%s init", strings.Join(b.peers, ","))
		w.line("await converged within 30s")
	}
	if b.bare || len(b.peers) == 0 {
		w.statements = 0 // a start alone is no session
	}
	for i := range b.values {
		w.value(&b.values[i])
	}
}

// item writes what belongs to one event; next are the events after it.
func (w *writer) item(i *item, next []item) {
	switch i.Type {
	case journal.TypeCommand:
		w.command(i)
	case journal.TypeChat:
		w.chat(i)
	case journal.TypeMember:
		word, name, _ := strings.Cut(i.Text, " ")
		w.member(word, name)
	case journal.TypeView:
		w.view(i, next)
	case "broadcast":
		w.value(i)
	}
}

// expect writes that this peer sees an event, as often since the phase as it
// had to by now.
func (w *writer) expect(stream, text string) { w.expectAt(w.self, stream, quote(text)) }

func (w *writer) expectAt(who, stream, pattern string) {
	key := who + " " + stream + " " + pattern
	w.seen[key]++
	w.line("%s expect %s %s count == %d", who, stream, pattern, w.seen[key])
}

// reason tells why a command is not repeated; empty if it is.
func reason(name string) string {
	switch name {
	case "shell":
		return "it runs something on the machine"
	case "doctor":
		return "it looks at the machine"
	case "reboot":
		return "it begins a new process; in a scenario that is restart"
	case "quit", "exit":
		return "it ends the peer; the scenario ends it anyway"
	case "save", "trace", "dump", "log", "saveconfig", "loadconfig":
		return "it works with files, or looks at the session itself"
	case "execute":
		return "the commands of the file follow, or came before this, one by one"
	case "sleep":
		return "the scenario waits for what has to happen instead"
	case "net":
		return "it is a fault by hand; in a scenario that is a fault statement"
	case "bootstrapswitch", "bootstrapreset", "bootstrapconfig":
		return "it changes the bootstrap service, which a run has of its own"
	case "play":
		return "nobody knows what it does"
	case "mode", "help", "edit":
		return "it is for the keyboard"
	}
	if strings.HasPrefix(name, "test") {
		return "it belongs to a test that was running"
	}
	return ""
}

// command repeats what was typed here.
func (w *writer) command(i *item) {
	line := strings.TrimSpace(i.Text)
	name := command(line)
	if i.Fields["cut"] == true {
		w.remark("Not repeated: %.40s (it is longer than what the journal keeps of it)", name)
		return
	}
	if why := reason(name); why != "" {
		w.remark("Not repeated: %s (%s)", line, why)
		return
	}
	if strings.HasPrefix(i.field("error"), "unknown command") {
		w.remark("Not repeated: %s (there is no such command)", line)
		return
	}
	if w.leans(name, line) {
		w.remark("Not repeated: %s (%s)", line, lostGo)
		return
	}
	if name == "go" {
		w.golang(i, line)
		return
	}
	if strings.ContainsAny(line, "\r\n") || strings.HasSuffix(line, " {") {
		w.remark("Not repeated: %s (it cannot be written as a line of a scenario)", line)
		return
	}
	w.phase(line)
	if name != "msg" {
		line = strings.ReplaceAll(line, "$", "$$")
	}
	if !ok(i) {
		w.line("! %s %s", w.self, line)
		return
	}
	w.line("%s %s", w.self, line)
	w.effects(name, line, i)
}

// effects writes what a command of this peer must have brought about, and
// takes note of where it stands in the group then.
func (w *writer) effects(name, line string, i *item) {
	switch name {
	case "msg":
		w.reached(strings.TrimSpace(strings.TrimPrefix(line, "msg")), i.field("output"))
	case "memberlistleave", "memberlistshutdown", "memberlistshutdowntransport", "memberlistdelete":
		w.away = true
	case "init", "memberliststart":
		if !w.away {
			return
		}
		w.away = false
		for _, o := range w.others {
			o.again = true
		}
	}
}

// reached writes that all to whom a message was delivered have it.
func (w *writer) reached(text, output string) {
	var names []string
	for name, o := range w.others {
		if o.up && o.open {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	m := delivered.FindStringSubmatch(output)
	if m != nil && len(names) > 0 && m[1] == fmt.Sprint(len(names)) {
		w.expectAt(strings.Join(names, ","), "chat", quote(text)+" from:"+w.self)
	}
}

// chat has somebody say again what he said.
func (w *writer) chat(i *item) {
	from, text := i.field("from"), strings.TrimSpace(i.Text)
	o := w.others[from]
	switch {
	case o == nil || !o.up || !o.open:
		w.remark("Not repeated: %s said %q, and is not there now", from, text)
	case w.away:
		w.remark("Not repeated: %s said %q while %s was not in the group", from, text, w.self)
	default:
		w.line("%s msg %s", from, text)
		w.expect("view", fmt.Sprintf("<%s> %s", from, text))
	}
}

// member has somebody come or go, as this peer was told.
func (w *writer) member(word, name string) {
	if !validName.MatchString(name) || word == "suspect" {
		return
	}
	if w.away {
		w.remark("Not repeated: %s %s, while this peer was not in the group", word, name)
		return
	}
	o := w.others[name]
	switch word {
	case "joined", "back":
		w.comes(word, name, o)
	case "left", "dead":
		if o == nil || !o.up && !o.ending {
			return
		}
		w.goes(word, name, o)
	}
}

func (w *writer) comes(word, name string, o *other) {
	switch {
	case o != nil && o.again:
		o.again = false
		return
	case o == nil:
		o = &other{}
		w.others[name] = o
		w.line("spawn %s", name)
		w.line("%s init", name)
	case word == "joined" && o.up:
		return
	case word == "joined" && !o.left:
		w.line("restart fresh %s", name) // with another key: who has his own is back
	case o.up:
		w.line("kill %s", name)
		w.line("restart %s", name)
	default:
		w.line("restart %s", name)
	}
	// Somebody else under an old name looks different from one case to the next.
	stranger := word == "joined" && o.known && !o.left
	o.up, o.open, o.asked, o.known = true, true, !stranger, true
	if w.bare {
		w.line("%s await view(%s) == alive within 30s", w.self, name)
	} else {
		w.line("await converged within 30s")
	}
	if !stranger {
		w.expect("member", word+" "+name)
	}
}

func (w *writer) goes(word, name string, o *other) {
	state := "dead"
	if word == "left" {
		state = "absent"
	}
	if !o.ending {
		verb := "kill"
		if word == "left" {
			verb = "stop"
		}
		w.line("%s %s", verb, name)
		o.asked = o.open
	}
	o.up, o.open, o.ending, o.left = false, false, false, word == "left"
	w.line("%s await view(%s) == %s within 30s", w.self, name, state)
	w.expect("member", word+" "+name)
}

// endsWithin is how long after its leave from the chat a peer has left the
// group, if it was one and the same leave.
const endsWithin = 10 * time.Second

// view looks at a line about somebody who came to the chat, or went. What is
// due because of what the scenario has done is expected; a chat that was
// opened or closed alone is done here.
func (w *writer) view(i *item, next []item) {
	label, rest, _ := strings.Cut(strings.TrimPrefix(i.Text, "<"), "> ")
	name, _, _ := strings.Cut(rest, " ")
	o := w.others[name]
	if o == nil || w.away || o.again || label != "joined" && label != "left" && label != "lost" {
		return
	}
	switch {
	case o.asked:
		o.asked = false
	case label == "left" && o.up && o.open:
		if leaves(name, i.at, next) {
			w.line("stop %s", name)
			o.up, o.ending = false, true
		} else {
			w.line("%s chatleave", name)
		}
		o.open = false
	case label == "joined" && o.up && !o.open:
		w.line("%s chatstart", name)
		o.open = true
	default:
		return
	}
	w.expect("view", i.Text)
}

// leaves tells that somebody who leaves the chat leaves the group.
func leaves(name string, at time.Time, next []item) bool {
	for i := range next {
		back := next[i].Type == journal.TypeView && strings.HasPrefix(next[i].Text, "<joined> "+name+" ")
		if back || next[i].at.Sub(at) > endsWithin {
			return false
		}
		if next[i].Type == journal.TypeMember && (next[i].Text == "left "+name || next[i].Text == "dead "+name) {
			return true
		}
	}
	return false
}

// value has somebody change the broadcast set.
func (w *writer) value(i *item) {
	from := i.field("from")
	verb, key, _ := strings.Cut(i.Text, " ")
	o := w.others[from]
	if from == w.self || o == nil || !o.up || w.away {
		return
	}
	text := i.field("value")
	if !plainText.MatchString(key) || verb == "add" && !plainText.MatchString(text) {
		w.remark("Not repeated: %s set a value whose text has characters that a shell takes for its own", from)
		return
	}
	if verb == "add" {
		w.line("%s broadcastadd %s %s", from, key, text)
	} else {
		w.line("%s broadcastdel %s", from, key)
	}
	w.expect("broadcast", i.Text)
}

// quote writes a text as the language reads it.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", "$$").Replace(text) + `"`
}

// longest is how much of a text a comment has, in bytes.
const longest = 200

func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + " ..."
	}
	return text
}
