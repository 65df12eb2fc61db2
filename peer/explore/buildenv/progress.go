package buildenv

import (
	"context"
	"regexp"
	"strings"
)

// Progress is what the tools do at the moment: "fetching MODULE VERSION",
// "compiling PACKAGE", or empty when they have ended.
type Progress func(what string)

type progressKey struct{}

// WithProgress returns a context whose Load and Import tell what they do. f is
// called on other goroutines, one call at a time, and no more when the method
// has returned; it must not wait. What is there already is done in silence.
func WithProgress(ctx context.Context, f Progress) context.Context {
	return context.WithValue(ctx, progressKey{}, f)
}

// progress is what ctx was given, or does nothing.
func progress(ctx context.Context) Progress {
	if f, ok := ctx.Value(progressKey{}).(Progress); ok && f != nil {
		return f
	}
	return func(string) {}
}

var (
	downloading = regexp.MustCompile(`^go: downloading (\S+ \S+)$`)
	importPath  = regexp.MustCompile(`^[\w.~/+-]+$`)
)

// doing is what a line of the go command's standard error tells of, or empty.
func doing(line string) string {
	line = strings.TrimSpace(line)
	if m := downloading.FindStringSubmatch(line); m != nil {
		return "fetching " + m[1]
	}
	if importPath.MatchString(line) {
		return "compiling " + line
	}
	return ""
}
