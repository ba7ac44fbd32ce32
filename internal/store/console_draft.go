package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A ConsoleDraft is a rule that somebody writes at the console's bench. Tests and
// Answer are JSON of the console's own.
type ConsoleDraft struct {
	config.Place
	Name, Language, Text, Parameters, Item string
	Types                                  []string
	Tests, Answer                          string
	Changed                                time.Time
}

const draftColumns = `name, account, region, language, text, types, parameters, item, tests, answer, changed`

// PutConsoleDraft keeps a draft in the place of the one of its name.
func PutConsoleDraft(ctx context.Context, tx *db.Tx, d ConsoleDraft) error {
	_, err := tx.Exec(ctx, `INSERT INTO console_draft (`+draftColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET account = excluded.account, region = excluded.region, language = excluded.language, text = excluded.text,
			types = excluded.types, parameters = excluded.parameters, item = excluded.item, tests = excluded.tests, answer = excluded.answer,
			changed = excluded.changed`,
		d.Name, d.Account, d.Region, d.Language, d.Text, strings.Join(d.Types, " "), d.Parameters, d.Item, d.Tests, d.Answer, db.Micros(d.Changed))
	if err != nil {
		return fmt.Errorf("keep a draft: %w", err)
	}
	return nil
}

func scanDraft(scan func(...any) error) (ConsoleDraft, error) {
	var d ConsoleDraft
	var types string
	var changed int64
	err := scan(&d.Name, &d.Account, &d.Region, &d.Language, &d.Text, &types, &d.Parameters, &d.Item, &d.Tests, &d.Answer, &changed)
	d.Types, d.Changed = strings.Fields(types), db.Time(changed)
	return d, err
}

// ConsoleDraftByName returns a draft, or ErrNotFound.
func ConsoleDraftByName(ctx context.Context, tx *db.Tx, name string) (ConsoleDraft, error) {
	d, err := scanDraft(tx.QueryRow(ctx, `SELECT `+draftColumns+` FROM console_draft WHERE name = ?`, name).Scan)
	if errors.Is(err, db.ErrNoRows) {
		return d, ErrNotFound
	}
	if err != nil {
		return d, fmt.Errorf("read a draft: %w", err)
	}
	return d, nil
}

// ConsoleDrafts returns up to limit drafts by their names.
func ConsoleDrafts(ctx context.Context, tx *db.Tx, limit int) ([]ConsoleDraft, error) {
	var out []ConsoleDraft
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		d, err := scanDraft(scan)
		out = append(out, d)
		return err
	}, `SELECT `+draftColumns+` FROM console_draft ORDER BY name LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list drafts: %w", err)
	}
	return out, nil
}

// DeleteConsoleDraft forgets a draft.
func DeleteConsoleDraft(ctx context.Context, tx *db.Tx, name string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM console_draft WHERE name = ?`, name); err != nil {
		return fmt.Errorf("forget a draft: %w", err)
	}
	return nil
}
