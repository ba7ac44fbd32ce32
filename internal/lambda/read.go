package lambda

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/lambdaapi"
)

// Get returns the version that a reference means. For an alias that is the
// version it points to.
func (s *Service) Get(ctx context.Context, r Ref) (Function, error) {
	var f Function
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		f, err = resolve(ctx, tx, r)
		return err
	})
	return f, err
}

// Function returns the function as a whole: its latest version with tags and
// reserved concurrency.
func (s *Service) Function(ctx context.Context, r Ref) (Function, error) {
	return s.Get(ctx, r.unqualified())
}

// Find returns the version that a reference means, or the error that there is none.
func Find(ctx context.Context, tx *db.Tx, r Ref) (Function, error) { return resolve(ctx, tx, r) }

// resolve returns the version that a reference means.
func resolve(ctx context.Context, tx *db.Tx, r Ref) (Function, error) {
	version := r.Qualifier
	switch {
	case version == "":
		version = Latest
	case version != Latest && !isVersion(version):
		a, err := readAlias(ctx, tx, r, version)
		if errors.Is(err, errNoRow) {
			return Function{}, notFound(r)
		}
		if err != nil {
			return Function{}, err
		}
		version = a.Version
	}
	f, err := readVersion(ctx, tx, r, version)
	if errors.Is(err, errNoRow) {
		return f, notFound(r)
	}
	return f, err
}

// List returns up to limit functions of a place after a marker, and the marker
// of the next page, empty at the end. With all, every version is listed.
func (s *Service) List(ctx context.Context, p config.Place, all bool, marker string, limit int) (fs []Function, next string, err error) {
	name, after, _ := strings.Cut(marker, ":")
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if all {
			n := number(after)
			if after == "" {
				n = -1
			}
			fs, err = allVersions(ctx, tx, p, name, n, limit+1)
		} else {
			fs, err = functions(ctx, tx, p, name, limit+1)
		}
		return err
	})
	if len(fs) > limit {
		fs = fs[:limit]
		last := fs[limit-1]
		next = fmt.Sprintf("%s:%d", last.Name, number(last.Version))
	}
	return fs, next, err
}

// Code returns the zip file with a digest; ok is false if no function has it.
func (s *Service) Code(ctx context.Context, sha string) (zip []byte, ok bool, err error) {
	had := false
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if zip, err = readCode(ctx, tx, sha); !errors.Is(err, errNoRow) {
			return err
		}
		return tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM lambda_function WHERE sha = ?)", sha).Scan(&had)
	})
	if err == nil && had {
		return s.folders.Program(sha)
	}
	return zip, err == nil && zip != nil, err
}

// Usage returns how many functions a place has and how many bytes of code.
func (s *Service) Usage(ctx context.Context, p config.Place) (count, size int64, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		count, size, err = usage(ctx, tx, p)
		return err
	})
	return count, size, err
}

func usage(ctx context.Context, tx *db.Tx, p config.Place) (count, size int64, err error) {
	err = tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(CASE WHEN version = ? THEN 1 ELSE 0 END), 0) AS BIGINT), CAST(COALESCE(SUM(size), 0) AS BIGINT)
			FROM lambda_function WHERE account = ? AND region = ?`, Latest, p.Account, p.Region).Scan(&count, &size)
	return count, size, err
}

// checkStorage refuses code that takes a place beyond what its functions may have.
func (s *Service) checkStorage(ctx context.Context, tx *db.Tx, p config.Place) error {
	_, size, err := usage(ctx, tx, p)
	if err == nil && size > s.o.MaxCode {
		return lambdaapi.CodeStorageExceededException("Code storage limit exceeded.")
	}
	return err
}
