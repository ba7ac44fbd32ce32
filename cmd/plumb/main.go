// Command plumb is AWS Config that you run yourself: it records the
// configuration of resources, checks it against rules and tells what changed, to
// unchanged AWS clients.
//
// Each subcommand is a file of this package; what they do is in internal/.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"plumb/internal/demo"
	"plumb/internal/sandbox"
)

func main() {
	sandbox.Main() // a function's process begins its life here
	if demo.IsFunction() {
		fmt.Fprintln(os.Stderr, demo.Rule(context.Background()))
		os.Exit(1)
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program, but for the process around it.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	if err := knownCommand(root, args); err != nil {
		fmt.Fprintf(errOut, "plumb: %s\n", err)
		return 1
	}
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	code := 1
	if e, ok := errors.AsType[exitError](err); ok {
		if code, err = e.code, e.err; err == nil {
			return code
		}
	}
	fmt.Fprintf(errOut, "plumb: %s\n", explain(cmd, err))
	return code
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "plumb",
		Short: "AWS Config that you run yourself",
		Long: `Plumb is AWS Config that you run yourself: it records the configuration of resources, checks it
against rules and tells what changed, to unchanged AWS clients.

Start with "plumb demo", which shows all of it in a few seconds. "plumb serve" runs a server,
"plumb env" prints how to point the AWS CLI and SDKs at it.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	root.SetVersionTemplate(versionLine() + "\n")
	root.SetUsageTemplate(usage(root.UsageTemplate()))
	root.SetFlagErrorFunc(suggestFlag)
	root.SetHelpCommand(newHelpCommand(root))
	root.AddCommand(
		newServeCommand(),
		newDemoCommand(),
		newEnvCommand(),
		newDoctorCommand(),
		newHealthCommand(),
		newBackupCommand(),
		newRestoreCommand(),
		newVerifyCommand(),
		newDocsCommand(),
		newManCommand(),
		newRuleCommand(),
		newItemCommand(),
		newWhyCommand(),
		newPackCommand(),
		newGuardCommand(),
		newCheckCommand(),
		newLogsCommand(),
		newBacktestCommand(),
		newQueryCommand(),
		newDeliveriesCommand(),
		newChannelsCommand(),
		newAuditCommand(),
		newImportCommand(),
		newRemediationCommand(),
		newIAMPolicyCommand(),
		newVersionCommand(),
	)
	return root
}
