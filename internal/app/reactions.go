package app

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/wire"
)

// changed is told by every embedded service of a change, in its transaction.
func (m *machine) changed(context.Context, *db.Tx, config.ResourceKey) error { return nil }

// given finds the temporary credentials that were given out.
func (m *machine) given(context.Context, string) (string, wire.Identity, error) {
	return "", wire.Identity{}, wire.ErrUnknownKey
}
