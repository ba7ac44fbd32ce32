package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// change suspends versioning and prints what comes of it, as it comes.
func (st *story) change(ctx context.Context) error {
	before, err := st.newest(ctx)
	if err != nil {
		return err
	}
	if err := st.setVersioning(ctx, "Suspended"); err != nil {
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

func (st *story) awaitItem(ctx context.Context, before shape) error {
	var it shape
	err := until(ctx, "the item of the change", func(ctx context.Context) (bool, error) {
		newest, err := st.newest(ctx)
		it = newest
		return newest != nil && versioning(newest) != versioning(before), err
	})
	if err != nil {
		return err
	}
	st.lineAt(time.Now(), "item", fmt.Sprintf("AWS::S3::Bucket %s: BucketVersioningConfiguration.status %s -> %s, as item %s",
		watched, versioning(before), versioning(it), text(it, "configurationStateId")))
	return nil
}

// versioning reads the status out of an item, where it is JSON in a text.
func versioning(it shape) string {
	var v struct{ Status string }
	more, _ := it["supplementaryConfiguration"].(shape)
	if json.Unmarshal([]byte(text(more, "BucketVersioningConfiguration")), &v) != nil || v.Status == "" {
		return "Off"
	}
	return v.Status
}

func (st *story) awaitChange(ctx context.Context, rule string) error {
	annotation, err := st.awaitVerdict(ctx, rule, "NON_COMPLIANT")
	if err != nil {
		return err
	}
	line := rule + ": " + st.verdict("COMPLIANT") + " -> " + st.verdict("NON_COMPLIANT")
	if annotation != "" {
		line += ", \"" + annotation + "\""
	}
	st.lineAt(time.Now(), "verdict", line)
	return nil
}
