package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/model"
)

func isNotFound(err error) bool { return model.IsCode(err, "ResourceNotFoundException") }

// stored is how the settings of a mapping are kept.
type stored struct {
	Enabled        bool              `json:"enabled"`
	BatchSize      int               `json:"batchSize"`
	Window         int               `json:"window,omitempty"`
	Filters        []string          `json:"filters,omitempty"`
	KMSKey         string            `json:"kmsKey,omitempty"`
	Partial        bool              `json:"partial,omitempty"`
	MaxConcurrency int               `json:"maxConcurrency,omitempty"`
	MinPollers     *int              `json:"minPollers,omitempty"`
	MaxPollers     *int              `json:"maxPollers,omitempty"`
	Metrics        []string          `json:"metrics,omitempty"`
	LogLevel       string            `json:"logLevel,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
	Position       string            `json:"position,omitempty"`
	Timestamp      int64             `json:"timestamp,omitempty"` // microseconds
	Factor         int               `json:"factor,omitempty"`
	OnFailure      string            `json:"onFailure,omitempty"`
	MaxAge         int               `json:"maxAge,omitempty"`
	Bisect         bool              `json:"bisect,omitempty"`
	Retries        int               `json:"retries,omitempty"`
	Tumbling       int               `json:"tumbling,omitempty"`
}

func toStored(s Settings) stored {
	out := stored{
		Enabled: s.Enabled, BatchSize: s.BatchSize, Window: s.Window, Filters: s.Filters, KMSKey: s.KMSKey, Partial: s.Partial,
		MaxConcurrency: s.MaxConcurrency, MinPollers: s.MinPollers, MaxPollers: s.MaxPollers, Metrics: s.Metrics, LogLevel: s.LogLevel, Tags: s.Tags,
		Position: s.Position, Factor: s.Factor, OnFailure: s.OnFailure, MaxAge: s.MaxAge, Bisect: s.Bisect, Retries: s.Retries, Tumbling: s.Tumbling,
	}
	if !s.Timestamp.IsZero() {
		out.Timestamp = db.Micros(s.Timestamp)
	}
	return out
}

func fromStored(s stored) Settings {
	out := Settings{
		Enabled: s.Enabled, BatchSize: s.BatchSize, Window: s.Window, Filters: s.Filters, KMSKey: s.KMSKey, Partial: s.Partial,
		MaxConcurrency: s.MaxConcurrency, MinPollers: s.MinPollers, MaxPollers: s.MaxPollers, Metrics: s.Metrics, LogLevel: s.LogLevel, Tags: s.Tags,
		Position: s.Position, Factor: s.Factor, OnFailure: s.OnFailure, MaxAge: s.MaxAge, Bisect: s.Bisect, Retries: s.Retries, Tumbling: s.Tumbling,
	}
	if s.Timestamp != 0 {
		out.Timestamp = db.Time(s.Timestamp)
	}
	return out
}

const columns = `account, region, id, source, function, state, modified, result, definition`

func scanMapping(scan func(...any) error) (Mapping, error) {
	var m Mapping
	var function, definition string
	var modified int64
	if err := scan(&m.Account, &m.Region, &m.ID, &m.Source, &function, &m.State, &modified, &m.Result, &definition); err != nil {
		return m, err
	}
	m.Modified = db.Time(modified)
	var kept stored
	if err := json.Unmarshal([]byte(definition), &kept); err != nil {
		return m, fmt.Errorf("definition of event source mapping %s: %w", m.ID, err)
	}
	m.Settings = fromStored(kept)
	ref, err := lambda.ParseARN(function)
	if err != nil {
		return m, fmt.Errorf("function of event source mapping %s: %w", m.ID, err)
	}
	m.Function = ref
	return m, nil
}

// Read returns a mapping, or the error ResourceNotFoundException.
func Read(ctx context.Context, tx *db.Tx, p config.Place, id string) (Mapping, error) {
	row := tx.QueryRow(ctx, `SELECT `+columns+` FROM source_mapping WHERE account = ? AND region = ? AND id = ?`, p.Account, p.Region, id)
	m, err := scanMapping(row.Scan)
	if errors.Is(err, db.ErrNoRows) {
		return m, NotFound()
	}
	if err != nil {
		return m, fmt.Errorf("read event source mapping %s: %w", id, err)
	}
	return m, nil
}

// Get returns a mapping, or the error ResourceNotFoundException.
func (s *Store) Get(ctx context.Context, p config.Place, id string) (m Mapping, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		m, err = Read(ctx, tx, p, id)
		return err
	})
	return m, err
}

// OfSource returns every mapping of a source.
func OfSource(ctx context.Context, tx *db.Tx, source string) ([]Mapping, error) {
	return list(ctx, tx, `SELECT `+columns+` FROM source_mapping WHERE source = ?`, source)
}

// List returns mappings of a place by their ids, those after the given one. source
// and function may be empty.
func (s *Store) List(ctx context.Context, p config.Place, source, function, after string, limit int) (out []Mapping, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		query := `SELECT ` + columns + ` FROM source_mapping WHERE account = ? AND region = ? AND id > ?`
		args := []any{p.Account, p.Region, after}
		if source != "" {
			query, args = query+` AND source = ?`, append(args, source)
		}
		if function != "" {
			query, args = query+` AND function = ?`, append(args, function)
		}
		out, err = list(ctx, tx, query+` ORDER BY id LIMIT ?`, append(args, limit)...)
		return err
	})
	return out, err
}

func list(ctx context.Context, tx *db.Tx, query string, args ...any) (out []Mapping, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		m, err := scanMapping(scan)
		out = append(out, m)
		return err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read event source mappings: %w", err)
	}
	return out, nil
}

func write(ctx context.Context, tx *db.Tx, m Mapping) error {
	definition, err := json.Marshal(toStored(m.Settings))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO source_mapping (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, region, id) DO UPDATE SET function = excluded.function, state = excluded.state, modified = excluded.modified,
			result = excluded.result, definition = excluded.definition`,
		m.Account, m.Region, m.ID, m.Source, m.Function.ARN(), m.State, db.Micros(m.Modified), m.Result, string(definition))
	if err != nil {
		return fmt.Errorf("write event source mapping %s: %w", m.ID, err)
	}
	return nil
}

func remove(ctx context.Context, tx *db.Tx, m Mapping) error {
	_, err := tx.Exec(ctx, `DELETE FROM source_mapping WHERE account = ? AND region = ? AND id = ?`, m.Account, m.Region, m.ID)
	if err != nil {
		return fmt.Errorf("delete event source mapping %s: %w", m.ID, err)
	}
	return nil
}

// Note keeps what became of a mapping's last batch.
func Note(ctx context.Context, tx *db.Tx, m Mapping, result string) error {
	_, err := tx.Exec(ctx, `UPDATE source_mapping SET result = ? WHERE account = ? AND region = ? AND id = ? AND result <> ?`,
		result, m.Account, m.Region, m.ID, result)
	return err
}

// Tag changes the tags of a mapping.
func (s *Store) Tag(ctx context.Context, p config.Place, id string, change func(tags map[string]string) (map[string]string, error)) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "event source mapping "+id); err != nil {
			return err
		}
		m, err := Read(ctx, tx, p, id)
		if err != nil {
			return err
		}
		if m.Tags, err = change(m.Tags); err != nil {
			return err
		}
		return write(ctx, tx, m)
	})
}
