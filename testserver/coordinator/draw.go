package coordinator

import "slices"

// random is the n-th number of the sequence that the seed and the place stand
// for. It depends on nothing else, so that the same seed makes the same
// choices however the peers behave. The mixing is splitmix64.
func random(words ...uint64) uint64 {
	var z uint64
	for _, w := range words {
		z += w + 0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
	}
	return z
}

// draw picks n of the names, without repeating, in the order of names.
func draw(names []string, n int, words ...uint64) []string {
	order := slices.Clone(names)
	for i := range min(n, len(order)) {
		j := i + int(random(append(slices.Clone(words), uint64(i))...)%uint64(len(order)-i))
		order[i], order[j] = order[j], order[i]
	}
	picked := order[:min(n, len(order))]
	return slices.DeleteFunc(slices.Clone(names), func(s string) bool { return !slices.Contains(picked, s) })
}
