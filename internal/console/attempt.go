package console

import (
	"sync"
	"time"

	"plumb/internal/listener"
)

// How many tries to log in a minute takes. Those of one address, or for one access key
// through it, lock nobody else out.
const (
	maxAttempts    = 20
	maxAllAttempts = 600 // of all callers together
	maxTrusted     = 1000
	maxSources     = 100_000 // that are counted at a time; a new minute begins when there are more
	maxKey         = 128     // bytes of what is said to be an access key
)

// attempts bounds tries to log in.
type attempts struct {
	mu    sync.Mutex
	since time.Time
	n     int
	by    map[source]int
	// Sources from which somebody logged in: others' tries do not count against them.
	trusted map[source]bool
}

// A source is where a try comes from, and for which access key or login at the provider:
// none for all of the address.
type source struct{ address, key string }

// sources are those that a try counts for, the widest one last: it is trusted after a
// login. Behind a proxy all callers have one address, so each key is for itself there.
func sources(remote, key string, proxied bool) []source {
	address := listener.AddressOf(remote)
	key = key[:min(len(key), maxKey)]
	if proxied {
		return []source{{address, key}}
	}
	return []source{{address, key}, {address, ""}}
}

// allow counts a try, and reports whether it may be made.
func (a *attempts) allow(now time.Time, all []source) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Sub(a.since) > time.Minute || a.by == nil || len(a.by) >= maxSources {
		a.since, a.n, a.by = now, 0, map[source]int{}
	}
	for _, s := range all {
		if a.by[s] >= maxAttempts {
			return false
		}
	}
	if a.n >= maxAllAttempts && !a.trusted[all[len(all)-1]] {
		return false
	}
	a.n++
	for _, s := range all {
		a.by[s]++
	}
	return true
}

// forgive does not count a try that was right.
func (a *attempts) forgive(all []source) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n--
	for _, s := range all {
		a.by[s]--
	}
	if a.trusted == nil || len(a.trusted) >= maxTrusted {
		a.trusted = map[source]bool{}
	}
	a.trusted[all[len(all)-1]] = true
}
