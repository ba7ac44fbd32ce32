package usage

import (
	"context"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/apigatewayapi"
)

// Plans are the API keys and usage plans of every account.
type Plans struct {
	db  *db.DB
	now func() time.Time
}

// New returns those that are kept in d.
func New(d *db.DB, now func() time.Time) *Plans { return &Plans{d, now} }

// What a place may have.
const (
	maxKeys  = 10_000
	maxPlans = 300
	maxTags  = 50
)

func invalid(format string, args ...any) error {
	return apigatewayapi.BadRequestException(format, args...)
}

func notFound(format string, args ...any) error {
	return apigatewayapi.NotFoundException(format, args...)
}

// write runs f alone among those that change keys and plans of a place.
func (s *Plans) write(ctx context.Context, p config.Place, f func(tx *db.Tx) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "usage plans "+p.String()); err != nil {
			return err
		}
		return f(tx)
	})
}
