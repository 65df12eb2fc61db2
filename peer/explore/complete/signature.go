package complete

import (
	"go/types"
	"strings"

	"github.com/peerlab/peerlab/peer/explore/check"
)

// Rest tells what is left of the call in whose arguments a text ends: its
// parameters from the one after that which is being typed, and its results.
// Where an argument is to begin, that comes first. Empty means that the text
// ends elsewhere, or that nothing is known.
func Rest(names Names, text string) string {
	start := nameStart(text)
	if literal(text[:start]) || !strings.ContainsAny(text, "(") {
		return ""
	}
	v := look(names, text[:start], !declares(text[:start]))
	if v.call == nil {
		return ""
	}
	t := v.info.TypeOf(v.call.Fun)
	if t == nil || v.info.Types[v.call.Fun].IsType() {
		return ""
	}
	s, ok := t.Underlying().(*types.Signature)
	if !ok {
		return ""
	}
	return rest(s, v.arg, start < len(text) || v.selector != nil)
}

// rest writes a signature from parameter arg on; begun says that this one has
// been.
func rest(s *types.Signature, arg int, begun bool) string {
	n := s.Params().Len()
	if s.Variadic() && arg >= n {
		arg = n - 1
	}
	var b strings.Builder
	for i := arg; i < n; i++ {
		if i == arg && begun {
			continue
		}
		if i > 0 && (i > arg || begun) {
			b.WriteString(", ")
		}
		p := s.Params().At(i)
		typ := check.Plain(p.Type())
		if s.Variadic() && i == n-1 {
			typ = "..." + check.Plain(p.Type().(*types.Slice).Elem())
		}
		b.WriteString(strings.TrimSpace(p.Name() + " " + typ))
	}
	b.WriteByte(')')
	if results := check.Plain(s.Results()); s.Results().Len() == 1 && s.Results().At(0).Name() == "" {
		b.WriteString(" " + strings.Trim(results, "()"))
	} else if s.Results().Len() > 0 {
		b.WriteString(" " + results)
	}
	return b.String()
}
