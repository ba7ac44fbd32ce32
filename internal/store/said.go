package store

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// What rules said is a note beside the verdicts: compliance keeps in it what need
// not be compared with them again. Whoever changes verdicts in another way
// forgets the note, and nothing else is lost by that.

// Said returns the notes on resources that have one.
func Said(ctx context.Context, tx *db.Tx, p config.Place, keys []config.ResourceKey) (map[config.ResourceKey][]byte, error) {
	out := make(map[config.ResourceKey][]byte, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	with, args := wanted(keys)
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		k := config.ResourceKey{Place: p}
		var digests []byte
		err := scan(&k.Type, &k.ID, &digests)
		out[k] = digests
		return err
	}, with+`SELECT s.type, s.id, s.digests FROM wanted w CROSS JOIN said s
		WHERE s.account = ? AND s.region = ? AND s.type = w.type AND s.id = w.id`, append(args, p.Account, p.Region)...)
	if err != nil {
		return nil, fmt.Errorf("read what rules said: %w", err)
	}
	return out, nil
}

// PutSaid keeps notes in place of the former ones.
func PutSaid(ctx context.Context, tx *db.Tx, p config.Place, notes map[config.ResourceKey][]byte) error {
	if len(notes) == 0 {
		return nil
	}
	args := make([]any, 0, 5*len(notes))
	for k, digests := range notes {
		args = append(args, p.Account, p.Region, k.Type, k.ID, digests)
	}
	_, err := tx.Exec(ctx, `INSERT INTO said (account, region, type, id, digests) VALUES `+rows(len(notes), "(?, ?, ?, ?, ?)")+`
		ON CONFLICT (account, region, type, id) DO UPDATE SET digests = excluded.digests`, args...)
	if err != nil {
		return fmt.Errorf("keep what rules said: %w", err)
	}
	return nil
}

// ForgetSaid drops the notes on resources.
func ForgetSaid(ctx context.Context, tx *db.Tx, keys []config.ResourceKey) error {
	for _, k := range keys {
		if _, err := tx.Exec(ctx, `DELETE FROM said WHERE account = ? AND region = ? AND type = ? AND id = ?`, k.Account, k.Region, k.Type, k.ID); err != nil {
			return fmt.Errorf("forget what rules said: %w", err)
		}
	}
	return nil
}
