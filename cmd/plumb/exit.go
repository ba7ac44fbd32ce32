package main

import "fmt"

// An exitError ends the program with its code; without an err inside, nothing is
// printed, because the command has said what there is to say.
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
