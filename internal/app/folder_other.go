//go:build !unix

package app

import "os"

func fixUmask() {}

func maxConnections() int { return mostConnections }

// lockFile takes every file where the system has no advisory locks.
func lockFile(*os.File) error { return nil }
