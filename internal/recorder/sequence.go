package recorder

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// Several jobs read a resource that announces its changes at the same time, and
// one that read early may come to record late. No later reading would correct it.
// So the announced changes of a resource are numbered. Each observation carries
// the number of the last change before it, its sequence; one that is lower than
// the last recorded sequence is stale.

// sequences returns the number of announced changes of resources of a type, of
// those keys or of all; nil where changes are not announced.
func (r *Recorder) sequences(
	ctx context.Context, p config.Place, resourceType string, keys ...config.ResourceKey,
) (map[config.ResourceKey]int64, error) {
	if !r.Source.Announces(p, resourceType) {
		return nil, nil
	}
	out := map[config.ResourceKey]int64{}
	err := r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		var announcements map[config.ResourceKey]store.Announcement
		if len(keys) == 0 {
			announcements, err = store.AnnouncementsOfType(ctx, tx, p, resourceType)
		} else {
			announcements, err = store.Announcements(ctx, tx, p, keys)
		}
		for k, a := range announcements {
			out[k] = a.Announced
		}
		return err
	})
	return out, err
}

// sequenceOf returns the sequence of an observation that was made after those
// changes.
func sequenceOf(sequences map[config.ResourceKey]int64, key config.ResourceKey) *int64 {
	if sequences == nil {
		return nil
	}
	return new(sequences[key])
}

// maxReads is how often a resource is read that changes during each reading. The
// last one is taken as it is: the change has a capture job of its own.
const maxReads = 10

// observe reads a resource until it does not change during the reading, so that
// two observations with the same sequence saw the same.
func (r *Recorder) observe(ctx context.Context, key config.ResourceKey) (o Observation, err error) {
	before, err := r.sequences(ctx, key.Place, key.Type, key)
	for range maxReads {
		began := r.capture()
		if err != nil {
			return Observation{}, err
		}
		it, found, err := r.Source.Describe(ctx, key)
		if err != nil {
			return Observation{}, err
		}
		it.ResourceKey = key
		o = Observation{Item: it, Gone: !found, Sequence: sequenceOf(before, key), Began: began}
		now, err := r.sequences(ctx, key.Place, key.Type, key)
		if err != nil || now[key] == before[key] {
			return o, err
		}
		before = now
	}
	return o, err
}

// An observed is the sequence up to which a resource was observed.
type observed struct {
	key      config.ResourceKey
	sequence int64
}
