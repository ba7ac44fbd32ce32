package cognitosync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumb/internal/db"
	api "plumb/internal/model/cognitosyncapi"
)

// Cognito Sync's limits.
const (
	maxDatasets = 20 // of an identity
	maxRecords  = 1024
	maxStorage  = 1 << 20 // of a dataset
)

// A Dataset is what an identity keeps under a name.
type Dataset struct {
	Pool, Identity, Name string
	Created, Changed     time.Time
	By                   string
	Count                int64 // of writes
	Deleted              int64 // the count of the deletion; 0 while it is there
	Records, Storage     int64
}

// A Record is one of a dataset; without a value it was removed.
type Record struct {
	Key                    string
	Value                  *string
	Count                  int64 // of the dataset when it was written
	Changed, DeviceChanged time.Time
	By                     string
}

const datasetColumns = `SELECT pool, identity, name, created, changed, changed_by, sync_count, deleted, records, storage FROM cognito_dataset `

func scanDataset(scan func(...any) error) (d Dataset, err error) {
	var created, changed int64
	err = scan(&d.Pool, &d.Identity, &d.Name, &created, &changed, &d.By, &d.Count, &d.Deleted, &d.Records, &d.Storage)
	d.Created, d.Changed = time.UnixMilli(created).UTC(), time.UnixMilli(changed).UTC()
	return d, err
}

// Find returns a dataset, also one that was deleted; there is false for one that is not
// there, or not any more.
func Find(ctx context.Context, tx *db.Tx, pool, identity, name string) (d Dataset, there bool, err error) {
	d, err = scanDataset(tx.QueryRow(ctx, datasetColumns+"WHERE pool = ? AND identity = ? AND name = ?", pool, identity, name).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return Dataset{Pool: pool, Identity: identity, Name: name}, false, nil
	}
	return d, err == nil && d.Deleted == 0, err
}

// Datasets lists the datasets of an identity by their names; all of a pool, where
// identity is empty.
func Datasets(ctx context.Context, tx *db.Tx, pool, identity, after string, limit int) (list []Dataset, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		d, err := scanDataset(scan)
		list = append(list, d)
		return err
	}, datasetColumns+"WHERE pool = ? AND identity = ? AND name > ? AND deleted = 0 ORDER BY name LIMIT ?", pool, identity, after, limit)
	return list, err
}

// A Usage is how much is kept.
type Usage struct {
	Datasets, Storage int64
	Changed           time.Time
}

// UsageOf adds up the datasets of an identity; those of the pool, where identity is empty.
func UsageOf(ctx context.Context, tx *db.Tx, pool, identity string) (u Usage, err error) {
	var changed int64
	err = tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(storage), 0), COALESCE(MAX(changed), 0) FROM cognito_dataset
		WHERE pool = ? AND (identity = ? OR ? = '') AND deleted = 0`, pool, identity, identity).Scan(&u.Datasets, &u.Storage, &changed)
	u.Changed = time.UnixMilli(changed).UTC()
	return u, err
}

func putDataset(ctx context.Context, tx *db.Tx, d Dataset) error {
	_, err := tx.Exec(ctx, `INSERT INTO cognito_dataset (pool, identity, name, created, changed, changed_by, sync_count, deleted, records, storage)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (pool, identity, name) DO UPDATE SET created = excluded.created, changed = excluded.changed, changed_by = excluded.changed_by,
			sync_count = excluded.sync_count, deleted = excluded.deleted, records = excluded.records, storage = excluded.storage`,
		d.Pool, d.Identity, d.Name, d.Created.UnixMilli(), d.Changed.UnixMilli(), d.By, d.Count, d.Deleted, d.Records, d.Storage)
	return err
}

// Records lists the records of a dataset that were written after a count, by their keys.
func Records(ctx context.Context, tx *db.Tx, d Dataset, since int64, after string, limit int) (list []Record, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		r, err := scanRecord(scan)
		list = append(list, r)
		return err
	}, recordColumns+"AND sync_count > ? AND name > ? ORDER BY name LIMIT ?", d.Pool, d.Identity, d.Name, since, after, limit)
	return list, err
}

const recordColumns = `SELECT name, value, sync_count, changed, changed_by, device_changed FROM cognito_record WHERE pool = ? AND identity = ? AND dataset = ? `

func scanRecord(scan func(...any) error) (r Record, err error) {
	var changed, device int64
	err = scan(&r.Key, &r.Value, &r.Count, &changed, &r.By, &device)
	r.Changed, r.DeviceChanged = time.UnixMilli(changed).UTC(), time.UnixMilli(device).UTC()
	return r, err
}

func findRecord(ctx context.Context, tx *db.Tx, d Dataset, key string) (Record, error) {
	r, err := scanRecord(tx.QueryRow(ctx, recordColumns+"AND name = ?", d.Pool, d.Identity, d.Name, key).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return Record{Key: key}, nil
	}
	return r, err
}

func putRecord(ctx context.Context, tx *db.Tx, d Dataset, r Record) error {
	_, err := tx.Exec(ctx, `INSERT INTO cognito_record (pool, identity, dataset, name, value, sync_count, changed, changed_by, device_changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (pool, identity, dataset, name) DO UPDATE SET value = excluded.value, sync_count = excluded.sync_count, changed = excluded.changed,
			changed_by = excluded.changed_by, device_changed = excluded.device_changed`,
		d.Pool, d.Identity, d.Name, r.Key, r.Value, r.Count, r.Changed.UnixMilli(), r.By, r.DeviceChanged.UnixMilli())
	return err
}

// Delete deletes a dataset with its records, and returns what it was.
func (s *Sync) Delete(ctx context.Context, tx *db.Tx, pool, identity, name string) (Dataset, error) {
	d, there, err := Find(ctx, tx, pool, identity, name)
	if err != nil {
		return d, err
	}
	if !there {
		return d, noDataset(name)
	}
	was := d
	d.Count++
	d.Deleted, d.Changed, d.Records, d.Storage = d.Count, s.now(), 0, 0
	if err := putDataset(ctx, tx, d); err != nil {
		return was, err
	}
	_, err = tx.Exec(ctx, "DELETE FROM cognito_record WHERE pool = ? AND identity = ? AND dataset = ?", pool, identity, name)
	return was, err
}

func noDataset(name string) error {
	return api.ResourceNotFoundException("Dataset '%s' not found.", name)
}

// Describe returns a dataset, or the error ResourceNotFoundException.
func Describe(ctx context.Context, tx *db.Tx, pool, identity, name string) (Dataset, error) {
	d, there, err := Find(ctx, tx, pool, identity, name)
	if err == nil && !there {
		return d, noDataset(name)
	}
	return d, err
}

// Forget deletes what is kept for an identity; all of a pool, where identity is empty.
func (s *Sync) Forget(ctx context.Context, tx *db.Tx, pool, identity string) error {
	queries := []string{"DELETE FROM cognito_record WHERE pool = ? AND (identity = ? OR ? = '')", "DELETE FROM cognito_dataset WHERE pool = ? AND (identity = ? OR ? = '')"}
	for _, q := range queries {
		if _, err := tx.Exec(ctx, q, pool, identity, identity); err != nil {
			return fmt.Errorf("forget datasets of %s: %w", pool, err)
		}
	}
	if identity != "" {
		return nil
	}
	_, err := tx.Exec(ctx, "DELETE FROM cognito_trigger WHERE pool = ?", pool)
	return err
}
