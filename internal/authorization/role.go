package authorization

import (
	"context"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
)

// RoleMay answers a question about what somebody does with a role of its own account,
// without a request: what a function's results are sent with, for example.
func (a *Authorizer) RoleMay(ctx context.Context, tx *db.Tx, roleARN, region string, q Ask) error {
	role, err := arn.Parse(roleARN)
	if err != nil {
		return model.AccessDeniedException("There is no role %q.", roleARN)
	}
	name := role.Resource[strings.LastIndexByte(role.Resource, '/')+1:]
	c := caller.Caller{
		Account: role.Account, Region: region,
		PrincipalARN: arn.ARN{Partition: role.Partition, Service: "sts", Account: role.Account, Resource: "assumed-role/" + name + "/plumb"}.String(),
	}
	_, err = a.mayIn(caller.With(ctx, c), tx, []Ask{q})
	return err
}
