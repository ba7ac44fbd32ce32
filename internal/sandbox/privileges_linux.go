package sandbox

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// insideUser is the user that a child is inside its own user namespace, when
// this program may map a second one, as root may.
const insideUser = 993

// outsideUser is who insideUser is on the host: nobody, who owns nothing.
const outsideUser = 65534

// dropPrivileges takes away every capability, the way back to them, and, where
// there is a user to become, the user. It ends with the child tied to the life
// of its parent, because changing the user unties it.
func dropPrivileges(o order) error {
	if o.Level == None {
		return tieToParent()
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no new privileges: %w", err)
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		// EINVAL: newer than the kernel. EPERM: nothing to drop from.
		unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
	}
	if o.UID != 0 {
		if err := becomeUser(o.UID); err != nil {
			return err
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return tieToParent()
}

func becomeUser(uid int) error {
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("drop groups: %w", err)
	}
	if err := syscall.Setresgid(uid, uid, uid); err != nil {
		return fmt.Errorf("become group %d: %w", uid, err)
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return fmt.Errorf("become user %d: %w", uid, err)
	}
	return nil
}

// tieToParent has the kernel kill the child when the thread that started it
// ends. The starting thread lives as long as the program.
func tieToParent() error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("tie to parent: %w", err)
	}
	return nil
}
