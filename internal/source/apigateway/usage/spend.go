package usage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
)

// Why a request does not pass.
var (
	ErrNoKey     = errors.New("there is no such key, or no usage plan of it covers the stage")
	ErrThrottled = errors.New("requests follow too fast")
	ErrExceeded  = errors.New("the quota is used up")
)

// A Pass is a key whose plan covers a stage.
type Pass struct {
	config.Place
	Key   apigatewayapi.ApiKey
	plan  Plan
	stage apigatewayapi.ApiStage
}

// Find returns what lets a request with a key's value pass at a stage of an API, or
// ErrNoKey.
func (s *Plans) Find(ctx context.Context, p config.Place, value, api, stage string) (pass Pass, err error) {
	pass.Place = p
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		pass.Key, err = readKey(tx, p, tx.QueryRow(ctx, `SELECT id, value, definition FROM gateway_key WHERE account = ? AND region = ? AND digest = ?`,
			p.Account, p.Region, digest(value)).Scan)
		if errors.Is(err, db.ErrNoRows) || err == nil && !model.Deref(pass.Key.Enabled) {
			return ErrNoKey
		}
		if err != nil {
			return err
		}
		found := false
		err := db.Each(ctx, tx, func(scan func(...any) error) error {
			plan, err := readPlan(scan)
			if st, ok := plan.covers(api, stage); ok && !found {
				pass.plan, pass.stage, found = plan, st, true
			}
			return err
		}, plansOfKey, p.Account, p.Region, *pass.Key.Id)
		if err == nil && !found {
			err = ErrNoKey
		}
		return err
	})
	return pass, err
}

// Spend counts a request to a method, written /path/VERB. It returns ErrThrottled or
// ErrExceeded if the request may not pass, which is not counted then.
func (s *Plans) Spend(ctx context.Context, a Pass, method string) error {
	now := s.now().UTC()
	refused := error(nil)
	err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
		refused = nil
		if err := tx.Lock(ctx, "usage "+a.Place.String()+" "+*a.plan.Id+" "+*a.Key.Id); err != nil {
			return err
		}
		limits, b := a.plan.Throttle, bucket{a.Place, *a.plan.Id, *a.Key.Id, ""}
		if own, ok := a.stage.Throttle[method]; ok {
			limits, b.method = &own, *a.stage.ApiId+"/"+*a.stage.Stage+method
		}
		if refused, err = b.take(ctx, tx, limits, now); err != nil || refused != nil {
			return err
		}
		if refused, err = withinQuota(ctx, tx, a, now); err != nil || refused != nil {
			return err
		}
		return count(ctx, tx, a, now)
	})
	return errors.Join(err, refused)
}

// A bucket holds tokens for requests.
type bucket struct {
	config.Place
	plan, key string
	method    string // API, stage, path and verb; empty is all of a plan
}

// take takes a token out of a bucket that fills with the rate and holds the burst.
func (b bucket) take(ctx context.Context, tx *db.Tx, t *apigatewayapi.ThrottleSettings, now time.Time) (refused, err error) {
	if t == nil || t.RateLimit == nil && t.BurstLimit == nil {
		return nil, nil
	}
	rate := model.Deref(t.RateLimit)
	size := float64(model.Deref(t.BurstLimit))
	if t.BurstLimit == nil {
		size = max(rate, 1)
	}
	tokens, at := size, int64(0)
	err = tx.QueryRow(ctx, `SELECT tokens, at FROM gateway_bucket WHERE account = ? AND region = ? AND plan = ? AND key = ? AND method = ?`,
		b.Account, b.Region, b.plan, b.key, b.method).Scan(&tokens, &at)
	switch {
	case errors.Is(err, db.ErrNoRows):
	case err != nil:
		return nil, err
	case t.RateLimit == nil:
		tokens = size // without a rate it is full again at once
	default:
		tokens = min(size, tokens+max(now.Sub(db.Time(at)).Seconds(), 0)*rate)
	}
	if tokens < 1 {
		return ErrThrottled, nil
	}
	_, err = tx.Exec(ctx, `INSERT INTO gateway_bucket (account, region, plan, key, method, tokens, at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, plan, key, method) DO UPDATE SET tokens = excluded.tokens, at = excluded.at`,
		b.Account, b.Region, b.plan, b.key, b.method, tokens-1, db.Micros(now))
	return nil, err
}

// dayFormat is how days are written.
const dayFormat = "2006-01-02"

// periodOf returns the first day of the period of a quota that a time is in.
func periodOf(q apigatewayapi.QuotaSettings, t time.Time) time.Time {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch q.Period {
	case apigatewayapi.QuotaPeriodTypeWeek:
		return day.AddDate(0, 0, -int(day.Weekday()))
	case apigatewayapi.QuotaPeriodTypeMonth:
		return day.AddDate(0, 0, 1-day.Day())
	}
	return day
}

// quotaAt returns how many requests the period may have that a time is in: in the first
// one the offset is taken off.
func (p Plan) quotaAt(t time.Time) int64 {
	limit := int64(model.Deref(p.Quota.Limit))
	if periodOf(*p.Quota, t).Equal(periodOf(*p.Quota, p.Created.UTC())) {
		limit -= int64(model.Deref(p.Quota.Offset))
	}
	return max(limit, 0)
}

