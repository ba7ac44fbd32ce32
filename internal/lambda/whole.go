package lambda

import (
	"context"
	"maps"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/lambdaapi"
)

// maxTags is how many tags a function may have.
const maxTags = 50

// Tag adds tags to a function, or replaces their values.
func (s *Service) Tag(ctx context.Context, r Ref, tags map[string]string) error {
	return s.changeWhole(ctx, r, func(f *Function) error {
		all := maps.Clone(f.Tags)
		if all == nil {
			all = map[string]string{}
		}
		maps.Copy(all, tags)
		f.Tags = all
		return CheckTags(all)
	})
}

// Untag takes tags off a function.
func (s *Service) Untag(ctx context.Context, r Ref, keys []string) error {
	return s.changeWhole(ctx, r, func(f *Function) error {
		for _, k := range keys {
			delete(f.Tags, k)
		}
		return nil
	})
}

// CheckTags refuses more tags than a function may have.
func CheckTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return lambdaapi.InvalidParameterValueException("Number of tags exceeds resource tag limit.")
	}
	return nil
}

// minUnreserved is how much concurrency must stay for functions without a
// reservation.
const minUnreserved = 100

// Reserve sets a function's reserved concurrency; nil takes it away.
func (s *Service) Reserve(ctx context.Context, r Ref, n *int) error {
	return s.changeWholeTx(ctx, r, func(tx *db.Tx, f *Function) error {
		if n != nil {
			reserved, err := reservedIn(ctx, tx, f.Place, f.Name)
			if err != nil {
				return err
			}
			if s.o.Concurrency-reserved-*n < minUnreserved {
				return lambdaapi.InvalidParameterValueException(
					"Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
			}
		}
		f.Reserved = n
		return nil
	})
}

// Concurrency returns what a place may run at a time, and how much of it is not
// reserved for single functions.
func (s *Service) Concurrency(ctx context.Context, p config.Place) (total, unreserved int, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		reserved, err := reservedIn(ctx, tx, p, "")
		unreserved = s.o.Concurrency - reserved
		return err
	})
	return s.o.Concurrency, unreserved, err
}

// reservedIn adds up what functions other than one have reserved.
func reservedIn(ctx context.Context, tx *db.Tx, p config.Place, except string) (int, error) {
	var sum int64
	err := tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(reserved), 0) AS BIGINT) FROM lambda_function
		WHERE account = ? AND region = ? AND version = ? AND name <> ?`, p.Account, p.Region, Latest, except).Scan(&sum)
	return int(sum), err
}

func (s *Service) changeWhole(ctx context.Context, r Ref, change func(*Function) error) error {
	return s.changeWholeTx(ctx, r, func(_ *db.Tx, f *Function) error { return change(f) })
}

// changeWholeTx changes what belongs to the function as a whole. Its revision
// stays.
func (s *Service) changeWholeTx(ctx context.Context, r Ref, change func(*db.Tx, *Function) error) error {
	return s.change(ctx, func(tx *db.Tx) error {
		f, err := s.latest(ctx, tx, r)
		if err != nil {
			return err
		}
		if err := change(tx, &f); err != nil {
			return err
		}
		if err := writeVersion(ctx, tx, f); err != nil {
			return err
		}
		return s.o.Changed(ctx, tx, f.Key())
	})
}
