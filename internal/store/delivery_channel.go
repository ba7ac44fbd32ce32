package store

import (
	"context"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutDeliveryChannel keeps the channel of a place; the status of one that exists
// stays.
func PutDeliveryChannel(ctx context.Context, tx *db.Tx, c config.DeliveryChannel) error {
	def, err := encoded(fromChannel(c))
	if err != nil {
		return err
	}
	place, err := makePlace(ctx, tx, c.Place)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO delivery_channel (place, name, definition) VALUES (?, ?, ?)
		ON CONFLICT (place) DO UPDATE SET name = excluded.name, definition = excluded.definition`, place, c.Name, def)
	if err != nil {
		return fmt.Errorf("put delivery channel: %w", err)
	}
	return nil
}

// DeleteDeliveryChannel forgets a channel.
func DeleteDeliveryChannel(ctx context.Context, tx *db.Tx, c config.DeliveryChannel) error {
	place, err := placeID(ctx, tx, c.Place)
	if err != nil {
		return err
	}
	for _, table := range []string{"delivery_channel", "delivery_status"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE place = ?`, place); err != nil {
			return fmt.Errorf("delete delivery channel: %w", err)
		}
	}
	return nil
}

// DeliveryChannel returns the channel of a place, which has at most one, and its
// status; or ErrNotFound.
func DeliveryChannel(ctx context.Context, tx *db.Tx, p config.Place) (config.DeliveryChannel, config.DeliveryStatus, error) {
	var s config.DeliveryStatus
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return config.DeliveryChannel{}, s, err
	}
	var name, def string
	err = tx.QueryRow(ctx, `SELECT name, definition FROM delivery_channel WHERE place = ?`, place).Scan(&name, &def)
	if errors.Is(err, db.ErrNoRows) {
		return config.DeliveryChannel{}, s, ErrNotFound
	}
	if err != nil {
		return config.DeliveryChannel{}, s, fmt.Errorf("read delivery channel of %s: %w", p, err)
	}
	form, err := decoded[storedChannel](tx, def)
	if err != nil {
		return config.DeliveryChannel{}, s, err
	}
	c := form.toChannel()
	c.Place, c.Name = p, name
	s, err = deliveryStatus(ctx, tx, place)
	return c, s, err
}

// deliveryParts names the parts of a channel's status. The names are on disk.
func deliveryParts(s *config.DeliveryStatus) map[string]*config.DeliveryInfo {
	return map[string]*config.DeliveryInfo{"snapshot": &s.Snapshot, "history": &s.History, "stream": &s.Stream}
}

func deliveryStatus(ctx context.Context, tx *db.Tx, place int64) (s config.DeliveryStatus, err error) {
	parts := deliveryParts(&s)
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var part string
		var i config.DeliveryInfo
		var at [5]int64
		if err := scan(&part, &i.Status, &i.ErrorCode, &i.ErrorMessage, &at[0], &at[1], &at[2], &at[3], &at[4]); err != nil {
			return err
		}
		i.Attempt, i.Success, i.Next, i.Changed, i.Through = db.Time(at[0]), db.Time(at[1]), db.Time(at[2]), db.Time(at[3]), db.Time(at[4])
		if p := parts[part]; p != nil {
			*p = i
		}
		return nil
	}, `SELECT part, status, error_code, error_message, attempt, success, next, changed, through FROM delivery_status WHERE place = ?`, place)
	if err != nil {
		return s, fmt.Errorf("read delivery status: %w", err)
	}
	return s, nil
}

// UpdateDeliveryStatus changes the status of a place's channel. A channel that
// is gone is left alone.
func UpdateDeliveryStatus(ctx context.Context, tx *db.Tx, p config.Place, change func(*config.DeliveryStatus)) error {
	if err := tx.Lock(ctx, "delivery status "+p.String()); err != nil {
		return err
	}
	_, s, err := DeliveryChannel(ctx, tx, p)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	place, err := placeID(ctx, tx, p)
	if err != nil {
		return err
	}
	before := s
	change(&s)
	was := deliveryParts(&before)
	for part, i := range deliveryParts(&s) {
		if *i == *was[part] {
			continue
		}
		_, err := tx.Exec(ctx, `INSERT INTO delivery_status (place, part, status, error_code, error_message, attempt, success, next, changed, through)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (place, part) DO UPDATE SET status = excluded.status,
			error_code = excluded.error_code, error_message = excluded.error_message, attempt = excluded.attempt,
			success = excluded.success, next = excluded.next, changed = excluded.changed, through = excluded.through`,
			place, part, i.Status, i.ErrorCode, i.ErrorMessage, db.Micros(i.Attempt), db.Micros(i.Success), db.Micros(i.Next),
			db.Micros(i.Changed), db.Micros(i.Through))
		if err != nil {
			return fmt.Errorf("write delivery status: %w", err)
		}
	}
	return nil
}
