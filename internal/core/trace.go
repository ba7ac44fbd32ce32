package core

import (
	"context"
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/trace"
)

// traced begins the span of an event and of those who react to it.
func traced(ctx context.Context, event any) (context.Context, trace.Span) {
	if !trace.Of(ctx).On() {
		return ctx, trace.Span{}
	}
	ctx, span := trace.Start(ctx, strings.TrimPrefix(fmt.Sprintf("%T", event), "config."))
	switch e := event.(type) {
	case config.ItemsRecorded:
		span.SetInt("plumb.items", len(e.Items))
		setPlace(span, e.Place)
		for _, it := range e.Items[:min(1, len(e.Items))] {
			span.Set("aws.config.resource_type", it.Type, "aws.config.resource_id", it.ID, "aws.config.item_status", string(it.Status))
		}
	case config.ComplianceChanged:
		span.SetInt("plumb.changes", len(e.Changes))
		setPlace(span, e.Place)
		for _, c := range e.Changes[:min(1, len(e.Changes))] {
			span.Set("aws.config.rule", c.New.Rule, "aws.config.resource_type", c.New.ResourceType, "aws.config.resource_id", c.New.ResourceID,
				"aws.config.compliance", string(c.New.Compliance))
		}
	}
	return ctx, span
}

func setPlace(span trace.Span, p config.Place) {
	span.Set("cloud.account.id", p.Account, "cloud.region", p.Region)
}