func withinQuota(ctx context.Context, tx *db.Tx, a Pass, now time.Time) (refused, err error) {
	if a.plan.Quota == nil {
		return nil, nil
	}
	var used int64
	err = tx.QueryRow(ctx, `SELECT coalesce(sum(used), 0) FROM gateway_usage WHERE account = ? AND region = ? AND plan = ? AND key = ? AND day >= ?`,
		a.Account, a.Region, *a.plan.Id, *a.Key.Id, periodOf(*a.plan.Quota, now).Format(dayFormat)).Scan(&used)
	if err == nil && used >= a.plan.quotaAt(now) {
		return ErrExceeded, nil
	}
	return nil, err
}

// keptDays is for how many days AWS tells what was used.
const keptDays = 90

// count counts a request. The first of a day forgets days that nobody is told of any more.
func count(ctx context.Context, tx *db.Tx, a Pass, now time.Time) error {
	n, err := tx.Exec(ctx, `UPDATE gateway_usage SET used = used + 1 WHERE account = ? AND region = ? AND plan = ? AND key = ? AND day = ?`,
		a.Account, a.Region, *a.plan.Id, *a.Key.Id, now.Format(dayFormat))
	if err != nil || n > 0 {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO gateway_usage (account, region, plan, key, day, used) VALUES (?, ?, ?, ?, ?, 1)`,
		a.Account, a.Region, *a.plan.Id, *a.Key.Id, now.Format(dayFormat))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM gateway_usage WHERE account = ? AND region = ? AND plan = ? AND key = ? AND day < ?`,
		a.Account, a.Region, *a.plan.Id, *a.Key.Id, now.AddDate(0, 0, -keptDays).Format(dayFormat))
	return err
}

// A Query asks what the keys of a plan used: all of them, or one. It is answered in pages of
// keys.
type Query struct {
	Plan        string
	Key         string // empty asks for all
	First, Last string // days
	After       string // the key that the page before ended with
	Limit       int    // how many keys
}

// Usage returns for each day how many requests the keys that are asked for used and had left,
// by the key's id, and the key that the page ended with if others follow.
func (s *Plans) Usage(ctx context.Context, p config.Place, q Query) (out map[string][][]int64, next string, err error) {
	from, err := time.Parse(dayFormat, q.First)
	to, err2 := time.Parse(dayFormat, q.Last)
	if err != nil || err2 != nil || to.Before(from) || to.Sub(from) > keptDays*24*time.Hour {
		return nil, "", invalid("The start and end dates must be days written as 2006-01-02, and up to %d days apart.", keptDays)
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out, next = map[string][][]int64{}, ""
		plan, err := findPlan(ctx, tx, p, q.Plan)
		if err != nil {
			return err
		}
		begin := from
		if plan.Quota != nil {
			begin = periodOf(*plan.Quota, from) // what the days before used of the period
		}
		keys, err := usedKeys(ctx, tx, p, q, begin)
		if err != nil || len(keys) == 0 {
			return err
		}
		if len(keys) > q.Limit {
			keys = keys[:q.Limit]
			next = keys[q.Limit-1]
		}
		used, err := usedDays(ctx, tx, p, q, begin, keys[0], keys[len(keys)-1])
		for key, days := range used {
			out[key] = plan.daily(days, begin, from, to)
		}
		return err
	})
	return out, next, err
}

// usedKeys returns the keys of a page in order, and one more if others follow.
func usedKeys(ctx context.Context, tx *db.Tx, p config.Place, q Query, begin time.Time) (keys []string, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var key string
		err := scan(&key)
		keys = append(keys, key)
		return err
	}, `SELECT DISTINCT key FROM gateway_usage
		WHERE account = ? AND region = ? AND plan = ? AND (? = '' OR key = ?) AND key > ? AND day >= ? AND day <= ?
		ORDER BY key LIMIT ?`, p.Account, p.Region, q.Plan, q.Key, q.Key, q.After, begin.Format(dayFormat), q.Last, q.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("read the keys that used plan %s: %w", q.Plan, err)
	}
	return keys, nil
}

// usedDays returns what the keys from the first to the last used, by key and day.
func usedDays(ctx context.Context, tx *db.Tx, p config.Place, q Query, begin time.Time, first, last string) (map[string]map[string]int64, error) {
	used := map[string]map[string]int64{}
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var key, day string
		var n int64
		if err := scan(&key, &day, &n); err != nil {
			return err
		}
		if used[key] == nil {
			used[key] = map[string]int64{}
		}
		used[key][day] = n
		return nil
	}, `SELECT key, day, used FROM gateway_usage WHERE account = ? AND region = ? AND plan = ? AND key >= ? AND key <= ? AND day >= ? AND day <= ?`,
		p.Account, p.Region, q.Plan, first, last, begin.Format(dayFormat), q.Last)
	if err != nil {
		return nil, fmt.Errorf("read the usage of plan %s: %w", q.Plan, err)
	}
	return used, nil
}

// daily are the pairs of used and left for days. Without a quota nothing is left.
func (p Plan) daily(used map[string]int64, begin, from, to time.Time) (out [][]int64) {
	inPeriod := int64(0)
	for day := begin; !day.After(to); day = day.AddDate(0, 0, 1) {
		left := int64(0)
		if p.Quota != nil {
			if periodOf(*p.Quota, day).Equal(day) {
				inPeriod = 0
			}
			inPeriod += used[day.Format(dayFormat)]
			left = max(p.quotaAt(day)-inPeriod, 0)
		}
		if !day.Before(from) {
			out = append(out, []int64{used[day.Format(dayFormat)], left})
		}
	}
	return out
}
