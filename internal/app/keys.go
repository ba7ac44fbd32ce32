package app

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/core"
	"plumb/internal/settings"
	"plumb/internal/wire"
)

// keyring finds the owner of an access key: this process, the settings, then
// the temporary credentials that were given out.
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
		return m.Credentials.Lookup(ctx, id)
	}
}

func owner(k settings.AccessKey) caller.Identity {
	who := caller.Identity{Account: k.Account, PrincipalARN: "arn:aws:iam::" + k.Account + ":root"}
	if k.User != "" {
		who.PrincipalARN = "arn:aws:iam::" + k.Account + ":user/" + k.User
		who.UserID = k.ID
	}
	return who
}
