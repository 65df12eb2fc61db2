package language

// String is the statement in canonical form, without its body and comment.
func (s Statement) String() string { return s.Text }
