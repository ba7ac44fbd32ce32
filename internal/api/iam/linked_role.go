package iam

import (
	"context"
	"crypto/rand"
	"strings"

	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/model/iamapi"
)

func (f face) registerLinkedRoles(s *iamapi.Service) {
	s.CreateServiceLinkedRole(f.CreateServiceLinkedRole)
	s.DeleteServiceLinkedRole(f.DeleteServiceLinkedRole)
	s.GetServiceLinkedRoleDeletionStatus(f.GetServiceLinkedRoleDeletionStatus)
}

// CreateServiceLinkedRole makes the role of a service.
func (f face) CreateServiceLinkedRole(
	ctx context.Context, in *iamapi.CreateServiceLinkedRoleInput,
) (*iamapi.CreateServiceLinkedRoleOutput, error) {
	out := &iamapi.CreateServiceLinkedRoleOutput{}
	return out, f.write(ctx, func(tx *db.Tx, account string) error {
		e, err := f.store.CreateLinked(ctx, tx, account, text(in.AWSServiceName), text(in.CustomSuffix), text(in.Description))
		out.Role = new(roleShape(e))
		return err
	})
}

// DeleteServiceLinkedRole removes the role of a service, at once.
func (f face) DeleteServiceLinkedRole(
	ctx context.Context, in *iamapi.DeleteServiceLinkedRoleInput,
) (*iamapi.DeleteServiceLinkedRoleOutput, error) {
	out := &iamapi.DeleteServiceLinkedRoleOutput{}
	return out, f.write(ctx, func(tx *db.Tx, account string) error {
		e, err := f.store.DeleteLinked(ctx, tx, account, text(in.RoleName))
		out.DeletionTaskId = new("task" + e.Path + e.Name + "/" + strings.ToLower(rand.Text()))
		return err
	})
}

// GetServiceLinkedRoleDeletionStatus answers that a deletion has succeeded: it has
// if the role is gone.
func (f face) GetServiceLinkedRoleDeletionStatus(
	ctx context.Context, in *iamapi.GetServiceLinkedRoleDeletionStatusInput,
) (*iamapi.GetServiceLinkedRoleDeletionStatusOutput, error) {
	parts := strings.Split(text(in.DeletionTaskId), "/") // task/aws-service-role/SERVICE/ROLE/...
	if len(parts) != 5 || parts[0] != "task" || parts[1] != "aws-service-role" {
		return nil, iamapi.NoSuchEntityException("Deletion task %s cannot be found.", text(in.DeletionTaskId))
	}
	out := &iamapi.GetServiceLinkedRoleDeletionStatusOutput{Status: iamapi.DeletionTaskStatusTypeSucceeded}
	return out, f.read(ctx, func(tx *db.Tx, account string) error {
		_, err := identity.Find(ctx, tx, account, identity.Role, parts[3])
		if err == nil {
			return iamapi.NoSuchEntityException("Deletion task %s cannot be found.", text(in.DeletionTaskId))
		}
		if isMissing(err) {
			return nil
		}
		return err
	})
}
