package journal

// Position is the number of the last event, 0 before the first, and the
// Lamport time.
func (w *Writer) Position() (seq, lamport uint64) {
	w.order.Lock()
	defer w.order.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seq, w.lamport
}
