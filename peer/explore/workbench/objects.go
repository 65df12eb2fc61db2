package workbench

import (
	"context"
	"fmt"
	"go/scanner"
	"go/token"
	"reflect"
	"time"

	"github.com/peerlab/peerlab/peer/chat"
	"github.com/peerlab/peerlab/peer/explore/lab"
	"github.com/peerlab/peerlab/peer/membership"
)

// bind sees to it that the objects that change are those of now: the context
// of the input, and the live memberlist.
func (w *Workbench) bind(ctx context.Context, src string) error {
	values := map[string]any{"ctx": lab.Context{Context: ctx}}
	list, err := w.list()
	switch {
	case err == nil:
		values["ml"] = list
	case mentions(src, "ml"):
		return fmt.Errorf("ml is the live memberlist, and there is none now: %w", err)
	}
	return w.session.Bind(values)
}

// list is the live memberlist, whose type is memberlist's own.
func (w *Workbench) list() (any, error) {
	g, err := w.cfg.Node.Membership()
	if err != nil {
		return nil, err
	}
	return g.Memberlist()
}

// listPath is the package of that type.
func listPath() string {
	list := reflect.TypeOf((*membership.Group).Memberlist).Out(0)
	return list.Elem().PkgPath()
}

// mentions tells whether a name stands in src on its own: not behind a dot.
func mentions(src, name string) bool {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", -1, len(src)), []byte(src), func(token.Position, string) {}, 0)
	for before := token.EOF; ; {
		_, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return false
		case tok == token.IDENT && lit == name && before != token.PERIOD:
			return true
		}
		before = tok
	}
}

// room makes a chat a lab.Chat.
type room struct{ room *chat.Room }

func (r room) Send(ctx context.Context, text string) (lab.Delivery, error) {
	d, err := r.room.Send(ctx, text)
	return lab.Delivery{Reached: d.Reached, Pending: d.Pending, Dropped: d.Dropped}, err
}

func (r room) Ping(ctx context.Context, name string) (time.Duration, error) {
	return r.room.Ping(ctx, name)
}

func (r room) Members() ([]string, error) { return r.room.Members() }

var _ lab.Chat = room{}
