package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// An exitError ends the program with its code; without an err inside, nothing is
// printed, because the command has printed what there is to tell.
type exitError struct {
	code int
	err  error
}

// Error is the text of what is inside.
func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit with %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns what is inside.
func (e exitError) Unwrap() error { return e.err }

// misuseBreaks has a command that checks something end with exitBroken where it is called in a wrong way:
// exitFailed is for what it found. It comes after the command's Args are set.
func misuseBreaks(cmd *cobra.Command) {
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, given []string) error {
		if err := args(cmd, given); err != nil {
			return exitError{exitBroken, err}
		}
		return nil
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return exitError{exitBroken, suggestFlag(cmd, err)} })
}
