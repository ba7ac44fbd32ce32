package app

import (
	"context"
	"strings"
	"sync"
	"time"

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
	users := userKeys{m: m, known: map[string]userKey{}}
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
			return users.find(ctx, id)
		}
		return m.Credentials.Lookup(ctx, id)
	}
}

// userKeys finds the users of access keys. What it has read holds for a revision of the
// account's identities.
type userKeys struct {
	m     *core.Machine
	mu    sync.Mutex
	known map[string]userKey
}

type userKey struct {
	secret   string
	who      caller.Identity
	revision int64
}

// maxUserKeys is how many access keys of users are remembered.
const maxUserKeys = 4096

// find finds the user of an access key that may be used.
func (u *userKeys) find(ctx context.Context, id string) (secret string, who caller.Identity, err error) {
	u.mu.Lock()
	k, ok := u.known[id]
	u.mu.Unlock()
	var at time.Time
	err = u.m.DB.Read(ctx, func(tx *db.Tx) error {
		at = time.Now() // what is read is not older
		if ok {
			revision, err := identity.Revision(ctx, tx, k.who.Account)
			if err != nil || revision == k.revision {
				return err
			}
		}
		k, err = readUserKey(ctx, tx, id)
		return err
	})
	if err != nil {
		return "", caller.Identity{}, err
	}
	u.mu.Lock()
	if len(u.known) >= maxUserKeys {
		clear(u.known)
	}
	u.known[id] = k
	u.mu.Unlock()
	k.who.Revision = caller.Revision{N: k.revision, At: at}
	return k.secret, k.who, nil
}

func readUserKey(ctx context.Context, tx *db.Tx, id string) (userKey, error) {
	k, err := identity.FindKey(ctx, tx, id)
	if model.IsCode(err, "NoSuchEntity") || err == nil && !k.Active {
		return userKey{}, caller.ErrUnknownKey
	}
	if err != nil {
		return userKey{}, err
	}
	revision, err := identity.Revision(ctx, tx, k.Account)
	if err != nil {
		return userKey{}, err
	}
	u, err := identity.Find(ctx, tx, k.Account, identity.User, k.User)
	return userKey{k.Secret, caller.Identity{Account: k.Account, PrincipalARN: u.ARN(), UserID: u.ID}, revision}, err
}

func owner(k settings.AccessKey) caller.Identity {
	who := caller.Identity{Account: k.Account, Root: true, PrincipalARN: "arn:aws:iam::" + k.Account + ":root"}
	if k.User != "" {
		who.PrincipalARN = "arn:aws:iam::" + k.Account + ":user/" + k.User
		who.UserID = k.ID
	}
	return who
}
