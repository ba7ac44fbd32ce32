package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"plumb/internal/resource/typename"
	"plumb/internal/scaffold"
)

func newRuleNewCommand() *cobra.Command {
	language, resourceType := scaffold.Python, "AWS::S3::Bucket"
	cmd := &cobra.Command{
		Use:   "new FOLDER",
		Short: "Write a new rule with a first test that passes",
		Long: `New writes a rule into a new folder: a function in Python, Node.js or Go, a policy in Guard, or a rule file in CEL,
with tests. The rule wants a tag; what it checks is yours to change.`,
		Example: `  plumb rule new my-rule
  plumb rule new my-rule --language go
  plumb rule new my-rule --language guard --type AWS::EC2::Instance`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := typename.Check(resourceType); err != nil {
				return err
			}
			files, err := scaffold.New(args[0], language, resourceType)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, f := range files {
				fmt.Fprintln(out, filepath.ToSlash(f))
			}
			if language == scaffold.Node {
				fmt.Fprintln(out, "npm install -g @aws-sdk/client-config-service   # once, where Node.js has no AWS SDK")
			}
			_, err = fmt.Fprintf(out, "plumb rule test %s\nplumb rule dev %s --watch\n", args[0], args[0])
			return err
		},
	}
	cmd.Flags().StringVarP(&language, "language", "l", language, strings.Join(scaffold.Languages(), ", "))
	cmd.Flags().StringVarP(&resourceType, "type", "t", resourceType, "the resource `TYPE` that the rule looks at")
	cmd.RegisterFlagCompletionFunc("language", cobra.FixedCompletions(scaffold.Languages(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
