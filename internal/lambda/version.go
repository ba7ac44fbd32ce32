package lambda

import (
	"context"
	"strconv"

	"plumb/internal/db"
	"plumb/internal/model/lambdaapi"
)

// A Publication asks for a version of what Latest is now.
type Publication struct {
	CodeSha256  string // that the caller expects; empty for any
	Revision    string // that the caller saw; empty for any
	Description string // of the version; empty for the function's
}

// Publish makes a version of the latest one, unless it would be the same as the
// last: then it returns that.
func (s *Service) Publish(ctx context.Context, r Ref, p Publication) (Function, error) {
	var out Function
	err := s.change(ctx, func(tx *db.Tx) error {
		f, err := s.latest(ctx, tx, r)
		if err != nil {
			return err
		}
		if p.CodeSha256 != "" && p.CodeSha256 != f.CodeSha256() {
			return lambdaapi.InvalidParameterValueException(
				"CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", p.CodeSha256, f.CodeSha256())
		}
		if p.Revision != "" && p.Revision != f.Revision {
			return staleRevision("GetFunction/GetAlias")
		}
		out, err = s.publish(ctx, tx, f, p.Description)
		return err
	})
	return out, err
}

// publish makes a version of f and counts it on the latest one.
func (s *Service) publish(ctx context.Context, tx *db.Tx, f Function, description string) (Function, error) {
	v := f
	if description != "" {
		v.Description = description
	}
	newest, err := lastVersion(ctx, tx, f)
	if err != nil {
		return v, err
	}
	if newest != nil && v.sameAs(*newest) {
		return *newest, nil
	}
	f.lastVersion++
	if err := writeVersion(ctx, tx, f); err != nil {
		return v, err
	}
	v.Version, v.Revision, v.Modified = strconv.FormatInt(f.lastVersion, 10), NewID(), s.now()
	v.Tags, v.Reserved, v.lastVersion = nil, nil, 0
	if err := writeVersion(ctx, tx, v); err != nil {
		return v, err
	}
	return v, s.checkStorage(ctx, tx, v.Place)
}

// lastVersion returns the newest published version that still exists.
func lastVersion(ctx context.Context, tx *db.Tx, f Function) (*Function, error) {
	found, err := list(ctx, tx, f.Place, "SELECT "+functionColumns+` FROM lambda_function
		WHERE account = ? AND region = ? AND name = ? AND number > 0 ORDER BY number DESC LIMIT 1`, f.Account, f.Region, f.Name)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Versions returns up to limit versions of a function, Latest first, after a
// marker, and the marker of the next page.
func (s *Service) Versions(ctx context.Context, r Ref, marker string, limit int) (fs []Function, next string, err error) {
	after := int64(-1)
	if marker != "" {
		after = number(marker)
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if _, err := s.latest(ctx, tx, r); err != nil {
			return err
		}
		fs, err = versions(ctx, tx, r, after, limit+1)
		return err
	})
	if len(fs) > limit {
		fs = fs[:limit]
		next = strconv.FormatInt(number(fs[limit-1].Version), 10)
	}
	return fs, next, err
}
