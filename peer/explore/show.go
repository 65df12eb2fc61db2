package explore

import (
	"cmp"
	"fmt"
	goconstant "go/constant"
	gotypes "go/types"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
	"github.com/peerlab/peerlab/peer/explore/fast"
	"github.com/peerlab/peerlab/peer/explore/mirror"
)

const (
	maxDepth = 6     // how deep in a value printing goes
	maxText  = 16384 // bytes of a printed value
)

// text prints a value of a line.
func text(known check.Value, v any) string {
	switch {
	case known.IsType:
		return underlying(known.Type)
	case known.Const != nil && v == nil:
		if k := known.Const.Kind(); k == goconstant.Float || k == goconstant.Complex {
			return known.Const.String()
		}
		return known.Const.ExactString()
	}
	if b, ok := gotypes.Unalias(known.Type).(*gotypes.Basic); ok && known.Type.String() == "rune" || ok && b.Kind() == gotypes.UntypedRune {
		if r, ok := v.(rune); ok {
			return strconv.QuoteRune(r)
		}
	}
	var p printer
	p.value(reflect.ValueOf(v), 0)
	s := p.b.String()
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return unmark(s)
}

// underlying is what a type at the prompt is shown as.
func underlying(t gotypes.Type) string {
	if _, ok := gotypes.Unalias(t).(*gotypes.Named); ok {
		return check.Plain(t.Underlying())
	}
	return check.Plain(t)
}

// defaultType is the type of a variable with such a value; nil for none.
func defaultType(v check.Value) gotypes.Type {
	t := gotypes.Default(v.Type)
	if b, ok := t.(*gotypes.Basic); ok && b.Kind() == gotypes.UntypedNil {
		return nil
	}
	return t
}

// constant makes a value of a constant of a predeclared type, as a variable would
// hold it; nil for others, and if no variable of its type can.
func constant(v check.Value) any {
	if v.Const == nil {
		return nil
	}
	b, ok := gotypes.Unalias(defaultType(v)).(*gotypes.Basic)
	if !ok {
		return nil
	}
	live, ok := mirror.Basics()[b.Kind()]
	if !ok {
		return nil
	}
	value, ok := fast.Constant(live, v.Const)
	if !ok {
		return nil
	}
	return value.Interface()
}

// printer prints values: strings in quotes, structs with their fields, errors
// and Stringers in their own words.
type printer struct{ b strings.Builder }

func (p *printer) put(s string) { p.b.WriteString(s) }

func (p *printer) value(v reflect.Value, depth int) {
	switch {
	case p.b.Len() > maxText:
		return
	case !v.IsValid():
		p.put("<nil>")
		return
	case depth > maxDepth:
		p.put("…")
		return
	case p.own(v):
		return
	}
	switch v.Kind() {
	case reflect.String:
		p.put(strconv.Quote(v.String()))
	case reflect.Struct:
		p.structure(v, depth)
	case reflect.Map:
		p.mapping(v, depth)
	case reflect.Slice, reflect.Array:
		p.put("[")
		for i := range v.Len() {
			if i > 0 {
				p.put(" ")
			}
			if p.value(v.Index(i), depth+1); p.b.Len() > maxText {
				return
			}
		}
		p.put("]")
	case reflect.Interface:
		p.value(v.Elem(), depth)
	default:
		p.pointer(v, depth)
	}
}

// own prints a value in its own words, if it has any. A method that panics, as
// one of a nil that is embedded, has none.
func (p *printer) own(v reflect.Value) (done bool) {
	if !v.CanInterface() || v.Kind() == reflect.Interface {
		return false
	}
	if (v.Kind() == reflect.Pointer || v.Kind() == reflect.Map) && v.IsNil() {
		return false
	}
	defer func() {
		if recover() != nil {
			done = false
		}
	}()
	switch v := v.Interface().(type) {
	case error:
		p.put(v.Error())
		return true
	case fmt.Stringer:
		p.put(v.String())
		return true
	}
	return false
}

func (p *printer) structure(v reflect.Value, depth int) {
	p.put("{")
	for i := range v.NumField() {
		if i > 0 {
			p.put(" ")
		}
		p.put(v.Type().Field(i).Name + ":")
		p.value(v.Field(i), depth+1)
	}
	p.put("}")
}

// mapping prints the entries in the order of their keys: numbers by their value,
// others as they are printed. Of a map that is much too large it is chance which
// ones. What a library has in a field of its own it may change at any time, and
// whoever walks a map meanwhile ends the process: of that there is no more than
// that it is not empty.
func (p *printer) mapping(v reflect.Value, depth int) {
	if !v.CanInterface() && v.Len() > 0 {
		p.put("map[…]")
		return
	}
	type entry struct {
		key   reflect.Value
		text  string
		value reflect.Value
	}
	var entries []entry
	for it := v.MapRange(); it.Next() && len(entries) < maxText; {
		var key printer
		key.value(it.Key(), depth+1)
		entries = append(entries, entry{it.Key(), key.b.String(), it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(compareNumbers(a.key, b.key), cmp.Compare(a.text, b.text))
	})
	p.put("map[")
	for i, e := range entries {
		if i > 0 {
			p.put(" ")
		}
		p.put(e.text + ":")
		if p.value(e.value, depth+1); p.b.Len() > maxText {
			return
		}
	}
	p.put("]")
}

// compareNumbers compares two values of a type; 0 for those that are no numbers.
func compareNumbers(a, b reflect.Value) int {
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	}
	return 0
}

func (p *printer) pointer(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			p.put("<nil>")
			return
		}
		if k := v.Elem().Kind(); k == reflect.Struct || k == reflect.Slice || k == reflect.Map || k == reflect.Array {
			p.put("&")
			p.value(v.Elem(), depth+1)
			return
		}
		p.put(fmt.Sprintf("%#x", v.Pointer()))
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		if v.IsNil() {
			p.put("<nil>")
			return
		}
		p.put(fmt.Sprintf("%#x", v.Pointer()))
	default:
		p.put(fmt.Sprint(v))
	}
}
