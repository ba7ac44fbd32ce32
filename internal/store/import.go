package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// An ImportFile is how far the import of a file has come. Source and Name name it;
// Version is of its content and of what was asked of it.
type ImportFile struct {
	Source, Name, Version string
	Position              int64 // how many of its items were looked at
	Done                  bool
	Unread                int64           // how many items, or parts, could not be read
	Problems              []ImportProblem // the first of them
}

// An ImportProblem is what could not be read of a file.
type ImportProblem struct {
	Item   int64  `json:"item"` // its number in the file, from 1; 0 for the file itself
	Reason string `json:"reason"`
}

// ImportOf returns how far a file has come; nothing is known of one of another version.
func ImportOf(ctx context.Context, tx *db.Tx, f ImportFile) (ImportFile, error) {
	var problems string
	err := tx.QueryRow(ctx, `SELECT position, done, unread, problems FROM import_file WHERE source = ? AND name = ? AND version = ?`,
		f.Source, f.Name, f.Version).Scan(&f.Position, &f.Done, &f.Unread, &problems)
	if errors.Is(err, db.ErrNoRows) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(problems), &f.Problems)
	}
	if err != nil {
		return f, fmt.Errorf("read how far the import of %s has come: %w", f.Name, err)
	}
	return f, nil
}

// SetImports keeps how far files have come.
func SetImports(ctx context.Context, tx *db.Tx, all []ImportFile) error {
	problems := make([]string, len(all))
	for i, f := range all {
		text, err := json.Marshal(f.Problems)
		if err != nil {
			return fmt.Errorf("keep how far the import of %s has come: %w", f.Name, err)
		}
		problems[i] = string(text)
	}
	with, args := list{
		texts("source", collect(all, func(f ImportFile) string { return f.Source })),
		texts("name", collect(all, func(f ImportFile) string { return f.Name })),
		texts("version", collect(all, func(f ImportFile) string { return f.Version })),
		ints("position", collect(all, func(f ImportFile) int64 { return f.Position })),
		booleans("done", collect(all, func(f ImportFile) bool { return f.Done })),
		ints("unread", collect(all, func(f ImportFile) int64 { return f.Unread })),
		texts("problems", problems),
	}.with(tx)
	_, err := tx.Exec(ctx, with+`INSERT INTO import_file (source, name, version, position, done, unread, problems)
		SELECT source, name, version, position, done, unread, problems FROM w WHERE true
		ON CONFLICT (source, name) DO UPDATE SET version = excluded.version, position = excluded.position, done = excluded.done,
		unread = excluded.unread, problems = excluded.problems`, args...)
	if err != nil {
		return fmt.Errorf("keep how far the import of %d files has come: %w", len(all), err)
	}
	return nil
}

// OweEvaluation notes that the rules of a place have to be asked about what an import
// brought.
func OweEvaluation(ctx context.Context, tx *db.Tx, p config.Place) error {
	_, err := tx.Exec(ctx, `INSERT INTO import_place (account, region) VALUES (?, ?) ON CONFLICT DO NOTHING`, p.Account, p.Region)
	if err != nil {
		return fmt.Errorf("note that rules are to be asked: %w", err)
	}
	return nil
}

// OwedEvaluations returns and forgets the places of OweEvaluation.
func OwedEvaluations(ctx context.Context, tx *db.Tx) ([]config.Place, error) {
	var out []config.Place
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var p config.Place
		err := scan(&p.Account, &p.Region)
		out = append(out, p)
		return err
	}, `DELETE FROM import_place RETURNING account, region`)
	if err != nil {
		return nil, fmt.Errorf("read the places whose rules are to be asked: %w", err)
	}
	return out, nil
}
