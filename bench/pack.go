package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	packRules = 20              // of a pack
	maxDeploy = 2 * time.Second // for a public pack to be there
)

// packs measures conformance packs that are deployed and removed. The floor is the
// same rules, put and deleted one by one by a client.
func packs(ctx context.Context, b *bench) error {
	s, err := b.newServer(ctx)
	if err != nil {
		return err
	}
	if err := s.startRecorder(ctx); err != nil {
		return err
	}
	var template strings.Builder
	template.WriteString("Resources:\n")
	for i := range packRules {
		fmt.Fprintf(&template, "  R%d: {Type: 'AWS::Config::ConfigRule', Properties: {ConfigRuleName: r%[1]d, Source: {Owner: AWS, SourceIdentifier: %s}}}\n", i, packed(i))
	}
	n, took := 0, []time.Duration{}
	ours := func(ctx context.Context) (int, error) {
		n++
		name := fmt.Sprintf("pack-%d", n)
		began := time.Now()
		if err := s.call(ctx, "PutConformancePack", map[string]any{"ConformancePackName": name, "TemplateBody": template.String()}, nil); err != nil {
			return 0, err
		}
		if err := s.app.Drain(ctx); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
		if err := s.provePack(ctx, name); err != nil {
			return 0, err
		}
		return 1, s.andDrain(ctx, "DeleteConformancePack", map[string]any{"ConformancePackName": name})
	}
	floor := func(ctx context.Context) (int, error) {
		for i := range packRules {
			if err := s.putManagedRule(ctx, fmt.Sprintf("r%d", i), packed(i)); err != nil {
				return 0, err
			}
		}
		if err := s.app.Drain(ctx); err != nil {
			return 0, err
		}
		for i := range packRules {
			if err := s.call(ctx, "DeleteConfigRule", map[string]any{"ConfigRuleName": fmt.Sprintf("r%d", i)}, nil); err != nil {
				return 0, err
			}
		}
		return 1, s.app.Drain(ctx)
	}
	r, err := b.compare(ctx, ours, floor)
	if err != nil {
		return err
	}
	b.table.race(fmt.Sprintf("conformance packs of %d rules, deployed and removed", packRules), "packs/s", r, 0.5)
	b.table.latencies(fmt.Sprintf("conformance pack of %d rules, until it is there", packRules), took, maxDeploy)
	return nil
}

// packed is the identifier of a pack's rule.
func packed(i int) string {
	return []string{"S3_BUCKET_VERSIONING_ENABLED", "S3_BUCKET_LOGGING_ENABLED", "S3_BUCKET_PUBLIC_READ_PROHIBITED", "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED"}[i%4]
}

func (s *server) andDrain(ctx context.Context, operation string, in any) error {
	if err := s.call(ctx, operation, in, nil); err != nil {
		return err
	}
	return s.app.Drain(ctx)
}

// provePack fails unless a pack was deployed.
func (s *server) provePack(ctx context.Context, name string) error {
	var out struct {
		ConformancePackStatusDetails []struct{ ConformancePackState, ConformancePackStatusReason string }
	}
	if err := s.call(ctx, "DescribeConformancePackStatus", map[string]any{"ConformancePackNames": []string{name}}, &out); err != nil {
		return err
	}
	if s := out.ConformancePackStatusDetails; len(s) != 1 || s[0].ConformancePackState != "CREATE_COMPLETE" {
		return fmt.Errorf("the pack ended as %+v", s)
	}
	return nil
}
