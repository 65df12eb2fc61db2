package report_test

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/peerlab/peerlab/testserver/report"
)

// TestTheFormatIsDocumented compares the tables of docs/result.md with the
// types: names, types and whether they may be left out, in their order.
func TestTheFormatIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/result.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		heading string
		of      any
	}{
		{"The result", report.Result{}}, {"A phase", report.Phase{}}, {"A row", report.Row{}}, {"A problem", report.Problem{}}, {"A peer", report.Peer{}},
	} {
		_, section, ok := strings.Cut(string(text), "\n## "+c.heading+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		var got []string
		for line := range strings.Lines(section) {
			cells := strings.Split(line, "|")
			if len(cells) > 3 && strings.HasPrefix(cells[1], " `") {
				got = append(got, strings.Trim(cells[1], " `")+": "+strings.TrimSpace(cells[2]))
			}
		}
		if want := members(reflect.TypeOf(c.of)); !ok || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("docs/result.md, %s: it has\n%s\nthe type has\n%s", c.heading, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func members(of reflect.Type) []string {
	var all []string
	for i := range of.NumField() {
		f := of.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		line := name + ": " + jsonType(f.Type)
		if strings.Contains(rest, "omitempty") {
			line += ", optional"
		}
		all = append(all, line)
	}
	return all
}

func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Slice:
		return "array"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	}
	if t == reflect.TypeFor[time.Time]() {
		return "string"
	}
	return "number"
}
