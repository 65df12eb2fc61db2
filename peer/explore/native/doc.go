// Package native runs checked lines as machine code. It rewrites each unit of
// a line to a package of its own, has it compiled and linked as a plugin for
// this very binary, opens it and runs it in a goroutine that can be stopped.
//
// Rewriting goes by what names mean (types.Info), never by their spelling, and
// edits the text of the unit in place, so that lines keep their numbers. Names
// in lower case get a mark before them, so that the packages of later lines can
// use them; variables at the top level become variables of the package; loops
// and functions ask whether they are to stop; what would block for ever
// otherwise, a receive or a send, waits for the stop too.
//
// A plugin is never unloaded: each line costs memory for ever. How a package
// is built is the Builder's business, what names mean is package check's.
package native
