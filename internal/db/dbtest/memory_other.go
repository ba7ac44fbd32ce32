//go:build !linux

package dbtest

const memory = ""

func inMemory() bool { return false }
