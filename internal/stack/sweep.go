package stack

import (
	"context"
	"fmt"

	"plumb/internal/db"
)

// Sweep forgets up to limit stacks that were deleted long ago, and reports whether
// there may be more.
func (s *Stacks) Sweep(ctx context.Context, tx *db.Tx, limit int) (more bool, err error) {
	var old []string
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		old = append(old, id)
		return err
	}, `SELECT s.id FROM stack s WHERE NOT s.live AND (SELECT max(e.at) FROM stack_event e WHERE e.stack = s.id) < ? LIMIT ?`,
		db.Micros(s.Now().Add(-kept)), limit)
	if err != nil {
		return false, fmt.Errorf("look for old stacks: %w", err)
	}
	for _, id := range old {
		for _, statement := range []string{
			`DELETE FROM stack_event WHERE stack = ?`, `DELETE FROM stack_resource WHERE stack = ?`, `DELETE FROM stack_template WHERE stack = ?`,
			`DELETE FROM stack WHERE id = ?`,
		} {
			if _, err := tx.Exec(ctx, statement, id); err != nil {
				return false, fmt.Errorf("delete stack %s: %w", id, err)
			}
		}
	}
	return len(old) == limit, nil
}
