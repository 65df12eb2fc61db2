package language

import "slices"

// Words are the words that begin a statement of the full form.
func Words() []string {
	return []string{
		"peers", "group", "timeout", "skip", "fails",
		"phase", "mark", "par", "repeat", "for", "bg", "join",
		"kill", "stop", "restart", "pause", "resume", "spawn",
		"fault", "heal", "nemesis", "await", "check", "cleanup",
		"let", "sleep", "stdout", "stderr",
	}
}

// verbs come after targets and are no commands of a shell.
func verbs() []string { return []string{"expect", "never", "await", "stable"} }

// targetWords stand for peers, besides their names.
func targetWords() []string { return []string{"all", "others", "any", "self"} }

// labels are words that mean something else on the screen of a peer or in the
// arguments of a program.
func labels() []string {
	return []string{
		"demo", "help", "completion", "version", "testserver",
		"joined", "left", "lost", "info", "warn", "error", "back", "here",
	}
}

// Reserved are the words that no peer and no group can be called.
func Reserved() []string {
	return slices.Concat(Words(), verbs(), targetWords(), labels())
}

// inFullForm tells whether a word means something to the full form only.
func inFullForm(word string) bool {
	return word != "self" && slices.Contains(slices.Concat(Words(), verbs(), targetWords()), word)
}

// rawCommand tells whether a command of a shell takes the rest of its line as
// it is, comments and semicolons too.
func rawCommand(name string) bool {
	if name != "" && name[0] == '@' {
		return true
	}
	switch name {
	case "msg", "echo", "shell", "go", "import", "type", "doc":
		return true
	}
	return false
}
