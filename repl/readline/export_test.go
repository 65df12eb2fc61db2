//go:build unix

package readline

// The requests for a terminal's state, and to set it.
const (
	GetTermios = getTermios
	SetTermios = setTermios
)
