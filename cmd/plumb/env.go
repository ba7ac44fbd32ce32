package main

import (
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"plumb/internal/settings"
)

func newEnvCommand() *cobra.Command {
	var endpoint string
	var unset bool
	cmd := &cobra.Command{
		Use:   "env [cli|fish|powershell|boto3|terraform|go|javascript]",
		Short: "Print how to point AWS clients at the server",
		Long: `Env prints the variables that point the AWS CLI and current SDKs at the server, and what clients need
that do not read them. The output can be evaluated by a shell: everything but the exports is a
comment. With a name it prints that client's snippet alone, ready to be pasted; fish and powershell are
the variables for those shells. With --unset it prints what takes the variables away again.`,
		Example: `  eval "$(plumb env)"
  eval "$(plumb env --unset)"
  plumb env fish | source
  plumb env powershell | Out-String | Invoke-Expression
  plumb env terraform > provider.tf`,
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: snippetNames(),
	}
	load := addSettings(cmd)
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of the server (default: made of the listen setting)")
	cmd.Flags().BoolVar(&unset, "unset", false, "print what takes the variables of a shell away again")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if unset {
			return writeUnset(cmd.OutOrStdout(), args)
		}
		s, err := load()
		if err != nil {
			return err
		}
		c := clientOf(s, endpoint)
		if c.Secret == placeholder {
			fmt.Fprintf(cmd.ErrOrStderr(), "plumb env: put the secret of the access key %s in the place of %s\n", c.Key, placeholder)
		}
		if endpoint == "" && strings.HasSuffix(s.Listen, ":0") {
			fmt.Fprintln(cmd.ErrOrStderr(), "plumb env: the server picks its port: give --endpoint the URL that it prints")
		}
		if len(args) == 0 {
			return c.writeAll(cmd.OutOrStdout())
		}
		return c.writeOne(cmd.OutOrStdout(), args[0])
	}
	return cmd
}

// A client is what snippets are made of.
type client struct{ Endpoint, Region, Key, Secret string }

// TerraformEndpoints is the inside of the provider's endpoints block.
func (c client) TerraformEndpoints() string { return terraformEndpoints(c.Endpoint) }

// clientOf takes the account as the key in development mode, where any key is
// taken; in server mode it names the key that is known and hides its secret.
func clientOf(s settings.Settings, endpoint string) client {
	if endpoint == "" {
		endpoint = s.URL()
	}
	c := client{Endpoint: endpoint, Region: s.Region, Key: s.Account, Secret: "any"}
	if s.Mode == settings.Server {
		c.Key, c.Secret = s.AccessKeys[0].ID, placeholder
	}
	return c
}

// placeholder stands for a secret that is not printed.
const placeholder = "SECRET"

func (c client) writeAll(w io.Writer) error {
	if err := c.write(w, snippets()[0].text, ""); err != nil {
		return err
	}
	for _, s := range snippets()[1:] {
		if _, err := fmt.Fprintf(w, "\n# --- %s\n", s.title); err != nil {
			return err
		}
		if err := c.write(w, s.text, "# "); err != nil {
			return err
		}
	}
	return nil
}

func (c client) writeOne(w io.Writer, name string) error {
	for _, s := range snippets() {
		if s.name == name {
			return c.write(w, s.text, "")
		}
	}
	return fmt.Errorf("no snippet %q; there is %s", name, strings.Join(snippetNames(), ", "))
}

// variables are those that the snippets of shells set.
var variables = []string{"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"}

