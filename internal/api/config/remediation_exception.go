package config

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/store"
)

// exceptionKeys checks keys, of which both members are needed. refuse makes the
// error that the operation has for it.
func exceptionKeys(
	p config.Place, in []configapi.RemediationExceptionResourceKey, refuse func(format string, args ...any) *model.Error,
) ([]config.ResourceKey, error) {
	out := make([]config.ResourceKey, len(in))
	for i, k := range in {
		if text(k.ResourceType) == "" || text(k.ResourceId) == "" {
			return nil, refuse("Both ResourceType and ResourceId of the ResourceKeys must be specified.")
		}
		out[i] = config.ResourceKey{Place: p, Type: *k.ResourceType, ID: *k.ResourceId}
	}
	return out, nil
}

// PutRemediationExceptions keeps resources from being put right by themselves.
// Those that comply come back.
func (r remediations) PutRemediationExceptions(
	ctx context.Context, in *configapi.PutRemediationExceptionsInput,
) (*configapi.PutRemediationExceptionsOutput, error) {
	p := caller.Place(ctx)
	keys, err := exceptionKeys(p, in.ResourceKeys, configapi.InvalidParameterValueException)
	if err != nil {
		return nil, err
	}
	if in.ExpirationTime != nil && !in.ExpirationTime.After(r.Now()) {
		return nil, configapi.InvalidParameterValueException("The ExpirationTime must be in the future.")
	}
	out := &configapi.PutRemediationExceptionsOutput{FailedBatches: []configapi.FailedRemediationExceptionBatch{}}
	err = r.DB.Write(ctx, func(tx *db.Tx) error {
		out.FailedBatches = out.FailedBatches[:0]
		rl, err := rule.Named(ctx, tx, p, *in.ConfigRuleName)
		if model.IsCode(err, "NoSuchConfigRuleException") { // which this operation does not have
			return configapi.InvalidParameterValueException("The ConfigRule '%s' provided in the request is invalid. Please check the configRule name.", *in.ConfigRuleName)
		}
		if err != nil {
			return err
		}
		if rl.ServiceLinked() {
			return configapi.InsufficientPermissionsException("The rule %s is service-linked, and its remediation has no exceptions.", rl.Name)
		}
		for _, k := range keys {
			e := config.RemediationException{
				Place: p, Rule: rl.Name, ResourceType: k.Type, ResourceID: k.ID, Message: text(in.Message), Expires: instant(in.ExpirationTime),
			}
			refusal, err := r.Remediation.PutException(ctx, tx, e)
			if err != nil {
				return err
			}
			if refusal != "" {
				out.FailedBatches = append(out.FailedBatches, configapi.FailedRemediationExceptionBatch{
					FailureMessage: &refusal, FailedItems: []configapi.RemediationException{exceptionShape(e)},
				})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("put remediation exceptions: %w", err)
	}
	return out, nil
}

func exceptionShape(e config.RemediationException) configapi.RemediationException {
	return configapi.RemediationException{
		ConfigRuleName: &e.Rule, ResourceType: &e.ResourceType, ResourceId: &e.ResourceID, Message: optional(e.Message), ExpirationTime: model.Moment(e.Expires),
	}
}

// exceptionPage is how many exceptions a page has at most, whatever the limit.
const exceptionPage = 25

// DescribeRemediationExceptions returns the exceptions of a rule that hold, or
// those of some resources.
func (r remediations) DescribeRemediationExceptions(
	ctx context.Context, in *configapi.DescribeRemediationExceptionsInput,
) (*configapi.DescribeRemediationExceptionsOutput, error) {
	p := caller.Place(ctx)
	keys, err := exceptionKeys(p, in.ResourceKeys, configapi.InvalidParameterValueException)
	if err != nil {
		return nil, err
	}
	out := &configapi.DescribeRemediationExceptionsOutput{RemediationExceptions: []configapi.RemediationException{}}
	if len(keys) > 0 {
		return out, r.namedExceptions(ctx, *in.ConfigRuleName, keys, out)
	}
	n := min(limit(in.Limit, exceptionPage), exceptionPage)
	filters := []string{p.String(), *in.ConfigRuleName}
	position, ok := r.Tokens.Decode("DescribeRemediationExceptions", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	after := config.ResourceKey{Place: p}
	after.Type, after.ID, _ = strings.Cut(position, "\x00")
	var found []config.RemediationException
	err = r.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = store.RemediationExceptions(ctx, tx, p, *in.ConfigRuleName, after, r.Now(), n+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe remediation exceptions: %w", err)
	}
	if len(found) > n {
		found = found[:n]
		last := found[n-1]
		out.NextToken = new(r.Tokens.Encode("DescribeRemediationExceptions", last.ResourceType+"\x00"+last.ResourceID, filters...))
	}
	for _, e := range found {
		out.RemediationExceptions = append(out.RemediationExceptions, exceptionShape(e))
	}
	return out, nil
}

func (r remediations) namedExceptions(ctx context.Context, name string, keys []config.ResourceKey, out *configapi.DescribeRemediationExceptionsOutput) error {
	return r.DB.Read(ctx, func(tx *db.Tx) error {
		for _, k := range keys {
			e, err := store.RemediationExceptionOf(ctx, tx, name, k, r.Now())
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("describe remediation exceptions: %w", err)
			}
			out.RemediationExceptions = append(out.RemediationExceptions, exceptionShape(e))
		}
		return nil
	})
}

// DeleteRemediationExceptions forgets exceptions. Those that are not there come
// back, unless none is.
func (r remediations) DeleteRemediationExceptions(
	ctx context.Context, in *configapi.DeleteRemediationExceptionsInput,
) (*configapi.DeleteRemediationExceptionsOutput, error) {
	keys, err := exceptionKeys(caller.Place(ctx), in.ResourceKeys, model.ValidationException)
	if err != nil {
		return nil, err
	}
	var missing []configapi.RemediationExceptionResourceKey
	err = r.DB.Write(ctx, func(tx *db.Tx) error {
		missing = nil
		for i, k := range keys {
			err := r.Remediation.DeleteException(ctx, tx, *in.ConfigRuleName, k)
			if errors.Is(err, store.ErrNotFound) {
				missing = append(missing, in.ResourceKeys[i])
				continue
			}
			if err != nil {
				return err
			}
		}
		if len(missing) == len(keys) {
			return configapi.NoSuchRemediationExceptionException("The rule '%s' has no remediation exception for these resources.", *in.ConfigRuleName)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete remediation exceptions: %w", err)
	}
	out := &configapi.DeleteRemediationExceptionsOutput{FailedBatches: []configapi.FailedDeleteRemediationExceptionsBatch{}}
	if len(missing) > 0 {
		out.FailedBatches = append(out.FailedBatches, configapi.FailedDeleteRemediationExceptionsBatch{
			FailureMessage: new("There is no remediation exception for these resources."), FailedItems: missing,
		})
	}
	return out, nil
}
