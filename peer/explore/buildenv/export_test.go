package buildenv

// Lose makes the Env believe that Go's cache has been emptied since all was
// loaded.
func (e *Env) Lose() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for path, p := range e.packages {
		if p.Export != "" {
			p.Export += ".gone"
			e.packages[path] = p
		}
	}
}
