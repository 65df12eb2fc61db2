// Package native runs checked lines as machine code: it rewrites them, has them
// built as plugins, opens those and runs what they hold.
package native
