package sandbox

import "fmt"

// A Level is how strongly a child is held. Higher is stronger.
type Level int

const (
	// None holds nothing but the process group, so that a child can be killed.
	None Level = iota
	// Limits adds resource limits and takes away the ways to gain privileges.
	// Files, network and other processes of the same user stay in reach: for
	// trusted code only.
	Limits
	// Landlock adds a file system that is read-only and mostly invisible, TCP
	// limited to the given ports, and a filter on system calls. Paths are those
	// of the host.
	Landlock
	// Namespaces gives the child its own root, processes, network and host
	// name, and a filter on system calls. Paths are those of the mounts.
	Namespaces
)

// String returns the name under which settings and reports know the level.
func (l Level) String() string {
	switch l {
	case None:
		return "none"
	case Limits:
		return "limits"
	case Landlock:
		return "landlock"
	case Namespaces:
		return "namespaces"
	}
	return fmt.Sprintf("level(%d)", int(l))
}

// ParseLevel returns the level of a name that String gives.
func ParseLevel(s string) (Level, error) {
	for l := None; l <= Namespaces; l++ {
		if l.String() == s {
			return l, nil
		}
	}
	return None, fmt.Errorf("sandbox level %q: want none, limits, landlock or namespaces", s)
}

// A Report is what Probe found: the strongest level that works, and in words why
// stronger ones do not and what else is weaker than it could be.
type Report struct {
	Level   Level
	Memory  string // how the memory limit is held: "cgroup" or "watch"
	Reasons []string
}

// A Mount is a file or folder of the host that a child may see.
type Mount struct {
	Source string // path on the host
	Target string // path that the child sees where it has its own root
	Write  bool
}

// Path returns where a child at this level finds the mount.
func (l Level) Path(m Mount) string {
	if l == Namespaces && m.Target != "" {
		return m.Target
	}
	return m.Source
}
