package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/spf13/cobra"

	"plumb/internal/awsclient"
	"plumb/internal/resource"
	"plumb/internal/settings"
	"plumb/internal/trail"
	"plumb/models"
	"plumb/resources"
)

// maxManagedPolicy is the size of a managed policy that IAM accepts. IAM and AWS STS quotas: 6,144 characters.
const maxManagedPolicy = 6144

func newIAMPolicyCommand() *cobra.Command {
	var trails []string
	cmd := &cobra.Command{
		Use:   "iam-policy [TYPE...]",
		Short: "Print the least IAM policy that recording resource types takes",
		Long: `Iam-policy prints a policy document for the role or user as which the recorder reads an account of AWS: the actions that
reading the types takes, and no others. Without types it is for all that are read.`,
		Example: "  plumb iam-policy AWS::S3::Bucket AWS::IAM::Role > policy.json\n" +
			"  plumb iam-policy AWS::S3::Bucket --cloudtrail https://sqs.eu-west-1.amazonaws.com/123456789012/plumb-trail",
		RunE: func(cmd *cobra.Command, args []string) error {
			cat, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
			if err != nil {
				return err
			}
			types, err := typesRead(cat, args)
			if err != nil {
				return err
			}
			policy, err := cat.Policy(types...)
			if err != nil {
				return err
			}
			for _, address := range trails {
				if err := settings.CheckTrail("--", address); err != nil {
					return err
				}
				for _, p := range trail.Permissions(address) {
					policy.Statement = append(policy.Statement, resource.Statement{Effect: "Allow", Action: p.Actions, Resource: p.Resource})
				}
			}
			if n := policy.Size(); n > maxManagedPolicy {
				fmt.Fprintf(cmd.ErrOrStderr(), "plumb: the policy has %d characters without white space and a managed policy may have %d: "+
					"make several of its statements, or name fewer types\n", n, maxManagedPolicy)
			}
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(policy)
		},
	}
	cmd.Flags().StringArrayVar(&trails, "cloudtrail", nil, "also read records of CloudTrail at this `URL`, as the setting cloudtrail has it: of a queue, or s3://BUCKET/PREFIX; "+
		"give both where the queue has notices of a bucket's files")
	return cmd
}

// typesRead returns the types that were named, or all that are read when none was.
func typesRead(cat *resource.Catalogue, named []string) ([]string, error) {
	byLower, all := map[string]string{}, []string{}
	for _, info := range cat.Types() {
		byLower[strings.ToLower(info.Type)] = info.Type
		all = append(all, info.Type)
	}
	for _, typ := range named {
		if _, ok := cat.Info(typ); ok {
			continue
		}
		if cat.Known(typ) {
			return nil, fmt.Errorf("resource type %s is not read: its items come with PutResourceConfig", typ)
		}
		best := settings.Nearest(maps.Keys(byLower), strings.ToLower(typ)) // two letters of any case
		if best == "" {
			return nil, fmt.Errorf("no resource type %q is read: \"plumb docs resource-types\" lists those that are", typ)
		}
		return nil, fmt.Errorf("no resource type %q is read; is %s meant?", typ, byLower[best])
	}
	if len(named) == 0 {
		return all, nil
	}
	return named, nil
}
