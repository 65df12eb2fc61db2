package live

// Running counts the lines that have goroutines now, and these.
func Running() (lines, goroutines int) {
	shared.mu.Lock()
	all := make([]*Line, 0, len(shared.lines))
	for _, l := range shared.lines {
		all = append(all, l)
	}
	shared.mu.Unlock()
	for _, l := range all {
		l.mu.Lock()
		if l.running > 0 {
			lines++
			goroutines += l.running
		}
		l.mu.Unlock()
	}
	return lines, goroutines
}
