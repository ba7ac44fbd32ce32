package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"plumb/internal/awsclient"
	"plumb/internal/fixture"
	"plumb/internal/resource"
	"plumb/models"
	"plumb/resources"
)

func newItemCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "item",
		Short: "Print and record configuration items for tests of rules",
	}
	cmd.AddCommand(newItemSampleCommand(), newItemCaptureCommand(), newItemPutCommand())
	return cmd
}

func newItemSampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "sample TYPE",
		Short:   "Print a sample item of a resource type",
		Long:    "Sample prints an item as it is recorded of a real resource: one of those that the type's file in resources/ expects of recorded answers.",
		Example: "  plumb item sample AWS::S3::Bucket > fixtures/bucket.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			types, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
			if err != nil {
				return err
			}
			it, err := fixture.Sample(types, args[0])
			if err != nil {
				return err
			}
			text, err := fixture.Text(it)
			if err == nil {
				_, err = cmd.OutOrStdout().Write(text)
			}
			return err
		},
	}
}

func newItemCaptureCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "capture RESOURCE",
		Short: "Print a recorded item without what others should not see",
		Long: `Capture prints the newest item of a resource that a server recorded, as a fixture: account ids, ids, names and public addresses
are replaced, the same by the same, and secrets and variables are masked. Read it before you publish it.
` + resourceArgument,
		Example: "  plumb item capture AWS::S3::Bucket/logs > fixtures/logs.json",
		Args:    cobra.ExactArgs(1),
	}
	server := serverFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		b, err := server()
		if err != nil {
			return err
		}
		key, err := b.Find(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		it, err := b.Item(cmd.Context(), key.Type, key.ID)
		if err != nil {
			return err
		}
		if it, err = fixture.Capture(it); err != nil {
			return err
		}
		text, err := fixture.Text(it)
		if err == nil {
			_, err = cmd.OutOrStdout().Write(text)
		}
		return err
	}
	return cmd
}

func newItemPutCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "put FILE...",
		Short: "Record items from files on a running server",
		Long: `Put records items as if the resources had been found: in JSON or YAML, in any spelling that AWS Config uses. Rules then
evaluate them. It prints what it recorded. Where no recorder is, it makes one that records everything.`,
		Example: "  plumb item put fixtures/*.json --endpoint http://127.0.0.1:4577",
		Args:    cobra.MinimumNArgs(1),
	}
	server := serverFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		b, err := server()
		if err != nil {
			return err
		}
		if err := b.Record(cmd.Context()); err != nil {
			return err
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			it, err := fixture.Read(text, fixture.Defaults{Place: b.Place})
			if err == nil {
				err = b.PushOne(cmd.Context(), it)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s/%s\n", it.Type, it.ID)
		}
		return nil
	}
	return cmd
}
