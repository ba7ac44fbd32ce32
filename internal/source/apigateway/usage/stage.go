package usage

import (
	"context"
	"errors"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/apigatewayapi"
)

// Throttle holds a request to a method of a stage, written /path/VERB, against limits of
// the method, whoever sends it. It returns ErrThrottled if the request may not pass.
func (s *Plans) Throttle(ctx context.Context, p config.Place, api, stage, method string, limits apigatewayapi.ThrottleSettings) error {
	b := bucket{Place: p, method: api + "/" + stage + method}
	refused := error(nil)
	err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
		if err := tx.Lock(ctx, "usage "+p.String()+" "+b.method); err != nil {
			return err
		}
		refused, err = b.take(ctx, tx, &limits, s.now().UTC())
		return err
	})
	return errors.Join(err, refused)
}

// ForgetStage removes what Throttle keeps of a stage.
func ForgetStage(ctx context.Context, tx *db.Tx, p config.Place, api, stage string) error {
	prefix := api + "/" + stage + "/"
	_, err := tx.Exec(ctx, `DELETE FROM gateway_bucket WHERE account = ? AND region = ? AND plan = '' AND key = '' AND substr(method, 1, length(?)) = ?`,
		p.Account, p.Region, prefix, prefix)
	return err
}
