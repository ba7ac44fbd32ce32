package sandbox

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Unlinked returns how many bytes on the disk of a folder are taken by files that
// have no name any more and that the child or its descendants have open.
func (p *Process) Unlinked(dir string) (sum int64) {
	var disk unix.Stat_t
	if unix.Stat(dir, &disk) != nil {
		return 0
	}
	counted := map[uint64]bool{}
	for _, pid := range descendants(p.Pid()) {
		folder := fmt.Sprintf("/proc/%d/fd", pid)
		open, _ := os.ReadDir(folder)
		for _, fd := range open {
			var f unix.Stat_t
			err := unix.Stat(folder+"/"+fd.Name(), &f)
			if err != nil || f.Dev != disk.Dev || f.Nlink > 0 || f.Mode&unix.S_IFMT != unix.S_IFREG || counted[f.Ino] {
				continue
			}
			counted[f.Ino] = true
			sum += f.Blocks * 512
		}
	}
	return sum
}
