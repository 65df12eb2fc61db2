package testlink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/peerlab/peerlab/internal/faulty"
)

// The types of messages. The peer sends hello, event, status, result and ask;
// fenced and faulted; the server welcome, refused, command, cancel, answer, fence
// and faults; both close, in order, and fail, with the reason.
const (
	typeHello   = "hello"
	typeWelcome = "welcome"
	typeRefused = "refused"
	typeCommand = "command"
	typeCancel  = "cancel"
	typeResult  = "result"
	typeEvent   = "event"
	typeStatus  = "status"
	typeAsk     = "ask"
	typeAnswer  = "answer"
	typeFence   = "fence"
	typeFenced  = "fenced"
	typeFaults  = "faults"
	typeFaulted = "faulted"
	typeClose   = "close"
	typeFail    = "fail"
)

// maxFrame bounds a received message, in bytes. It is above what a journal
// line may have with the largest output of a command in it.
const maxFrame = 4 << 20

// frame is one message. ID pairs a command with its result and its cancel, a
// question with its answer, a fence or a table of faults with what follows.
type frame struct {
	V        int             `json:"v"`
	Type     string          `json:"type"`
	ID       uint64          `json:"id,omitempty"`
	Line     string          `json:"line,omitempty"`     // command
	Question string          `json:"question,omitempty"` // ask: one of the Ask constants, or "register"
	Error    string          `json:"error,omitempty"`    // refused, answer, faulted, close, fail
	Hello    *Hello          `json:"hello,omitempty"`
	Filter   *Filter         `json:"filter,omitempty"` // ask "register"
	Answer   *Answer         `json:"answer,omitempty"`
	Result   *Result         `json:"result,omitempty"`
	Status   *Status         `json:"status,omitempty"`
	Faults   *faulty.Table   `json:"faults,omitempty"`
	Reset    []string        `json:"reset,omitempty"`  // faults: peers to which open streams break
	Event    json.RawMessage `json:"event,omitempty"`  // a journal line
	Events   uint64          `json:"events,omitempty"` // fenced, close: how many the peer has sent
}

// register is the question that announces a filter.
const register = "register"

func (f frame) encode() ([]byte, error) {
	f.V = Version
	if f.Type == typeEvent {
		return f.encodeEvent(), nil
	}
	return json.Marshal(f)
}

// encodeEvent spares the checks and the compaction of a line that is JSON
// already: events are the bulk of the traffic.
func (f frame) encodeEvent() []byte {
	b := make([]byte, 0, len(f.Event)+40)
	b = fmt.Appendf(b, `{"v":%d,"type":%q,"event":`, f.V, f.Type)
	b = append(b, f.Event...)
	return append(b, '}')
}

// decode is strict: unknown members and trailing bytes are errors. Another
// version is told from nonsense.
func decode(data []byte) (frame, error) {
	var f frame
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&f)
	if err == nil && d.More() {
		err = fmt.Errorf("bytes after the message")
	}
	if err != nil {
		var loose struct{ V int }
		if json.Unmarshal(data, &loose) == nil {
			f.V = loose.V
		}
		if f.V == Version || f.V == 0 {
			return frame{}, fmt.Errorf("%w: %v", ErrProtocol, err)
		}
	}
	if f.V != Version {
		return frame{}, versionError(f.V)
	}
	return f, nil
}

// bounded cuts the output of a result to what may travel.
func (r Result) bounded() Result {
	if len(r.Output) <= MaxOutput {
		return r
	}
	cut := MaxOutput
	for cut > 0 && !utf8.RuneStart(r.Output[cut]) {
		cut--
	}
	r.Output = fmt.Sprintf("%s\n(%d more bytes not shown)\n", r.Output[:cut], len(r.Output)-cut)
	return r
}
