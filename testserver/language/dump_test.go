package language_test

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/peerlab/peerlab/testserver/language"
)

// dump is a script in a form that is easy to compare: one line a statement,
// zero values left out.
func dump(s *language.Script, positions bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "peers %s\n", strings.Join(s.Peers, " "))
	if s.Original {
		b.WriteString("original\n")
	}
	if s.Spawns != nil {
		fmt.Fprintf(&b, "spawns %s\n", strings.Join(s.Spawns, " "))
	}
	for _, g := range s.Groups {
		fmt.Fprintf(&b, "group %s = %s\n", g.Name, strings.Join(g.Peers, " "))
	}
	if s.Timeout != language.DefaultTimeout {
		fmt.Fprintf(&b, "timeout %s\n", s.Timeout)
	}
	dumpRemark(&b, "skip", s.Skip)
	dumpRemark(&b, "fails", s.Fails)
	dumpBody(&b, s.Body, "", positions)
	if s.Cleanup != nil {
		b.WriteString("cleanup\n")
		dumpBody(&b, s.Cleanup, "  ", positions)
	}
	for _, f := range s.Files {
		fmt.Fprintf(&b, "file %s %q\n", f.Name, f.Data)
	}
	return b.String()
}

func dumpRemark(b *strings.Builder, word string, r *language.Remark) {
	if r != nil {
		fmt.Fprintf(b, "%s %s %q\n", word, value(reflect.ValueOf(r.Conditions)), r.Reason)
	}
}

func dumpBody(b *strings.Builder, body []language.Statement, indent string, positions bool) {
	for _, st := range body {
		for _, c := range st.Comment {
			fmt.Fprintf(b, "%s# %s\n", indent, c)
		}
		b.WriteString(indent)
		if positions {
			fmt.Fprintf(b, "%d:%d ", st.Pos.Line, st.Pos.Col)
		}
		if st.Inserted {
			b.WriteString("+ ")
		}
		if st.Conditions != nil {
			fmt.Fprintf(b, "%s ", value(reflect.ValueOf(st.Conditions)))
		}
		b.WriteString([]string{"", "! ", "? "}[st.Outcome])
		if st.Deferred {
			fmt.Fprintf(b, "deferred %s\n", st)
		} else {
			fmt.Fprintf(b, "%s\n", value(reflect.ValueOf(st.Do)))
		}
		dumpBody(b, st.Body, indent+"  ", positions)
	}
}

// value is a Go value in a compact form.
func value(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case language.Targets:
		var terms []string
		for _, t := range x.Terms {
			terms = append(terms, target(t))
		}
		return strings.Join(terms, ",")
	case language.Condition:
		if x.Not {
			return "!" + x.Word
		}
		return x.Word
	case language.Count:
		return fmt.Sprint(x.Op, x.N)
	case time.Duration:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Struct:
		var fields []string
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; !v.Field(i).IsZero() && name != "Text" || name == "Text" && v.Type().Name() == "Term" {
				fields = append(fields, name+"="+value(v.Field(i)))
			}
		}
		return v.Type().Name() + "{" + strings.Join(fields, " ") + "}"
	case reflect.Slice:
		var all []string
		for i := range v.Len() {
			all = append(all, value(v.Index(i)))
		}
		return "[" + strings.Join(all, " ") + "]"
	case reflect.Pointer:
		return value(v.Elem())
	case reflect.String:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

func target(t language.Target) string {
	switch t.Kind {
	case language.Named:
		return t.Name
	case language.Grouped:
		return "@" + t.Name
	case language.All:
		return "*"
	case language.Others:
		return "others(" + value(reflect.ValueOf(*t.Of)) + ")"
	}
	return fmt.Sprintf("any(%d,%s)", t.N, value(reflect.ValueOf(*t.Of)))
}
