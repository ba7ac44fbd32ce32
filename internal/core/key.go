package core

import (
	"context"
	"fmt"

	"plumb/internal/db"
	"plumb/internal/rule/function"
	"plumb/internal/store"
	"plumb/internal/wire"
)

// Keys are what all servers of a store seal with.
type Keys struct {
	Results *function.Sealer // result tokens of rules
	Pages   wire.Tokens      // paging tokens
}

func readKeys(ctx context.Context, d *db.DB) (k Keys, err error) {
	var results, pages []byte
	err = d.Write(ctx, func(tx *db.Tx) (err error) {
		if results, err = store.Secret(ctx, tx, "result tokens"); err != nil {
			return err
		}
		pages, err = store.Secret(ctx, tx, "paging tokens")
		return err
	})
	if err != nil {
		return Keys{}, fmt.Errorf("read the store's keys: %w", err)
	}
	k.Pages = wire.NewTokens(pages)
	k.Results, err = function.NewSealer(results)
	return k, err
}
