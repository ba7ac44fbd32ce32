package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"plumb/internal/db"
	"plumb/internal/pack"
)

// Bodies of one type are packed with a dictionary: a sample of such bodies. The
// transaction that appends the first items of a type makes it of these. A better
// one takes over for new bodies when there are more samples, or after a year.

// Limits of a dictionary. Smaller ones pack worse; more than this hardly better.
const (
	maxDictionary  = 16 << 10
	maxSamples     = 8
	minSample      = 64 // bytes; less repeats nothing
	dictionaryLife = 365 * 24 * time.Hour
)

// A dictionary is what is remembered of one: its content is read when needed.
type dictionary struct {
	id      int64
	version int64
	samples int64
	made    int64 // the state id of its newest sample
}

// dictionaries are those that are in use, by type, and what packs with them.
type dictionaries struct {
	codec  *pack.Codec
	newest sync.Map // type -> dictionary
}

func dictionariesOf(tx *db.Tx) *dictionaries {
	return db.Shared(tx, func() *dictionaries { return &dictionaries{codec: pack.New()} })
}

// newestDictionary returns the dictionary for new bodies of a type; none, with
// the id 0, if there is none yet.
func newestDictionary(ctx context.Context, tx *db.Tx, resourceType string) (dictionary, error) {
	known := dictionariesOf(tx)
	if d, ok := known.newest.Load(resourceType); ok {
		return d.(dictionary), nil
	}
	var d dictionary
	err := tx.QueryRow(ctx, `SELECT id, version, samples, made FROM dictionary WHERE type = ? ORDER BY version DESC LIMIT 1`, resourceType).
		Scan(&d.id, &d.version, &d.samples, &d.made)
	if errors.Is(err, db.ErrNoRows) {
		return dictionary{}, nil
	}
	if err != nil {
		return dictionary{}, fmt.Errorf("read the dictionary of %s: %w", resourceType, err)
	}
	tx.AfterCommit(func() { known.newest.Store(resourceType, d) })
	return d, nil
}

// loader returns what reads the content of a dictionary.
func loader(ctx context.Context, tx *db.Tx, id int64) pack.Loader {
	return func() (content []byte, err error) {
		err = tx.QueryRow(ctx, `SELECT content FROM dictionary WHERE id = ?`, id).Scan(&content)
		if err != nil {
			return nil, fmt.Errorf("read dictionary %d: %w", id, err)
		}
		return content, nil
	}
}

// outgrown reports whether so many samples of that time make a better dictionary.
func (d dictionary) outgrown(samples int, stateID int64) bool {
	if d.id == 0 {
		return samples > 0
	}
	n := int64(min(samples, maxSamples))
	return n >= 4*d.samples || n >= d.samples && stateID-d.made > dictionaryLife.Milliseconds()
}

// makeDictionary makes the next dictionary of a type out of bodies, and returns
// it; or the last one, if another transaction is making one: nobody waits for that.
// Its id is drawn, so that one that is taken back is never that of another.
func makeDictionary(ctx context.Context, tx *db.Tx, resourceType string, last dictionary, texts [][]byte, stateID int64) (dictionary, error) {
	if free, err := tx.TryLock(ctx, "dictionary of "+resourceType); err != nil || !free {
		return last, err
	}
	d := dictionary{int64(1 + rand.Int32N(math.MaxInt32)), last.version + 1, int64(min(len(texts), maxSamples)), stateID}
	n, err := tx.Exec(ctx, `INSERT INTO dictionary (id, type, version, samples, made, content) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, d.id, resourceType, d.version, d.samples, d.made, sample(texts))
	if err != nil {
		return last, fmt.Errorf("make a dictionary of %s: %w", resourceType, err)
	}
	if n == 0 {
		return last, nil
	}
	known := dictionariesOf(tx)
	tx.AfterCommit(func() { known.newest.Store(resourceType, d) })
	return d, nil
}

// sample returns texts from all over the list, an equal part of each.
func sample(texts [][]byte) []byte {
	n := min(len(texts), maxSamples)
	var out []byte
	for i := range n {
		text := texts[i*len(texts)/n]
		out = append(out, text[:min(len(text), maxDictionary/n)]...)
	}
	return out
}
