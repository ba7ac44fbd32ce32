package deployment

import (
	"context"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A Status is how far an organization's rule or pack is as a whole.
type Status struct {
	Progress      string
	Code, Message string // of what went wrong in some account
}

// StatusOf tells how far an organization's rule or pack is: it is in progress as long as one
// account is, and failed if one did.
func StatusOf(ctx context.Context, tx *db.Tx, o config.OrganizationDeployment) (Status, error) {
	found, err := store.MemberProgresses(ctx, tx, o)
	if err != nil {
		return Status{}, err
	}
	s := Status{Progress: config.OrganizationSuccessful}
	for _, m := range found {
		if m.Code != "" && s.Code == "" {
			s.Code, s.Message = m.Code, fmt.Sprintf("%d accounts, %s among them.", m.N, m.Account)
			if m.N == 1 {
				s.Message = fmt.Sprintf("1 account, %s.", m.Account)
			}
		}
		if m.Progress == config.OrganizationFailed && s.Progress == config.OrganizationSuccessful || m.Progress == config.OrganizationInProgress {
			s.Progress = m.Progress
		}
	}
	if o.Spreading {
		s.Progress = config.OrganizationInProgress
	}
	return s, nil
}
