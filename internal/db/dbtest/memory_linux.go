package dbtest

import "syscall"

// memory is a file system in memory.
const memory = "/dev/shm"

// maxUsed is what tests that run at a time may fill; containers often have 64 MiB there.
const maxUsed = 2 << 30 // bytes

// inMemory reports whether there is one with room.
func inMemory() bool {
	var s syscall.Statfs_t
	return syscall.Statfs(memory, &s) == nil && s.Bavail*uint64(s.Bsize) >= maxUsed
}
