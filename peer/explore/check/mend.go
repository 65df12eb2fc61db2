package check

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The checker's words for what the session sees differently. They are those of
// the go/types that is linked in; the table of lines fails if they change.
const (
	saysUnused   = "declared and not used"
	saysNoValue  = "(no value) used as value"
	saysBlank    = "cannot use _ as value"
	saysImplicit = "implicit assignment to unexported field"
	saysNoExpr   = "is not an expression"
	saysOverflow = "overflows"
)

var lineType = regexp.MustCompile(`\bline(\d+)\.(\pL[\pL\d_]*)`)

// mend changes a unit so that errors which are none in a session go away, and
// tells whether it is worth checking again. left are the true errors.
func (c *checker) mend(u *Unit, errs []types.Error) (mended bool, left []types.Error) {
	u.Unused = map[token.Pos]bool{}
	if c.lastValue(u, errs) {
		return true, nil // positions are others now
	}
	for _, e := range errs {
		switch {
		case e.Soft && strings.Contains(e.Msg, saysUnused):
			u.Unused[e.Pos] = true
		case strings.Contains(e.Msg, saysNoValue) && u.bare(e.Pos),
			strings.Contains(e.Msg, saysImplicit) && u.addKeys(e.Pos):
			mended = true
		default:
			left = append(left, e)
		}
	}
	return mended, left
}

// bare makes the last expression a statement.
func (u *Unit) bare(pos token.Pos) bool {
	if u.Show == nil || len(u.Show.Args) != 1 || pos < u.Show.Pos() || pos > u.Show.End() {
		return false
	}
	call, ok := ast.Unparen(u.Show.Args[0]).(*ast.CallExpr)
	if !ok || pos > call.Lparen {
		return false
	}
	u.Bare = true
	u.Run.Body.List[len(u.Run.Body.List)-1] = &ast.ExprStmt{X: u.Show.Args[0]}
	return true
}

// lastValue makes each "_" that is read mean the last value: in the text, so
// that positions stay true. It is false if there is none, or no last value.
func (c *checker) lastValue(u *Unit, errs []types.Error) bool {
	if c.names[LastName] == nil {
		return false
	}
	places := map[int]token.Pos{} // by offset in Text
	for _, e := range errs {
		if !strings.Contains(e.Msg, saysBlank) {
			continue
		}
		if at := u.offset(e.Pos); strings.HasPrefix(u.Text[at:], Last) {
			places[at] = e.Pos
		}
	}
	if len(places) == 0 {
		return false
	}
	var text strings.Builder
	from := 0
	for _, at := range slices.Sorted(maps.Keys(places)) {
		p := u.Fset.Position(places[at])
		fmt.Fprintf(&text, "%s%s/*line %s:%d:%d*/", u.Text[from:at], LastName, p.Filename, p.Line, p.Column+len(Last))
		from = at + len(Last)
	}
	again := &Unit{Text: text.String() + u.Text[from:], Fset: u.Fset, Input: u.Input, session: u.session, owners: u.owners}
	if c.parse(again) != nil {
		return false
	}
	*u = *again
	return true
}

// addKeys adds the keys to a literal without: lower-case fields of a line
// before may be set, though go/types compares packages here, not paths.
func (u *Unit) addKeys(pos token.Pos) bool {
	done := false
	ast.Inspect(u.File, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || done || pos < lit.Lbrace || pos > lit.Rbrace {
			return !done
		}
		done = u.addKeysTo(lit, pos)
		return !done
	})
	return done
}

func (u *Unit) addKeysTo(lit *ast.CompositeLit, pos token.Pos) bool {
	i := -1
	for k, e := range lit.Elts {
		if e.Pos() == pos {
			i = k
		}
	}
	t := u.Info.Types[lit].Type
	if i < 0 || t == nil {
		return false
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok || st.NumFields() != len(lit.Elts) {
		return false
	}
	for k := range lit.Elts {
		if f := st.Field(k); f.Pkg() != nil && f.Pkg().Path() != Path && !f.Exported() {
			return false
		}
	}
	for k, e := range lit.Elts {
		lit.Elts[k] = &ast.KeyValueExpr{Key: ast.NewIdent(st.Field(k).Name()), Value: e}
	}
	return true
}

// constants looks at expressions that the checker refuses as arguments: types,
// and constants beyond int. It tells whether the unit is nothing else.
func (c *checker) constants(u *Unit, left []types.Error) bool {
	if u.Show == nil || len(u.Run.Body.List) != 1 {
		return false
	}
	for _, e := range left {
		if !strings.Contains(e.Msg, saysNoExpr) && !strings.Contains(e.Msg, saysOverflow) {
			return false
		}
	}
	var all []Value
	for _, e := range u.Show.Args {
		if types.CheckExpr(u.Fset, u.Pkg, u.Show.Pos(), e, u.Info) != nil {
			return false
		}
		tv := u.Info.Types[e]
		if !tv.IsType() && tv.Value == nil {
			return false
		}
		all = append(all, Value{Type: tv.Type, Const: tv.Value, IsType: tv.IsType()})
	}
	c.line.Values = all
	return true
}

// report makes one error of those that are left.
func (c *checker) report(u *Unit, left []types.Error) error {
	first := left[0]
	for _, e := range left {
		if !e.Soft {
			first = e
			break
		}
	}
	pos := first.Pos
	if u.Show != nil && pos == u.Show.Pos() || u.Show != nil && pos == u.Show.Rparen {
		pos = u.Show.Args[0].Pos()
	}
	return &Error{Where: u.Fset.Position(pos).String(), Text: c.versions(u, clean(first.Msg)), More: len(left) - 1}
}

// clean takes the session's own words out of a message.
func clean(msg string) string {
	msg = strings.ReplaceAll(msg, " in argument to "+show, "")
	msg = strings.ReplaceAll(msg, "in call to "+show+", ", "")
	msg = strings.ReplaceAll(msg, "\n", "; ")
	msg = strings.ReplaceAll(msg, "\t", "")
	return strings.ReplaceAll(msg, Mark, "")
}

// versions writes line4.P as P, or as P‹4› if that is not what P means now.
func (c *checker) versions(u *Unit, msg string) string {
	own := declared(u.File)
	return lineType.ReplaceAllStringFunc(msg, func(m string) string {
		part := lineType.FindStringSubmatch(m)
		if b := c.names[part[2]]; b != nil && strconv.Itoa(b.Input) == part[1] && !own[part[2]] {
			return part[2]
		}
		return part[2] + "‹" + part[1] + "›"
	})
}
