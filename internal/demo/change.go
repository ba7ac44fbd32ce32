package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// change suspends versioning and prints what comes of it, as it comes.
func (st *story) change(ctx context.Context) error {
	before, err := st.newest(ctx)
	if err != nil {
		return err
	}
	if err := st.setVersioning(ctx, s3types.BucketVersioningStatusSuspended); err != nil {
		return err
	}
	st.line("call", "PutBucketVersioning "+watched+" Suspended")
	watchers := []func(context.Context) error{
		func(ctx context.Context) error { return st.awaitItem(ctx, before) },
		func(ctx context.Context) error { return st.awaitChange(ctx, managedRule) },
		func(ctx context.Context) error { return st.awaitChange(ctx, customRule) },
	}
	return together(ctx, watchers)
}

// together runs all and returns the first error.
func together(ctx context.Context, all []func(context.Context) error) error {
	errs := make(chan error, len(all))
	var wg sync.WaitGroup
	for _, f := range all {
		wg.Go(func() { errs <- f(ctx) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (st *story) awaitItem(ctx context.Context, before *configtypes.ConfigurationItem) error {
	var it *configtypes.ConfigurationItem
	err := until(ctx, "the item of the change", func(ctx context.Context) (bool, error) {
		newest, err := st.newest(ctx)
		it = newest
		return newest != nil && versioning(newest) != versioning(before), err
	})
	if err != nil {
		return err
	}
	st.lineAt(time.Now(), "item", fmt.Sprintf("AWS::S3::Bucket %s: BucketVersioningConfiguration.status %s -> %s, as item %s",
		watched, versioning(before), versioning(it), aws.ToString(it.ConfigurationStateId)))
	return nil
}

// versioning reads the status out of an item, where it is JSON in a text.
func versioning(it *configtypes.ConfigurationItem) string {
	var v struct{ Status string }
	if it == nil || json.Unmarshal([]byte(it.SupplementaryConfiguration["BucketVersioningConfiguration"]), &v) != nil || v.Status == "" {
		return "Off"
	}
	return v.Status
}

func (st *story) awaitChange(ctx context.Context, rule string) error {
	annotation, err := st.awaitVerdict(ctx, rule, configtypes.ComplianceTypeNonCompliant)
	if err != nil {
		return err
	}
	text := rule + ": " + st.verdict("COMPLIANT") + " -> " + st.verdict("NON_COMPLIANT")
	if annotation != "" {
		text += ", \"" + annotation + "\""
	}
	st.lineAt(time.Now(), "verdict", text)
	return nil
}
