package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// PutDeliveryChannel keeps a channel; the status of one that exists stays.
func PutDeliveryChannel(ctx context.Context, tx *db.Tx, c config.DeliveryChannel) error {
	def, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode delivery channel: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO delivery_channel (account, region, name, definition, status) VALUES (?, ?, ?, ?, '{}')
		ON CONFLICT (account, region, name) DO UPDATE SET definition = excluded.definition`,
		c.Account, c.Region, c.Name, string(def))
	if err != nil {
		return fmt.Errorf("put delivery channel: %w", err)
	}
	return nil
}

// DeleteDeliveryChannel forgets a channel.
func DeleteDeliveryChannel(ctx context.Context, tx *db.Tx, c config.DeliveryChannel) error {
	_, err := tx.Exec(ctx, `DELETE FROM delivery_channel WHERE account = ? AND region = ? AND name = ?`, c.Account, c.Region, c.Name)
	return err
}

// DeliveryChannel returns the channel of a place, which has at most one, and its
// status; or ErrNotFound.
func DeliveryChannel(ctx context.Context, tx *db.Tx, p config.Place) (config.DeliveryChannel, config.DeliveryStatus, error) {
	var c config.DeliveryChannel
	var s config.DeliveryStatus
	var def, status string
	err := tx.QueryRow(ctx, `SELECT definition, status FROM delivery_channel WHERE account = ? AND region = ?`,
		p.Account, p.Region).Scan(&def, &status)
	if errors.Is(err, db.ErrNoRows) {
		return c, s, ErrNotFound
	}
	if err != nil {
		return c, s, fmt.Errorf("read delivery channel of %s: %w", p, err)
	}
	return decodeBoth[config.DeliveryChannel, config.DeliveryStatus](tx, def, status)
}

// UpdateDeliveryStatus changes the status of a place's channel. A channel that
// is gone is left alone.
func UpdateDeliveryStatus(ctx context.Context, tx *db.Tx, p config.Place, change func(*config.DeliveryStatus)) error {
	if err := tx.Lock(ctx, "delivery status "+p.String()); err != nil {
		return err
	}
	c, s, err := DeliveryChannel(ctx, tx, p)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	before := s
	change(&s)
	if s == before {
		return nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE delivery_channel SET status = ? WHERE account = ? AND region = ? AND name = ?`,
		string(text), c.Account, c.Region, c.Name)
	return err
}
