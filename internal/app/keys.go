package app

import (
	"context"
	"fmt"

	"plumb/internal/db"
	"plumb/internal/rule/function"
	"plumb/internal/settings"
	"plumb/internal/store"
	"plumb/internal/wire"
)

// keys are what all servers of a store seal with.
type keys struct {
	results *function.Sealer // result tokens of rules
	pages   wire.Tokens      // paging tokens
}

func readKeys(ctx context.Context, d *db.DB) (k keys, err error) {
	var results, pages []byte
	err = d.Write(ctx, func(tx *db.Tx) (err error) {
		if results, err = store.Secret(ctx, tx, "result tokens"); err != nil {
			return err
		}
		pages, err = store.Secret(ctx, tx, "paging tokens")
		return err
	})
	if err != nil {
		return keys{}, fmt.Errorf("read the store's keys: %w", err)
	}
	k.pages = wire.NewTokens(pages)
	k.results, err = function.NewSealer(results)
	return k, err
}

// keyring finds the owner of an access key: this process, the settings, then
// the temporary credentials that were given out.
func (a *App) keyring(m *machine) wire.Secrets {
	known := map[string]settings.AccessKey{}
	for _, k := range a.settings.AccessKeys {
		known[k.ID] = k
	}
	return func(ctx context.Context, id string) (string, wire.Identity, error) {
		if secret, who, ok := m.own.Identity(id); ok {
			return secret, who, nil
		}
		if k, ok := known[id]; ok {
			return k.Secret.Reveal(), owner(k), nil
		}
		return m.credentials.Lookup(ctx, id)
	}
}

func owner(k settings.AccessKey) wire.Identity {
	who := wire.Identity{Account: k.Account, PrincipalARN: "arn:aws:iam::" + k.Account + ":root"}
	if k.User != "" {
		who.PrincipalARN = "arn:aws:iam::" + k.Account + ":user/" + k.User
		who.UserID = k.ID
	}
	return who
}
