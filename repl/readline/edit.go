//go:build unix

package readline

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// filter sees every key before the library does. What was pasted comes as one
// key: the library is given another one in its place that changes nothing but
// ends a search, and OnChange puts the text on the line.
func (r *reader) filter(key rune) (rune, bool) {
	switch {
	case key == keyPaste && r.edit.Operation.IsSearchMode():
		r.pasted = true
		return keyEnd, true
	case key == keyPaste:
		r.pasted = true
		return keyBell, true
	case key == keyEdit && r.edit.Operation.IsSearchMode():
		r.wanted = true
		return keyEnd, true
	case key == keyEdit:
		r.wanted = true
		return keyBell, true
	case key == newline:
		return utf8.RuneError, true
	}
	return key, true
}

// OnChange is called by the library after every key, and may change the line.
// It implements the library's Listener.
func (r *reader) OnChange(text []rune, pos int, key rune) ([]rune, int, bool) {
	switch {
	case key == 0: // a line begins
		return nil, 0, false
	case r.pasted:
		r.pasted = false
		insert := r.keys.pasted()
		return slices.Insert(text, pos, insert...), pos + len(insert), true
	case r.wanted:
		r.wanted = false
		text = r.inEditor(text)
		return text, len(text), true
	case r.instead != nil:
		i := r.instead
		r.instead = nil
		return slices.Replace(text, i.from, pos, i.text...), i.from + len(i.text), true
	case key == keyLeft, key == keyRight:
		at := snap(text, pos, key == keyLeft)
		return text, at, at != pos
	}
	return nil, 0, false
}

// instead is what the line gets in place of what stands from there up to the
// cursor.
type instead struct {
	from int // in characters
	text []rune
}

// Do is what Tab does. It implements the library's AutoCompleter and is called
// by it.
func (r *reader) Do(text []rune, pos int) (insert [][]rune, length int) {
	r.mu.Lock()
	completer := r.completer
	r.mu.Unlock()
	if completer == nil {
		return nil, 0
	}
	before := strings.ReplaceAll(string(text[:pos]), string(newline), "\n")
	after := strings.ReplaceAll(string(text[pos:]), string(newline), "\n")
	list, start := completer(before+after, len(before))
	if start < 0 || start > len(before) {
		return nil, 0
	}
	if text := otherwise(list, before[start:]); text != "" {
		r.instead = &instead{from: utf8.RuneCountInString(before[:start]), text: pasted(text)}
		return nil, 0
	}
	columns, rows := r.screen.size()
	typed, table := choose(list, before[start:], after, columns, rows)
	if table != "" {
		r.Print(table)
	}
	if typed == "" {
		return nil, 0
	}
	return [][]rune{pasted(typed)}, 0
}
