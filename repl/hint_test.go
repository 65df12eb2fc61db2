package repl_test

import "testing"

func TestHint(t *testing.T) {
	for _, tt := range []struct{ mode, line, want string }{
		{"chat", "", ""},
		{"chat", "set ", ""},
		{"chat", "hello", ""},
		{"chat", "/set", " KEY TEXT"},
		{"chat", "/set ", "KEY TEXT"},
		{"chat", "/set k", ""},
		{"chat", "/set k ", "TEXT"},
		{"chat", "/set 'a b' ", "TEXT"},
		{"chat", "/set k t ", ""},
		{"chat", "  /set ", "KEY TEXT"},
		{"chat", "/se", "t KEY TEXT"},
		{"chat", "/mem", ""}, // ambiguous
		{"chat", "/memberj", "oin [HOST:PORT ...]"},
		{"chat", "/memberjoin a ", ""},
		{"chat", "/memberlist", ""}, // an alias of a command without arguments
		{"chat", "/nosuch ", ""},
		{"chat", "/msg ", "TEXT"},
		{"chat", "/msg  ", ""},
		{"chat", "/msg x; set ", ""},
		{"chat", "/echo x; set ", ""},
		{"cmd", "fail; set ", "KEY TEXT"},
		{"cmd", "fail;", ""},
		{"cmd", "set ", "KEY TEXT"},
		{"cmd", "set k # ", ""},
		{"cmd", "set 'k ", ""},
		{"cmd", "set\nset ", ""},
		{"go", "set ", ""},
		{"go", "/set ", "KEY TEXT"},
	} {
		s := newShell(t, chatModes)
		if err := s.SetMode(tt.mode); err != nil {
			t.Fatal(err)
		}
		if got := s.Hint(tt.line); got != tt.want {
			t.Errorf("%s: %q: %q, want %q", tt.mode, tt.line, got, tt.want)
		}
	}
}
