package audit

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
)

const (
	// deliverEvery is how long events are gathered into a file, as CloudTrail does it.
	deliverEvery = 5 * time.Minute
	// maxFile is how many events a file has.
	maxFile        = 5000
	deliverTimeout = 10 * time.Minute
	deliveryLock   = "audit delivery"
)

// A deliverJob writes files of the events that wait.
type deliverJob struct{}

// Kind names the job.
func (deliverJob) Kind() string { return "audit.deliver" }

// planDelivery has files written in a while, if that is not so already.
func (l *Log) planDelivery(ctx context.Context, tx *db.Tx) error {
	if err := tx.Lock(ctx, deliveryLock); err != nil {
		return err
	}
	at := l.o.Now().Add(deliverEvery).Truncate(time.Second)
	n, err := tx.Exec(ctx, `INSERT INTO audit_delivery (id, due) VALUES (1, ?) ON CONFLICT DO NOTHING`, db.Micros(at))
	if err != nil {
		return fmt.Errorf("plan files of calls: %w", err)
	}
	if n == 0 {
		return nil
	}
	return l.o.Jobs.Insert(ctx, tx, deliverJob{}, job.Options{At: at, Queue: job.File})
}

// deliver writes a file for each account, region and day of the next events that wait.
// It may be cut off: then events come in two files, as CloudTrail's may.
func (l *Log) deliver(ctx context.Context, j job.Job[deliverJob]) (job.Commit, error) {
	var all []Event
	if l.o.Put != nil {
		err := l.o.DB.Read(ctx, func(tx *db.Tx) (err error) {
			all, err = waiting(ctx, tx)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, f := range filesOf(all) {
		if err := l.put(ctx, f); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, tx *db.Tx) error { return l.delivered(ctx, tx, all) }, nil
}

func waiting(ctx context.Context, tx *db.Tx) (all []Event, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		e, err := scanEvent(scan)
		all = append(all, e)
		return err
	}, "SELECT "+columns+" FROM audit_event e WHERE e.waits ORDER BY e.account, e.at, e.id LIMIT ?", maxFile)
	if err != nil {
		return nil, fmt.Errorf("read calls to deliver: %w", err)
	}
	return all, nil
}

// delivered notes that events are in files, and plans the next ones.
func (l *Log) delivered(ctx context.Context, tx *db.Tx, all []Event) error {
	if err := tx.Lock(ctx, deliveryLock); err != nil {
		return err
	}
	for _, e := range all {
		if _, err := tx.Exec(ctx, `UPDATE audit_event SET waits = ? WHERE at = ? AND id = ?`, false, db.Micros(e.At), e.ID); err != nil {
			return fmt.Errorf("note that calls are delivered: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM audit_delivery`); err != nil {
		return fmt.Errorf("note that calls are delivered: %w", err)
	}
	more, err := waiting(ctx, tx)
	if err != nil || len(more) == 0 || l.o.Put == nil {
		return err
	}
	return l.planDelivery(ctx, tx)
}

// A trailFile is events of one account, region and day.
type trailFile struct {
	place config.Place
	day   string
	all   []Event
}

func filesOf(all []Event) []trailFile {
	var out []trailFile
	at := map[string]int{}
	for _, e := range all {
		day := e.At.UTC().Format("2006/01/02")
		k := e.Place.Account + " " + e.Place.Region + " " + day
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, trailFile{place: e.Place, day: day})
		}
		out[i].all = append(out[i].all, e)
	}
	return out
}

func (l *Log) put(ctx context.Context, f trailFile) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	sum := sha256.New()
	records := make([]record, len(f.all))
	for i, e := range f.all {
		records[i] = recordOf(e)
		sum.Write([]byte(e.ID))
	}
	if err := json.NewEncoder(z).Encode(map[string]any{"Records": records}); err != nil {
		return fmt.Errorf("write a file of calls: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write a file of calls: %w", err)
	}
	at := f.all[len(f.all)-1].At.UTC().Format("20060102T1504Z")
	unique := strings.ToUpper(hex.EncodeToString(sum.Sum(nil))[:16])
	key := fmt.Sprintf("AWSLogs/%s/CloudTrail/%s/%s/%s_CloudTrail_%s_%s_%s.json.gz",
		f.place.Account, f.place.Region, f.day, f.place.Account, f.place.Region, at, unique)
	if err := l.o.Put(ctx, key, bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}
