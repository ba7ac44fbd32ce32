package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// shown are the parts of the host that programs need to run at all: programs,
// libraries, certificates. There is nothing private in them.
var shown = []string{
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
	"/etc/alternatives", "/etc/ca-certificates", "/etc/crypto-policies", "/etc/ld.so.cache", "/etc/ld.so.conf",
	"/etc/ld.so.conf.d", "/etc/localtime", "/etc/mime.types", "/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/pki/tls/cert.pem",
	"/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/python3", "/etc/python3.11", "/etc/timezone",
}

var devices = []string{"null", "zero", "full", "random", "urandom"}

// buildRoot makes a root of the child's own out of the shown parts and the
// mounts, and enters it. The child is root of its user namespace here.
func buildRoot(o order) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("part from the host's mounts: %w", err)
	}
	if err := unix.Mount("tmpfs", o.Root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=4m,mode=755"); err != nil {
		return fmt.Errorf("mount root: %w", err)
	}
	if err := fillRoot(o); err != nil {
		return err
	}
	if err := os.Chdir(o.Root); err != nil {
		return fmt.Errorf("enter root: %w", err)
	}
	// With both folders the same, the old root lies on top of the new one and
	// is taken off right after.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the host's root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return fmt.Errorf("enter root: %w", err)
	}
	if err := restrictMount("/", false, unix.MOUNT_ATTR_RDONLY); err != nil {
		return fmt.Errorf("make root read-only: %w", err)
	}
	return unix.Sethostname([]byte("sandbox"))
}

func fillRoot(o order) error {
	if err := writeEtc(o); err != nil {
		return err
	}
	for _, p := range shown {
		if err := show(o.Root, p); err != nil {
			return err
		}
	}
	if err := makeDev(o.Root); err != nil {
		return err
	}
	for _, m := range o.Spec.Mounts {
		if err := bind(o.Root, m); err != nil {
			return err
		}
		if m.Write && o.UID != 0 {
			if err := os.Lchown(filepath.Join(o.Root, m.Target), o.UID, o.UID); err != nil {
				return fmt.Errorf("give %s: %w", m.Target, err)
			}
		}
	}
	return mountProc(o.Root)
}

// writeEtc writes the few files that name the child's own small world: one user
// and one host. Without a name server a look-up fails at once instead of
// waiting for one that cannot be reached; where there are names, this program
// answers.
func writeEtc(o order) error {
	etc := filepath.Join(o.Root, "etc")
	if err := os.MkdirAll(etc, 0o755); err != nil {
		return err
	}
	files := map[string]string{
		"passwd":        fmt.Sprintf("root:x:0:0:root:/tmp:/bin/sh\nsbx_user:x:%d:%d::/tmp:/bin/sh\n", insideUser, insideUser),
		"group":         fmt.Sprintf("root:x:0:\nsbx_user:x:%d:\n", insideUser),
		"hosts":         "127.0.0.1 localhost sandbox\n",
		"resolv.conf":   "",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
	}
	if o.Resolver != "" {
		files["resolv.conf"] = "nameserver " + o.Spec.Names.Address + "\n"
		files["nsswitch.conf"] = "passwd: files\ngroup: files\nhosts: files dns\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write /etc/%s: %w", name, err)
		}
	}
	return nil
}

// show makes a path of the host visible at the same place, as the link or the
// read-only file or folder that it is; nothing if the host has none.
func show(root, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return nil
	}
	target := filepath.Join(root, path)
	if info.Mode()&os.ModeSymlink != 0 {
		to, err := os.Readlink(path)
		if err != nil {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.Symlink(to, target)
	}
	return bind(root, Mount{Source: path, Target: path})
}

// bind mounts a file or folder of the host below root.
func bind(root string, m Mount) error {
	info, err := os.Stat(m.Source)
	if err != nil {
		return fmt.Errorf("mount %s: %w", m.Target, err)
	}
	target := filepath.Join(root, m.Target)
	if err := mountPoint(target, info.IsDir()); err != nil {
		return fmt.Errorf("mount %s: %w", m.Target, err)
	}
	if err := unix.Mount(m.Source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s at %s: %w", m.Source, m.Target, err)
	}
	attr := uint64(unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV)
	if !m.Write {
		attr |= unix.MOUNT_ATTR_RDONLY
	}
	if strings.HasPrefix(m.Target, "/dev/") {
		attr = unix.MOUNT_ATTR_NOSUID
	}
	if err := restrictMount(target, true, attr); err != nil {
		return fmt.Errorf("restrict mount %s: %w", m.Target, err)
	}
	return nil
}

// mountPoint makes the file or folder to mount on, unless a mount that is
// already there has it.
func mountPoint(path string, dir bool) error {
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	if dir {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, nil, 0o644)
}

// restrictMount adds attributes to a mount and keeps those that it has, which
// an ordinary remount in a user namespace may not take away.
func restrictMount(path string, recursive bool, attr uint64) error {
	flags := uint(0)
	if recursive {
		flags = unix.AT_RECURSIVE
	}
	return unix.MountSetattr(unix.AT_FDCWD, path, flags, &unix.MountAttr{Attr_set: attr})
}

func makeDev(root string) error {
	dev := filepath.Join(root, "dev")
	if err := os.MkdirAll(dev, 0o755); err != nil {
		return err
	}
	for _, d := range devices {
		if err := bind(root, Mount{Source: "/dev/" + d, Target: "/dev/" + d, Write: true}); err != nil {
			return err
		}
	}
	for name, to := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(to, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	return nil
}

// mountProc mounts the process list of the child's own namespace. Where the
// host's own is partly hidden, as in a container, the kernel refuses; programs
// run without one, the host's is never shown.
func mountProc(root string) error {
	proc := filepath.Join(root, "proc")
	if err := os.MkdirAll(proc, 0o555); err != nil {
		return err
	}
	err := unix.Mount("proc", proc, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	if err != nil && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}
