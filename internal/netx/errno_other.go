//go:build !windows

package netx

// portable makes the errors of package net match the numbers that the
// contract of Network names. Here they do already.
func portable(err error) error { return err }
