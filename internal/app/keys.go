package app

import (
	"context"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/core"
	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model"
	"plumb/internal/settings"
	"plumb/internal/wire"
)

// keyring finds the owner of an access key: this process, the settings, the users
// of the embedded IAM, then the temporary credentials that were given out.
func (a *App) keyring(m *core.Machine) wire.Secrets {
	known := map[string]settings.AccessKey{}
	for _, k := range a.settings.AccessKeys {
		known[k.ID] = k
	}
	return func(ctx context.Context, id string) (string, caller.Identity, error) {
		if secret, who, ok := m.Embedded.Identity(id); ok {
			return secret, who, nil
		}
		if k, ok := known[id]; ok {
			return k.Secret.Reveal(), owner(k), nil
		}
		if strings.HasPrefix(id, identity.KeyPrefix) {
			return userOf(ctx, m, id)
		}
		return m.Credentials.Lookup(ctx, id)
	}
}

// userOf finds the user of an access key that may be used.
func userOf(ctx context.Context, m *core.Machine, id string) (secret string, who caller.Identity, err error) {
	err = m.DB.Read(ctx, func(tx *db.Tx) error {
		k, err := identity.FindKey(ctx, tx, id)
		if model.IsCode(err, "NoSuchEntity") || err == nil && !k.Active {
			return caller.ErrUnknownKey
		}
		if err != nil {
			return err
		}
		u, err := identity.Find(ctx, tx, k.Account, identity.User, k.User)
		secret, who = k.Secret, caller.Identity{Account: k.Account, PrincipalARN: u.ARN(), UserID: u.ID}
		return err
	})
	return secret, who, err
}

func owner(k settings.AccessKey) caller.Identity {
	who := caller.Identity{Account: k.Account, Root: true, PrincipalARN: "arn:aws:iam::" + k.Account + ":root"}
	if k.User != "" {
		who.PrincipalARN = "arn:aws:iam::" + k.Account + ":user/" + k.User
		who.UserID = k.ID
	}
	return who
}
