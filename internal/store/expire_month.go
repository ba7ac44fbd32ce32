package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A month goes in three steps, each in a transaction of its own or several: nobody
// reads it any more; the bodies that only it needs are deleted; its table is
// dropped.

// ExpireMonth takes the next step with the oldest month that ended before what the
// most keeping place needs, for up to limit resources after the given one. It
// returns the resource to go on with, and whether there is more to do. The month
// after it is complete, or the month stays.
func ExpireMonth(ctx context.Context, tx *db.Tx, now time.Time, after int64, limit int) (next int64, more bool, err error) {
	leaving, err := leavingMonth(ctx, tx)
	if err != nil {
		return 0, false, err
	}
	if leaving == 0 {
		more, err := leave(ctx, tx, now)
		return 0, more, err
	}
	ms, err := months(ctx, tx)
	if err != nil {
		return 0, false, err
	}
	if len(ms) == 0 {
		return 0, false, fmt.Errorf("month %d is to be dropped and no other is there", leaving)
	}
	last, err := dropBodies(ctx, tx, leaving, ms[0].month, after, limit)
	if err == nil && last == 0 {
		err = dropMonth(ctx, tx, leaving)
	}
	return last, true, err
}

// leavingMonth returns a month that nobody reads any more, or 0.
func leavingMonth(ctx context.Context, tx *db.Tx) (month, error) {
	var m int
	err := tx.QueryRow(ctx, `SELECT coalesce(min(month), 0) FROM item_month WHERE dropped`).Scan(&m)
	if err != nil {
		return 0, fmt.Errorf("read the months that are to be dropped: %w", err)
	}
	return month(m), nil
}

// leave has the oldest month read no more, if nobody needs it.
func leave(ctx context.Context, tx *db.Tx, now time.Time) (bool, error) {
	ms, err := months(ctx, tx)
	if err != nil || len(ms) < 2 || !ms[1].complete() {
		return false, err
	}
	days, err := longestKept(ctx, tx)
	if err != nil || ms[0].end() > firstState(now.AddDate(0, 0, -days)) {
		return false, err
	}
	if _, err := tx.Exec(ctx, `UPDATE item_month SET dropped = true WHERE month = ?`, int(ms[0].month)); err != nil {
		return false, fmt.Errorf("leave month %d: %w", ms[0].month, err)
	}
	db.Local(tx, newHistoryMonths).read = false
	return true, nil
}

// dropBodies deletes the bodies of a month's resources that begin before the next
// month, except the one that was true when it began, and the one of the newest
// item. It returns the last of these resources, or 0 if there were none.
func dropBodies(ctx context.Context, tx *db.Tx, leaving, next month, after int64, limit int) (int64, error) {
	var ids []int64
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT DISTINCT resource FROM `+leaving.table()+` WHERE resource > ? ORDER BY resource LIMIT ?`, after, limit)
	if err != nil {
		return 0, fmt.Errorf("walk %s: %w", leaving.table(), err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	with, args := list{ints("id", ids)}.with(tx)
	_, err = tx.Exec(ctx, fmt.Sprintf(`%sDELETE FROM body WHERE (resource, state_id) IN
		(SELECT b.resource, b.state_id FROM w CROSS JOIN body b
		LEFT JOIN %s n ON n.resource = b.resource AND n.state_id = %d LEFT JOIN resource r ON r.id = b.resource
		WHERE b.resource = w.id AND b.state_id < %d AND coalesce(n.body, 0) <> b.state_id AND coalesce(r.body, 0) <> b.state_id)`,
		with, next.table(), next.start(), next.start()), args...)
	if err != nil {
		return 0, fmt.Errorf("delete the bodies of %s: %w", leaving.table(), err)
	}
	return ids[len(ids)-1], nil
}

func dropMonth(ctx context.Context, tx *db.Tx, m month) error {
	if err := tx.Lock(ctx, m.table()); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DROP TABLE IF EXISTS `+m.table()); err != nil {
		return fmt.Errorf("drop %s: %w", m.table(), err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM item_month WHERE month = ?`, int(m)); err != nil {
		return fmt.Errorf("forget month %d: %w", m, err)
	}
	known := db.Shared(tx, newKnownMonths)
	tx.AfterCommit(func() { known.Delete(m) })
	return nil
}

// longestKept returns the most days that the items of any place are kept.
func longestKept(ctx context.Context, tx *db.Tx) (int, error) {
	var days int
	err := tx.QueryRow(ctx, `SELECT coalesce(max(coalesce(t.days, ?)), ?) FROM place p LEFT JOIN retention t ON t.place = p.id`,
		config.DefaultRetention, config.DefaultRetention).Scan(&days)
	if err != nil {
		return 0, fmt.Errorf("read how long items are kept: %w", err)
	}
	return days, nil
}
