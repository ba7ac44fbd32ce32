package store

import (
	"context"
	"fmt"
	"time"

	"plumb/internal/db"
)

// A Score is how many resources were there on a day, and complied.
type Score struct {
	Day time.Time
	PlaceTally
}

// scoreKept is how many days scores are kept.
const scoreKept = 400

func dayNumber(t time.Time) int {
	t = t.UTC()
	return t.Year()*10000 + int(t.Month())*100 + t.Day()
}

// KeepScores keeps the scores of all places on the day of now, and forgets old ones.
func KeepScores(ctx context.Context, tx *db.Tx, now time.Time) error {
	if err := flushTallies(ctx, tx); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO score (place, day, live, compliant, non_compliant)
		SELECT place, CAST(? AS INTEGER), CAST(sum(live) AS BIGINT), CAST(sum(compliant) AS BIGINT), CAST(sum(non_compliant) AS BIGINT)
		FROM type_tally WHERE true GROUP BY place
		ON CONFLICT (place, day) DO UPDATE SET live = excluded.live, compliant = excluded.compliant, non_compliant = excluded.non_compliant`, dayNumber(now))
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM score WHERE day < ?`, dayNumber(now.AddDate(0, 0, -scoreKept)))
	}
	if err != nil {
		return fmt.Errorf("keep scores: %w", err)
	}
	return nil
}

// Scores returns the scores of an account, or of all together if it is empty, by day, the
// oldest first.
func Scores(ctx context.Context, tx *db.Tx, account string, since time.Time) ([]Score, error) {
	var out []Score
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var s Score
		var day int
		err := scan(&day, &s.Live, &s.Compliant, &s.NonCompliant)
		s.Day = time.Date(day/10000, time.Month(day/100%100), day%100, 0, 0, 0, 0, time.UTC)
		out = append(out, s)
		return err
	}, `SELECT s.day, CAST(sum(s.live) AS BIGINT), CAST(sum(s.compliant) AS BIGINT), CAST(sum(s.non_compliant) AS BIGINT)
		FROM score s JOIN place p ON p.id = s.place WHERE s.day >= ? AND (? = '' OR p.account = ?) GROUP BY s.day ORDER BY s.day`,
		dayNumber(since), account, account)
	if err != nil {
		return nil, fmt.Errorf("read scores: %w", err)
	}
	return out, nil
}
