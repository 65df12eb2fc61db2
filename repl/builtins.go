package repl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxSleep is the longest sleep that cannot be a slip of the finger.
const maxSleep = 24 * time.Hour

// withBuiltins puts the built-in commands around own, but for those whose
// name own has taken.
func (s *Shell) withBuiltins(own []Command) []Command {
	taken := make(map[string]bool)
	for _, c := range own {
		taken[c.Name] = true
	}
	var all []Command
	add := func(cmds ...Command) {
		for _, c := range cmds {
			if !taken[c.Name] {
				all = append(all, c)
			}
		}
	}
	add(s.helpCommand(), s.modeCommand())
	add(endCommands()...)
	all = append(all, own...)
	add(echoCommand(), sleepCommand(), s.executeCommand())
	return all
}

func endCommands() []Command {
	return []Command{{
		Name: "quit", Group: "cli", Summary: "leave in order",
		Run: func(context.Context, *Call) error { return ErrQuit },
	}, {
		Name: "exit", Group: "cli", Summary: "leave at once",
		Run: func(context.Context, *Call) error { return ErrExit },
	}}
}

func (s *Shell) modeCommand() Command {
	names := s.modeNames()
	return Command{
		Name: "mode", Group: "cli", Usage: "[" + strings.Join(names, "|") + "]", MaxArgs: 1,
		Summary: "say, or choose, what a bare line at the prompt means",
		Help:    "Without an argument it prints the mode. A slash and a letter begin a\ncommand in every mode.\n\n\tmode " + names[len(names)-1],
		Complete: func(args []string) []Candidate {
			return candidatesIf(len(args) == 0, s.modeNames())
		},
		Run: func(_ context.Context, c *Call) error {
			if len(c.Args) == 1 {
				return s.SetMode(c.Args[0])
			}
			_, err := fmt.Fprintln(c.Out, s.Mode().Name)
			return err
		},
	}
}

func candidatesIf(ok bool, names []string) []Candidate {
	if !ok {
		return nil
	}
	var list []Candidate
	for _, n := range names {
		list = append(list, Candidate{Text: n})
	}
	return list
}

func echoCommand() Command {
	return Command{
		Name: "echo", Group: "script", Usage: "[TEXT]", Raw: true,
		Summary: "print the text",
		Run: func(_ context.Context, c *Call) error {
			_, err := fmt.Fprintln(c.Out, c.Text)
			return err
		},
	}
}

func sleepCommand() Command {
	return Command{
		Name: "sleep", Group: "script", Usage: "SECONDS|DURATION", MinArgs: 1, MaxArgs: 1,
		Summary: "wait",
		Help:    "The time is a number of seconds, or a duration such as 300ms or 1m30s; at\nmost a day.\n\n\tsleep 1.5",
		Run: func(ctx context.Context, c *Call) error {
			d, err := parseSleep(c.Args[0])
			if err != nil {
				return err
			}
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
}

// parseSleep reads a number of seconds or a Go duration, from 0 to maxSleep.
func parseSleep(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if seconds, ferr := strconv.ParseFloat(s, 64); ferr == nil {
		if math.IsNaN(seconds) || math.Abs(seconds) > maxSleep.Seconds() {
			return 0, Usagef("%s is not between 0 seconds and 24h", s)
		}
		d, err = time.Duration(seconds*float64(time.Second)), nil
	}
	switch {
	case err != nil:
		return 0, Usagef("%q is neither a number of seconds nor a duration such as 300ms", s)
	case d < 0, d > maxSleep:
		return 0, Usagef("%s is not between 0 seconds and 24h", s)
	}
	return d, nil
}

func (s *Shell) executeCommand() Command {
	return Command{
		Name: "execute", Group: "script", Usage: "FILE", MinArgs: 1, MaxArgs: 1,
		File:    func(args []string) bool { return len(args) == 0 },
		Summary: "run the commands of a file, up to the first failure",
		Help:    "Each line is one or more commands; a number sign begins a comment. The error\nof the command that failed begins with the file and the line.\n\n\texecute hello.cmd",
		Run: func(ctx context.Context, c *Call) error {
			if s.cfg.Open == nil {
				return errors.New("this shell reads no files: type the commands instead")
			}
			f, err := s.cfg.Open(c.Args[0])
			if err != nil {
				return fmt.Errorf("execute: %w", err)
			}
			defer f.Close()
			return s.Script(ctx, c.Args[0], f, c.Out)
		},
	}
}
