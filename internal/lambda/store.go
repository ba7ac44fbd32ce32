package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"plumb/internal/config"
	"plumb/internal/db"
)

// errNoRow says that what was looked for is not kept.
var errNoRow = errors.New("not kept")

const functionColumns = "name, version, settings, sha, size, revision, modified, last_version, reserved, tags"

// scanFunction reads the columns of a row.
func scanFunction(p config.Place, scan func(...any) error) (Function, error) {
	f := Function{Place: p}
	var (
		settings, tags string
		modified       int64
		reserved       *int64
	)
	err := scan(&f.Name, &f.Version, &settings, &f.CodeSHA, &f.CodeSize, &f.Revision, &modified, &f.lastVersion, &reserved, &tags)
	if errors.Is(err, db.ErrNoRows) {
		return f, errNoRow
	}
	if err != nil {
		return f, err
	}
	f.Modified = db.Time(modified)
	if reserved != nil {
		f.Reserved = new(int(*reserved))
	}
	if err := json.Unmarshal([]byte(settings), &f.Settings); err != nil {
		return f, fmt.Errorf("settings of function %s: %w", f.Name, err)
	}
	if err := json.Unmarshal([]byte(tags), &f.Tags); err != nil {
		return f, fmt.Errorf("tags of function %s: %w", f.Name, err)
	}
	return f, nil
}

// readVersion returns a version of a function, or errNoRow.
func readVersion(ctx context.Context, tx *db.Tx, r Ref, version string) (Function, error) {
	row := tx.QueryRow(ctx, "SELECT "+functionColumns+" FROM lambda_function WHERE account = ? AND region = ? AND name = ? AND version = ?",
		r.Account, r.Region, r.Name, version)
	return scanFunction(r.Place, row.Scan)
}

// writeVersion inserts or replaces a version.
func writeVersion(ctx context.Context, tx *db.Tx, f Function) error {
	settings, err := json.Marshal(f.Settings)
	if err != nil {
		return err
	}
	if f.Tags == nil {
		f.Tags = map[string]string{}
	}
	tags, err := json.Marshal(f.Tags)
	if err != nil {
		return err
	}
	var reserved *int64
	if f.Reserved != nil {
		reserved = new(int64(*f.Reserved))
	}
	_, err = tx.Exec(ctx, `INSERT INTO lambda_function (account, region, name, version, number, settings, sha, size, revision, modified, last_version, reserved, tags)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, name, version) DO UPDATE SET settings = excluded.settings, sha = excluded.sha, size = excluded.size,
		revision = excluded.revision, modified = excluded.modified, last_version = excluded.last_version, reserved = excluded.reserved, tags = excluded.tags`,
		f.Account, f.Region, f.Name, f.Version, number(f.Version), string(settings), f.CodeSHA, f.CodeSize, f.Revision,
		db.Micros(f.Modified), f.lastVersion, reserved, string(tags))
	return err
}

// number orders versions; Latest is before all.
func number(version string) int64 {
	n, _ := strconv.ParseInt(version, 10, 64)
	return n
}

// functions returns the latest versions after a name, in the order of names.
func functions(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) ([]Function, error) {
	return list(ctx, tx, p, "SELECT "+functionColumns+` FROM lambda_function
		WHERE account = ? AND region = ? AND version = ? AND name > ? ORDER BY name LIMIT ?`, p.Account, p.Region, Latest, after, limit)
}

// allVersions returns every version of every function after a name and number.
func allVersions(ctx context.Context, tx *db.Tx, p config.Place, name string, after int64, limit int) ([]Function, error) {
	return list(ctx, tx, p, "SELECT "+functionColumns+` FROM lambda_function
		WHERE account = ? AND region = ? AND (name, number) > (?, ?) ORDER BY name, number LIMIT ?`,
		p.Account, p.Region, name, after, limit)
}

// versions returns the versions of one function after a number.
func versions(ctx context.Context, tx *db.Tx, r Ref, after int64, limit int) ([]Function, error) {
	return list(ctx, tx, r.Place, "SELECT "+functionColumns+` FROM lambda_function
		WHERE account = ? AND region = ? AND name = ? AND number > ? ORDER BY number LIMIT ?`, r.Account, r.Region, r.Name, after, limit)
}

func list(ctx context.Context, tx *db.Tx, p config.Place, query string, args ...any) ([]Function, error) {
	var out []Function
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		f, err := scanFunction(p, scan)
		out = append(out, f)
		return err
	}, query, args...)
	return out, err
}

// putCode keeps a zip file under its digest. A program's folder is all that is kept
// of it.
func putCode(ctx context.Context, tx *db.Tx, put parcel) error {
	if put.zip == nil {
		return nil
	}
	_, err := tx.Exec(ctx, "INSERT INTO lambda_code (sha, size, zip) VALUES (?, ?, ?) ON CONFLICT (sha) DO NOTHING", put.sha, put.size, put.zip)
	return err
}

// readCode returns a zip file.
func readCode(ctx context.Context, tx *db.Tx, sha string) ([]byte, error) {
	var zip []byte
	err := tx.QueryRow(ctx, "SELECT zip FROM lambda_code WHERE sha = ?", sha).Scan(&zip)
	if errors.Is(err, db.ErrNoRows) {
		return nil, errNoRow
	}
	return zip, err
}

// dropCode forgets zip files that no version has any more.
func dropCode(ctx context.Context, tx *db.Tx, shas ...string) error {
	for _, sha := range shas {
		_, err := tx.Exec(ctx, "DELETE FROM lambda_code WHERE sha = ? AND NOT EXISTS (SELECT 1 FROM lambda_function WHERE lambda_function.sha = lambda_code.sha)", sha)
		if err != nil {
			return err
		}
	}
	return nil
}
