package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"

	"plumb/internal/db"
	"plumb/internal/model/lambdaapi"
)

// An Alias is a name that points to a version, and may send some invocations to
// another one.
type Alias struct {
	Ref         Ref // of the function
	Name        string
	Version     string
	Description string
	Weights     map[string]float64 // of additional versions
	Revision    string
}

// ARN returns the alias's ARN.
func (a Alias) ARN() string { return Ref{a.Ref.Place, a.Ref.Name, a.Name}.ARN() }

// route picks the version for one invocation.
func (a Alias) route() string {
	x := rand.Float64()
	for v, w := range a.Weights {
		if x < w {
			return v
		}
		x -= w
	}
	return a.Version
}

// CreateAlias makes an alias.
func (s *Service) CreateAlias(ctx context.Context, a Alias) (Alias, error) {
	a.Ref = a.Ref.unqualified()
	a.Revision = NewID()
	err := s.change(ctx, func(tx *db.Tx) error {
		_, err := readAlias(ctx, tx, a.Ref, a.Name)
		if err == nil {
			return lambdaapi.ResourceConflictException("Alias already exists: %s", a.ARN())
		}
		if !errors.Is(err, errNoRow) {
			return err
		}
		if err := a.check(ctx, tx); err != nil {
			return err
		}
		return writeAlias(ctx, tx, a)
	})
	return a, err
}

// check refuses versions that are not there and weights that mean nothing.
func (a Alias) check(ctx context.Context, tx *db.Tx) error {
	exists := func(version string) error {
		_, err := readVersion(ctx, tx, a.Ref, version)
		if errors.Is(err, errNoRow) {
			return notFound(Ref{a.Ref.Place, a.Ref.Name, version})
		}
		return err
	}
	if err := exists(a.Version); err != nil {
		return err
	}
	if len(a.Weights) > 1 {
		return lambdaapi.InvalidParameterValueException("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for v, w := range a.Weights {
		switch {
		case a.Version == Latest:
			return lambdaapi.InvalidParameterValueException("$LATEST is not supported for an alias pointing to more than 1 version")
		case v == a.Version:
			return lambdaapi.InvalidParameterValueException("Invalid function version %s. Function version %s is already included in routing configuration.", v, v)
		case w < 0 || w > 1:
			return lambdaapi.InvalidParameterValueException("Weight must be between 0 and 1")
		}
		if err := exists(v); err != nil {
			return err
		}
	}
	return nil
}

// GetAlias returns an alias.
func (s *Service) GetAlias(ctx context.Context, r Ref, name string) (Alias, error) {
	var a Alias
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		a, err = readAlias(ctx, tx, r, name)
		return err
	})
	if errors.Is(err, errNoRow) {
		return a, noAlias("Cannot find alias arn: %s", r, name)
	}
	return a, err
}

func noAlias(text string, r Ref, name string) error {
	return lambdaapi.ResourceNotFoundException(text, Ref{r.Place, r.Name, name}.ARN())
}

// UpdateAlias changes an alias. revision is the one that the caller saw, or
// empty.
func (s *Service) UpdateAlias(ctx context.Context, r Ref, name, revision string, change func(*Alias)) (Alias, error) {
	var a Alias
	err := s.change(ctx, func(tx *db.Tx) (err error) {
		a, err = readAlias(ctx, tx, r, name)
		if errors.Is(err, errNoRow) {
			return noAlias("Alias not found: %s", r, name)
		}
		if err != nil {
			return err
		}
		if revision != "" && revision != a.Revision {
			return staleRevision("GetFunction/GetAlias")
		}
		change(&a)
		if err := a.check(ctx, tx); err != nil {
			return err
		}
		a.Revision = NewID()
		return writeAlias(ctx, tx, a)
	})
	return a, err
}

// DeleteAlias removes an alias with its policy and its event invoke
// configuration; one that is not there is fine.
func (s *Service) DeleteAlias(ctx context.Context, r Ref, name string) error {
	return s.change(ctx, func(tx *db.Tx) error {
		for table, column := range map[string]string{"lambda_alias": "alias", "lambda_policy": "qualifier", "lambda_event_invoke": "qualifier", "lambda_url": "qualifier"} {
			_, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE account = ? AND region = ? AND name = ? AND "+column+" = ?", r.Account, r.Region, r.Name, name)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Aliases returns up to limit aliases of a function after a marker, those of one
// version if version is not empty, and the marker of the next page.
func (s *Service) Aliases(ctx context.Context, r Ref, version, marker string, limit int) (as []Alias, next string, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if _, err := s.latest(ctx, tx, r); err != nil {
			return err
		}
		all, err := aliases(ctx, tx, r, marker, 1<<30)
		for _, a := range all {
			if version == "" || a.Version == version {
				as = append(as, a)
			}
		}
		return err
	})
	if len(as) > limit {
		as = as[:limit]
		next = as[limit-1].Name
	}
	return as, next, err
}

const aliasColumns = "alias, version, description, weights, revision"

func scanAlias(r Ref, scan func(...any) error) (Alias, error) {
	a := Alias{Ref: r.unqualified()}
	var weights string
	if err := scan(&a.Name, &a.Version, &a.Description, &weights, &a.Revision); err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(weights), &a.Weights); err != nil {
		return a, fmt.Errorf("weights of alias %s: %w", a.Name, err)
	}
	return a, nil
}

func readAlias(ctx context.Context, tx *db.Tx, r Ref, name string) (Alias, error) {
	row := tx.QueryRow(ctx, "SELECT "+aliasColumns+" FROM lambda_alias WHERE account = ? AND region = ? AND name = ? AND alias = ?",
		r.Account, r.Region, r.Name, name)
	a, err := scanAlias(r, row.Scan)
	if errors.Is(err, db.ErrNoRows) {
		err = errNoRow
	}
	return a, err
}

func aliases(ctx context.Context, tx *db.Tx, r Ref, after string, limit int) ([]Alias, error) {
	var out []Alias
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		a, err := scanAlias(r, scan)
		out = append(out, a)
		return err
	}, "SELECT "+aliasColumns+" FROM lambda_alias WHERE account = ? AND region = ? AND name = ? AND alias > ? ORDER BY alias LIMIT ?",
		r.Account, r.Region, r.Name, after, limit)
	return out, err
}

func writeAlias(ctx context.Context, tx *db.Tx, a Alias) error {
	weights, err := json.Marshal(a.Weights)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO lambda_alias (account, region, name, alias, version, description, weights, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, name, alias) DO UPDATE SET version = excluded.version, description = excluded.description,
		weights = excluded.weights, revision = excluded.revision`,
		a.Ref.Account, a.Ref.Region, a.Ref.Name, a.Name, a.Version, a.Description, string(weights), a.Revision)
	return err
}
