package automation

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
)

// A Stored is a version of a document.
type Stored struct {
	config.Place
	Name    string
	Kind    string // Automation, or ConformancePackTemplate, which nothing here runs
	Version int
	Default bool
	Latest  bool
	Format  string // YAML or JSON
	Content string
	Created time.Time
	Owner   string // account, or Amazon
}

// A Catalogue has documents that are there for everybody.
type Catalogue interface {
	// Document returns the text of a document, YAML.
	Document(name string) (text string, ok bool)
	Names() []string // sorted
}

// The kinds of documents.
const (
	Automation   = "Automation"
	PackTemplate = "ConformancePackTemplate"
)

// Amazon owns the documents of the catalogue.
const Amazon = "Amazon"

// Document returns a version of a document, which is named or given by its ARN: a
// number, $LATEST, or $DEFAULT, which no version means.
func (e *Engine) Document(ctx context.Context, tx *db.Tx, p config.Place, name, version string) (Stored, error) {
	if a, err := arn.Parse(name); err == nil && a.Service == "ssm" && a.Region == p.Region && (a.Account == "" || a.Account == p.Account) {
		name = strings.TrimPrefix(a.Resource, "document/")
	}
	if text, ok := e.Catalogue.Document(name); ok {
		if n, err := strconv.Atoi(version); err == nil && n != 1 {
			return Stored{}, ErrNotFound
		}
		return Stored{Place: p, Name: name, Kind: Automation, Version: 1, Default: true, Latest: true, Format: "YAML", Content: text, Owner: Amazon}, nil
	}
	all, err := Versions(ctx, tx, p, name)
	if err != nil {
		return Stored{}, err
	}
	for _, s := range all {
		switch version {
		case "", "$DEFAULT":
			if s.Default {
				return s, nil
			}
		case "$LATEST":
			if s.Latest {
				return s, nil
			}
		case strconv.Itoa(s.Version):
			return s, nil
		}
	}
	return Stored{}, ErrNotFound
}

// Versions returns the versions of a place's own document, the oldest first.
func Versions(ctx context.Context, tx *db.Tx, p config.Place, name string) ([]Stored, error) {
	all, err := scanDocuments(ctx, tx, `account = ? AND region = ? AND name = ? ORDER BY version`, p.Account, p.Region, name)
	if len(all) > 0 {
		all[len(all)-1].Latest = true
	}
	return all, err
}

// List returns the default versions of all documents, the place's own before those
// of the catalogue, each by name.
func (e *Engine) List(ctx context.Context, tx *db.Tx, p config.Place) ([]Stored, error) {
	all, err := Documents(ctx, tx, p, "", maxDocuments)
	if err != nil {
		return nil, err
	}
	for _, name := range e.Catalogue.Names() {
		s, err := e.Document(ctx, tx, p, name, "")
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// SetDefault makes a version the default one.
func (e *Engine) SetDefault(ctx context.Context, tx *db.Tx, p config.Place, name, version string) error {
	if err := lockDocument(ctx, tx, Stored{Place: p, Name: name}); err != nil {
		return err
	}
	all, err := Versions(ctx, tx, p, name)
	if err != nil {
		return err
	}
	for _, s := range all {
		if strconv.Itoa(s.Version) == version {
			_, err := tx.Exec(ctx, `UPDATE automation_document SET preset = (version = ?) WHERE account = ? AND region = ? AND name = ?`,
				s.Version, p.Account, p.Region, name)
			return err
		}
	}
	return ErrNotFound
}

// maxDocuments is how many documents a place may have.
const maxDocuments = 500

// Documents returns the default versions of up to limit documents of a place after
// a name, by name.
func Documents(ctx context.Context, tx *db.Tx, p config.Place, after string, limit int) ([]Stored, error) {
	return scanDocuments(ctx, tx, `account = ? AND region = ? AND name > ? AND preset ORDER BY name LIMIT ?`, p.Account, p.Region, after, limit)
}

func scanDocuments(ctx context.Context, tx *db.Tx, where string, args ...any) ([]Stored, error) {
	var out []Stored
	err := db.Each(ctx, tx, func(scan func(...any) error) error {
		var s Stored
		var created int64
		err := scan(&s.Account, &s.Region, &s.Name, &s.Version, &s.Default, &s.Format, &s.Content, &created, &s.Kind)
		s.Created, s.Owner = db.Time(created), s.Account
		out = append(out, s)
		return err
	}, `SELECT account, region, name, version, preset, format, content, created, kind FROM automation_document WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	return out, nil
}

// The errors of changes of documents.
var (
	ErrExists    = errors.New("the document exists")
	ErrSame      = errors.New("the latest version has that content already")
	ErrDocuments = errors.New("the account has as many documents as it may have")
	ErrVersions  = errors.New("the document has as many versions as it may have")
)

// maxVersions is how many versions a document may have.
const maxVersions = 1000

// Create keeps the first version of a document.
func (e *Engine) Create(ctx context.Context, tx *db.Tx, s Stored) (Stored, error) {
	if err := lockDocument(ctx, tx, s); err != nil {
		return s, err
	}
	if _, ok := e.Catalogue.Document(s.Name); ok {
		return s, ErrExists
	}
	all, err := Versions(ctx, tx, s.Place, s.Name)
	if err != nil {
		return s, err
	}
	if len(all) > 0 {
		return s, ErrExists
	}
	own, err := Documents(ctx, tx, s.Place, "", maxDocuments)
	if err != nil {
		return s, err
	}
	if len(own) == maxDocuments {
		return s, ErrDocuments
	}
	s.Version, s.Default, s.Latest, s.Created, s.Owner = 1, true, true, e.Now(), s.Account
	return s, putDocument(ctx, tx, s)
}

// Update keeps a new version of a document. The default one stays.
func (e *Engine) Update(ctx context.Context, tx *db.Tx, s Stored) (Stored, error) {
	if err := lockDocument(ctx, tx, s); err != nil {
		return s, err
	}
	all, err := Versions(ctx, tx, s.Place, s.Name)
	if err != nil {
		return s, err
	}
	switch {
	case len(all) == 0:
		return s, ErrNotFound
	case all[len(all)-1].Content == s.Content:
		return s, ErrSame
	case len(all) >= maxVersions:
		return s, ErrVersions
	}
	s.Kind = all[0].Kind
	s.Version, s.Latest, s.Created, s.Owner = all[len(all)-1].Version+1, true, e.Now(), s.Account
	return s, putDocument(ctx, tx, s)
}

// Delete forgets a document with all its versions.
func (e *Engine) Delete(ctx context.Context, tx *db.Tx, p config.Place, name string) error {
	n, err := tx.Exec(ctx, `DELETE FROM automation_document WHERE account = ? AND region = ? AND name = ?`, p.Account, p.Region, name)
	if err != nil {
		return fmt.Errorf("delete document %s: %w", name, err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

func lockDocument(ctx context.Context, tx *db.Tx, s Stored) error {
	return tx.Lock(ctx, "automation document "+s.Place.String()+"/"+s.Name)
}

func putDocument(ctx context.Context, tx *db.Tx, s Stored) error {
	_, err := tx.Exec(ctx, `INSERT INTO automation_document (account, region, name, version, preset, format, content, created, kind)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, s.Account, s.Region, s.Name, s.Version, s.Default, s.Format, s.Content, db.Micros(s.Created), s.Kind)
	if err != nil {
		return fmt.Errorf("keep document %s: %w", s.Name, err)
	}
	return nil
}
