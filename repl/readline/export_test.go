//go:build unix

package readline

// GetTermios is the request for a terminal's state.
const GetTermios = getTermios
