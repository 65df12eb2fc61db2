//go:build amd64 || arm64

package live

// stackUsed returns how many bytes of its stack the calling goroutine uses.
// The bounds of its stack are the first words of every goroutine's descriptor.
func stackUsed() uintptr
