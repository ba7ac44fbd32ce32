package trail

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/db"
)

const (
	maxFile  = 128 << 20 // bytes of a file, unpacked
	keepFile = 3 * time.Hour
)

// A file is an object with records.
type file struct{ bucket, key string }

// fileForm is how CloudTrail names its files.
var fileForm = regexp.MustCompile(`(^|/)AWSLogs/(o-[a-z0-9]+/)?[0-9]{12}/CloudTrail/[a-z0-9-]+/[0-9]{4}/[0-9]{2}/[0-9]{2}/[^/]+\.json\.gz$`)

func isFile(key string) bool { return fileForm.MatchString(key) }

// readBucket reads the files that a bucket got of an account in the last hour.
func (t *Trail) readBucket(ctx context.Context, s Source, c *awsclient.Client) error {
	bucket, prefix, _ := s.bucket()
	c, err := t.bucketClient(ctx, s, c, bucket)
	if err != nil {
		return err
	}
	root := prefix + "AWSLogs/" + s.Account + "/CloudTrail/"
	regions, _, err := list(ctx, c, bucket, root, "/")
	if err != nil {
		return err
	}
	var failures error
	now := t.Now().UTC()
	days := []string{now.Format("2006/01/02/")}
	if before := now.Add(-config.MaxCallAge).Format("2006/01/02/"); before != days[0] {
		days = append(days, before)
	}
	for _, region := range regions {
		for _, day := range days {
			_, keys, err := list(ctx, c, bucket, region+day, "")
			if err != nil {
				failures = joined(failures, err)
				continue
			}
			for _, key := range keys {
				if err := t.readNew(ctx, s, c, file{bucket, key}); err != nil {
					failures = joined(failures, err)
				}
				if ctx.Err() != nil {
					return failures
				}
			}
		}
	}
	return joined(failures, t.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM trail_file WHERE source = ? AND at < ?`, s.name(), db.Micros(now.Add(-keepFile)))
		return err
	}))
}

// maxFailures is how many failures of a reading are told of.
const maxFailures = 10

// joined adds a failure to those of a reading. One file that cannot be read does not keep
// the others from being read.
func joined(failures, err error) error {
	if err == nil {
		return failures
	}
	if all, ok := failures.(interface{ Unwrap() []error }); ok {
		if len(all.Unwrap()) >= maxFailures {
			return failures
		}
		return errors.Join(append(slices.Clone(all.Unwrap()), err)...)
	}
	return errors.Join(failures, err)
}

// bucketClient returns a client for the region of a bucket.
func (t *Trail) bucketClient(ctx context.Context, s Source, c *awsclient.Client, bucket string) (*awsclient.Client, error) {
	out, err := c.Call(ctx, "s3", "GetBucketLocation", map[string]any{"Bucket": bucket})
	if err != nil {
		return nil, err
	}
	region, _ := out["LocationConstraint"].(string)
	switch region {
	case "":
		region = "us-east-1"
	case "EU":
		region = "eu-west-1"
	}
	if region == c.Region() {
		return c, nil
	}
	other, err := t.Client(ctx, config.Place{Account: s.Account, Region: region})
	if err == nil && other == nil { // the account has a target in its own region only
		other = c
	}
	return other, err
}

// list returns the folders and the objects below a prefix.
func list(ctx context.Context, c *awsclient.Client, bucket, prefix, delimiter string) (folders, keys []string, err error) {
	in := map[string]any{"Bucket": bucket, "Prefix": prefix}
	if delimiter != "" {
		in["Delimiter"] = delimiter
	}
	for page, err := range c.Pages(ctx, "s3", "ListObjectsV2", in) {
		if err != nil {
			return nil, nil, err
		}
		for _, f := range listOf(page, "CommonPrefixes") {
			if name, ok := f["Prefix"].(string); ok {
				folders = append(folders, name)
			}
		}
		for _, o := range listOf(page, "Contents") {
			if key, ok := o["Key"].(string); ok {
				keys = append(keys, key)
			}
		}
	}
	return folders, keys, nil
}

func listOf(page awsclient.Page, member string) (out []map[string]any) {
	all, _ := page[member].([]any)
	for _, one := range all {
		if m, ok := one.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

var fileTime = regexp.MustCompile(`_([0-9]{8}T[0-9]{4}Z)_`)

// readNew takes the records of a file that is new and was not read yet.
func (t *Trail) readNew(ctx context.Context, s Source, c *awsclient.Client, f file) error {
	if !isFile(f.key) {
		return nil
	}
	if m := fileTime.FindStringSubmatch(path.Base(f.key)); m != nil {
		if at, err := time.Parse("20060102T1504Z", m[1]); err == nil && t.Now().Sub(at) > config.MaxCallAge {
			return nil
		}
	}
	var was bool
	err := t.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM trail_file WHERE source = ? AND name = ?)`, s.name(), f.key).Scan(&was)
	})
	if err != nil || was {
		return err
	}
	records, err := t.readFile(ctx, c, f)
	if err != nil {
		return err
	}
	if err := t.take(ctx, s, records); err != nil {
		return err
	}
	return t.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO trail_file (source, name, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, s.name(), f.key, db.Micros(t.Now()))
		return err
	})
}

// unreadable are what S3 answers of a file that no further attempt reads.
var unreadable = map[string]bool{"NoSuchKey": true, "NoSuchBucket": true, "AccessDenied": true, "InvalidObjectState": true}

// readFile returns the records of a file. One that is not of CloudTrail's form has none,
// and neither has one that is gone or that the source's role may not read.
func (t *Trail) readFile(ctx context.Context, c *awsclient.Client, f file) ([][]byte, error) {
	out, err := c.Call(ctx, "s3", "GetObject", map[string]any{"Bucket": f.bucket, "Key": f.key})
	if code := awsclient.Code(err); unreadable[code] {
		t.log.Warn("a file of CloudTrail is left out: it is gone, or may not be read", "bucket", f.bucket, "key", f.key, "code", code)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", f.key, f.bucket, err)
	}
	body, _ := out["Body"].([]byte)
	var all struct{ Records []json.RawMessage }
	if err := decodeFile(body, &all); err != nil {
		return nil, nil
	}
	records := make([][]byte, len(all.Records))
	for i, r := range all.Records {
		records[i] = r
	}
	return records, nil
}

func decodeFile(body []byte, into any) error {
	if strings.HasPrefix(string(body[:min(2, len(body))]), "{") { // unpacked on the way
		return json.Unmarshal(body, into)
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return err
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxFile+1))
	if err != nil {
		return err
	}
	if len(plain) > maxFile {
		return errors.New("the file is too large")
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return fmt.Errorf("decode file: %w", err)
	}
	return nil
}