// writeUnset prints the way back in the language of a shell.
func writeUnset(w io.Writer, args []string) error {
	shell := "cli"
	if len(args) > 0 {
		shell = args[0]
	}
	var line string
	switch shell {
	case "cli":
		line = "unset " + strings.Join(variables, " ")
	case "fish":
		line = "set -e " + strings.Join(variables, " ")
	case "powershell":
		line = "Remove-Item Env:" + strings.Join(variables, ", Env:") + " -ErrorAction SilentlyContinue"
	default:
		return fmt.Errorf("--unset is for shells: cli, fish, powershell; %q sets no variables", shell)
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

// write fills a snippet in and puts a prefix before each of its lines.
func (c client) write(w io.Writer, text, prefix string) error {
	t, err := template.New("").Parse(text)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := t.Execute(&b, c); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(prefix+strings.TrimSuffix(line, "\n"), " ")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func snippetNames() []string {
	var names []string
	for _, s := range snippets() {
		names = append(names, s.name)
	}
	return names
}

type snippet struct{ name, title, text string }

// snippets lists what env prints; the exports come first.
func snippets() []snippet {
	return []snippet{
		{"cli", "AWS CLI and every SDK that reads AWS_ENDPOINT_URL", `export AWS_ENDPOINT_URL={{.Endpoint}}
export AWS_ACCESS_KEY_ID={{.Key}}
export AWS_SECRET_ACCESS_KEY={{.Secret}}
export AWS_REGION={{.Region}}
export AWS_DEFAULT_REGION={{.Region}}
unset AWS_PROFILE AWS_SESSION_TOKEN
# Version 1 of the AWS CLI sends sqs to Amazon all the same: aws --endpoint-url "$AWS_ENDPOINT_URL" sqs ...
`},
		{"fish", "fish: plumb env fish | source", `set -gx AWS_ENDPOINT_URL '{{.Endpoint}}'
set -gx AWS_ACCESS_KEY_ID '{{.Key}}'
set -gx AWS_SECRET_ACCESS_KEY '{{.Secret}}'
set -gx AWS_REGION '{{.Region}}'
set -gx AWS_DEFAULT_REGION '{{.Region}}'
set -e AWS_PROFILE AWS_SESSION_TOKEN
`},
		{"powershell", "PowerShell: plumb env powershell | Out-String | Invoke-Expression", `$env:AWS_ENDPOINT_URL = '{{.Endpoint}}'
$env:AWS_ACCESS_KEY_ID = '{{.Key}}'
$env:AWS_SECRET_ACCESS_KEY = '{{.Secret}}'
$env:AWS_REGION = '{{.Region}}'
$env:AWS_DEFAULT_REGION = '{{.Region}}'
Remove-Item Env:AWS_PROFILE, Env:AWS_SESSION_TOKEN -ErrorAction SilentlyContinue
`},
		{"boto3", "boto3 before 1.28, which does not read AWS_ENDPOINT_URL", `import boto3
config = boto3.client("config", endpoint_url="{{.Endpoint}}", region_name="{{.Region}}",
                      aws_access_key_id="{{.Key}}", aws_secret_access_key="{{.Secret}}")
print(config.describe_config_rules())
`},
		{"terraform", "Terraform", `provider "aws" {
  region                      = "{{.Region}}"
  access_key                  = "{{.Key}}"
  secret_key                  = "{{.Secret}}"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  endpoints {
{{.TerraformEndpoints}}  }
}
`},
		{"go", "AWS SDK for Go v2", `cfg, err := config.LoadDefaultConfig(ctx,
	config.WithBaseEndpoint("{{.Endpoint}}"), config.WithRegion("{{.Region}}"),
	config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("{{.Key}}", "{{.Secret}}", "")))
client := configservice.NewFromConfig(cfg)
buckets := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
`},
		{"javascript", "AWS SDK for JavaScript v3", `import { ConfigServiceClient, DescribeConfigRulesCommand } from "@aws-sdk/client-config-service";
const client = new ConfigServiceClient({
  endpoint: "{{.Endpoint}}", region: "{{.Region}}",
  credentials: { accessKeyId: "{{.Key}}", secretAccessKey: "{{.Secret}}" },
});
console.log(await client.send(new DescribeConfigRulesCommand({})));
`},
	}
}
