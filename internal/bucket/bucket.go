package bucket

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
)

// The states of a bucket's versioning. A bucket where it was never set has "".
const (
	VersioningEnabled   = "Enabled"
	VersioningSuspended = "Suspended"
)

// A Bucket is a bucket. Its name is unique across all accounts.
type Bucket struct {
	config.Place
	Name       string
	Created    time.Time
	Versioning string
}

// validName is S3's rule in short; checkName adds what it cannot say.
var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

var looksLikeIP = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`)

func checkName(name string) error {
	ok := validName.MatchString(name) && !strings.Contains(name, "..") && !looksLikeIP.MatchString(name)
	for _, p := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		ok = ok && !strings.HasPrefix(name, p)
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		ok = ok && !strings.HasSuffix(name, suffix)
	}
	if !ok {
		return InvalidBucketName(name)
	}
	return nil
}

// Create makes a bucket with its first configurations (XML by kind).
func (s *Store) Create(ctx context.Context, b Bucket, first map[string]string) error {
	if err := checkName(b.Name); err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "bucket "+b.Name); err != nil {
			return err
		}
		old, err := find(ctx, tx, b.Name)
		switch {
		case err == nil && old.Account == b.Account:
			return BucketAlreadyOwnedByYou(b.Name)
		case err == nil:
			return BucketAlreadyExists(b.Name)
		case !isNoSuchBucket(err):
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO buckets (name, account, region, created, versioning) VALUES (?, ?, ?, ?, '')`,
			b.Name, b.Account, b.Region, db.Micros(s.now()))
		if err != nil {
			return fmt.Errorf("insert bucket %s: %w", b.Name, err)
		}
		for kind, body := range first {
			if err := putConfiguration(ctx, tx, b.Name, kind, "", body); err != nil {
				return err
			}
		}
		return s.announce(ctx, tx, b)
	})
}

// Delete removes an empty bucket and its configuration.
func (s *Store) Delete(ctx context.Context, b Bucket) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "bucket "+b.Name); err != nil {
			return err
		}
		if tx.Postgres() != nil {
			// Writers of objects hold a share of this row: wait for them before looking.
			if _, err := tx.Exec(ctx, `SELECT 1 FROM buckets WHERE name = ? FOR UPDATE`, b.Name); err != nil {
				return fmt.Errorf("lock bucket %s: %w", b.Name, err)
			}
		}
		if _, err := find(ctx, tx, b.Name); err != nil {
			return err
		}
		if err := mustBeEmpty(ctx, tx, b.Name); err != nil {
			return err
		}
		if err := s.abandonUploads(ctx, tx, b.Name); err != nil {
			return err
		}
		for _, stmt := range []string{`DELETE FROM bucket_configurations WHERE bucket = ?`, `DELETE FROM buckets WHERE name = ?`} {
			if _, err := tx.Exec(ctx, stmt, b.Name); err != nil {
				return fmt.Errorf("delete bucket %s: %w", b.Name, err)
			}
		}
		return s.announce(ctx, tx, b)
	})
}

// mustBeEmpty refuses a bucket with any version of any object.
func mustBeEmpty(ctx context.Context, tx *db.Tx, name string) error {
	var one int
	err := tx.QueryRow(ctx, `SELECT 1 FROM objects WHERE bucket = ? LIMIT 1`, name).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into bucket %s: %w", name, err)
	}
	err = tx.QueryRow(ctx, `SELECT 1 FROM objects WHERE bucket = ? AND latest AND NOT marker LIMIT 1`, name).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return BucketNotEmpty(name, true)
	}
	if err != nil {
		return fmt.Errorf("look into bucket %s: %w", name, err)
	}
	return BucketNotEmpty(name, false)
}

// Find returns a bucket by name, or NoSuchBucket.
func (s *Store) Find(ctx context.Context, name string) (b Bucket, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		b, err = find(ctx, tx, name)
		return err
	})
	return b, err
}

// Read returns a bucket in a transaction, or the error NoSuchBucket.
func Read(ctx context.Context, tx *db.Tx, name string) (Bucket, error) { return find(ctx, tx, name) }

func find(ctx context.Context, tx *db.Tx, name string) (Bucket, error) {
	b := Bucket{Name: name}
	var created int64
	err := tx.QueryRow(ctx, `SELECT account, region, created, versioning FROM buckets WHERE name = ?`, name).
		Scan(&b.Account, &b.Region, &created, &b.Versioning)
	if errors.Is(err, db.ErrNoRows) {
		return Bucket{}, NoSuchBucket(name)
	}
	if err != nil {
		return Bucket{}, fmt.Errorf("read bucket %s: %w", name, err)
	}
	b.Created = db.Time(created)
	return b, nil
}

// owned returns the account's bucket; somebody else's answers AccessDenied.
func owned(ctx context.Context, tx *db.Tx, account, name string) (Bucket, error) {
	b, err := find(ctx, tx, name)
	if err == nil && b.Account != account {
		return Bucket{}, AccessDenied()
	}
	return b, err
}

// Exists reports whether the account has the bucket.
func (s *Store) Exists(ctx context.Context, account, name string) (bool, error) {
	b, err := s.Find(ctx, name)
	if isNoSuchBucket(err) {
		return false, nil
	}
	return err == nil && b.Account == account, err
}

// A Page is a part of a list: names after After that begin with Prefix, at most
// Limit of them.
type Page struct {
	After, Prefix string
	Limit         int
}

// List returns buckets of an account by name; of one region, if region is
// not empty.
func (s *Store) List(ctx context.Context, account, region string, p Page) (out []Bucket, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan func(...any) error) error {
			b := Bucket{Place: config.Place{Account: account}}
			var created int64
			if err := scan(&b.Name, &b.Region, &created, &b.Versioning); err != nil {
				return err
			}
			b.Created = db.Time(created)
			out = append(out, b)
			return nil
		}, `SELECT name, region, created, versioning FROM buckets
			WHERE account = ? AND name > ? AND name >= ? AND name < ? AND (region = ? OR ? = '') ORDER BY name LIMIT ?`,
			account, p.After, p.Prefix, after(p.Prefix), region, region, p.Limit)
	})
	return out, err
}

// ARN returns the bucket's name in full.
func (b Bucket) ARN() string {
	return "arn:" + arn.Partition(b.Region) + ":s3:::" + b.Name
}

// after returns a text behind every text that begins with prefix, in bytes.
func after(prefix string) string {
	return prefix + "\U0010FFFF\U0010FFFF"
}
