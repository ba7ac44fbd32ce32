package recorder

import (
	"time"

	"plumb/internal/config"
)

// An Observation is what was read of one resource.
type Observation struct {
	Item config.Item // without status, capture time and state id; only its key and names if Gone
	Gone bool        // a complete answer did not have it
	// Since has an item recorded even without a difference, unless the newest one
	// has at least that state id: a related resource changed then.
	Since  int64
	Pushed bool // by PutResourceConfig
	// Inventory marks the first reading of everything: what is new then is not
	// new to the resources that it has relationships to.
	Inventory bool
	// Sequence is how many changes of the resource had been announced before it
	// was read; nil where its changes are not announced.
	Sequence *int64
	// Began is when the reading began that made the observation; zero for one that
	// cannot be outdated, such as what a caller pushes.
	Began time.Time
	// Generation is the start of the recorder that asked for the reading; 0 if none
	// did.
	Generation int64
}

// latest returns the observations without those that a later one of the same
// resource follows.
func latest(observations []Observation) []Observation {
	last := make(map[config.ResourceKey]int, len(observations))
	for i, o := range observations {
		last[o.Item.ResourceKey] = i
	}
	if len(last) == len(observations) {
		return observations
	}
	var out []Observation
	for i, o := range observations {
		if last[o.Item.ResourceKey] == i {
			out = append(out, o)
		}
	}
	return out
}
